"""AE titles and addresses as people write them (PS3.5 §6.2)."""

from __future__ import annotations

import pytest

from vna.errors import InvalidValue
from vna.services.titles import ae_title, endpoint, parse_address


@pytest.mark.parametrize(
    ("written", "title"),
    [("CT1", "CT1"), ("  CT 1 ", "CT 1"), ("A" * 16, "A" * 16), (f"  {'A' * 16}  ", "A" * 16)],
)
def test_spaces_around_a_title_mean_nothing(written: str, title: str) -> None:
    assert ae_title(written) == title


@pytest.mark.parametrize("written", ["", "   ", "A" * 17, "A\\B", "A\tB", "A\x00", "CAMIÓN"])
def test_what_is_no_title_is_refused(written: str) -> None:
    with pytest.raises(InvalidValue):
        ae_title(written)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("CT1@10.0.0.5:104", ("CT1", "10.0.0.5", 104)),
        ("PACS A@pacs.example:11112", ("PACS A", "pacs.example", 11112)),
        ("CT1@[::1]:104", ("CT1", "::1", 104)),
    ],
)
def test_an_address_is_title_host_and_port(written: str, found: tuple[str, str, int]) -> None:
    assert parse_address(written) == found


@pytest.mark.parametrize(
    "written", ["CT1", "CT1@host", "CT1@host:0", "CT1@host:65536", "@host:104", "CT1@ho st:104"]
)
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(InvalidValue):
        parse_address(written)


def test_a_peer_has_both_host_and_port_or_neither() -> None:
    assert endpoint("", 0) == ("", 0)
    for host, port in (("host", 0), ("", 104), ("host", -1)):
        with pytest.raises(InvalidValue):
            endpoint(host, port)

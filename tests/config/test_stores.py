from __future__ import annotations

import pytest

from vna.config.stores import StoreSetting, stores


def test_stores_are_read_in_order() -> None:
    written = [
        "near /srv/vna domain=a",
        "far s3://bucket/some/prefix class=warm endpoint=http://h:1 region=eu credentials=/run/s3"
        " cache=20GiB",
    ]
    assert stores(written) == (
        StoreSetting("near", domain="a", folder="/srv/vna"),
        StoreSetting(
            "far",
            tier="warm",
            bucket="bucket",
            prefix="some/prefix",
            endpoint="http://h:1",
            region="eu",
            credentials="/run/s3",
            cache=20 << 30,
        ),
    )
    assert stores(", ".join(written)) == stores(written)
    assert stores(", ".join(map(str, stores(written)))) == stores(written)
    assert stores("") == ()


@pytest.mark.parametrize(
    "written",
    [
        "near",
        "near relative/path",
        "Near /srv",
        "near /srv region=eu",
        "near /srv colour=red",
        "near /srv domain=a domain=b",
        "near /srv class=tepid",
        "near /srv cache=much",
        "near /srv cache=1MiB",
        "near /srv class=cold",
        "near s3:///prefix",
        "near /srv, near /other",
    ],
)
def test_what_is_no_store_is_refused(written: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the text is for people
        stores(written)

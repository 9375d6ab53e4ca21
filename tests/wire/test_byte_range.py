"""Byte ranges (RFC 9110 §14)."""

from __future__ import annotations

import pytest

from vna.errors import RangeNotSatisfiable
from vna.wire.byte_range import parse_range


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=2-4", 2, 5),
        ("bytes=2-", 2, 10),
        ("bytes=2-99", 2, 10),
        ("bytes=-3", 7, 10),
        ("bytes=-99", 0, 10),
        (" Bytes = 9 - ", 9, 10),
    ],
)
def test_one_range_is_cut_to_the_representation(header: str, start: int, end: int) -> None:
    found = parse_range(header, 10)

    assert found is not None
    assert (found.start, found.end, found.length) == (start, end, end - start)
    assert found.content_range == f"bytes {start}-{end - 1}/10"


@pytest.mark.parametrize("header", [None, "", "bytes=", "bytes=-", "bytes=4-2", "rows=1-2",
                                    "bytes=0-1,3-4", "bytes=a-b"])  # fmt: skip
def test_what_is_not_one_byte_range_is_ignored(header: str | None) -> None:
    assert parse_range(header, 10) is None


@pytest.mark.parametrize(("header", "size"), [("bytes=10-", 10), ("bytes=-0", 10), ("bytes=0-", 0)])
def test_a_range_behind_the_end_cannot_be_satisfied(header: str, size: int) -> None:
    with pytest.raises(RangeNotSatisfiable) as raised:
        parse_range(header, size)

    assert raised.value.size == size

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vna.objects import ulid


@given(st.binary(min_size=16, max_size=16))
def test_the_text_gives_the_bytes_back(value: bytes) -> None:
    assert ulid.decode(ulid.encode(value)) == value


@given(st.lists(st.binary(min_size=16, max_size=16), min_size=2, max_size=2))
def test_texts_sort_as_their_bytes_do(values: list[bytes]) -> None:
    assert sorted(map(ulid.encode, values)) == [ulid.encode(value) for value in sorted(values)]


@pytest.mark.parametrize(
    ("value", "text"),
    [(bytes(16), "0" * 26), (b"\xff" * 16, "7" + "Z" * 25)],
)
def test_the_ends_of_the_range_have_their_text(value: bytes, text: str) -> None:
    assert ulid.encode(value) == text


@pytest.mark.parametrize("text", ["", "0" * 25, "0" * 27, "8" + "0" * 25, "U" * 26, "0" * 25 + "a"])
def test_what_is_no_ulid_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a ULID"):
        ulid.decode(text)


def test_a_ulid_knows_when_it_was_made() -> None:
    before = datetime.now(UTC)
    made = ulid.made_at(ulid.new_ulid())
    assert abs((made - before).total_seconds()) < 60


def test_two_are_never_the_same() -> None:
    assert len({ulid.new_ulid() for _ in range(1000)}) == 1000

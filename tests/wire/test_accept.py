"""Accept headers and the accept parameter (PS3.18 §8.7.5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vna.errors import InvalidValue
from vna.wire.accept import (
    ANYTHING,
    accepts_coding,
    matches,
    parse_accept,
    parse_accept_parameter,
)


def essences(header: str) -> list[str]:
    """What a header accepts, best first."""
    return [each.media_type.essence for each in parse_accept(header)]


@pytest.mark.parametrize(
    ("header", "best_first"),
    [
        ("a/b, c/d", ["a/b", "c/d"]),
        ("a/b;q=0.1, c/d;q=0.5", ["c/d", "a/b"]),
        ("*/*, a/*, a/b", ["a/b", "a/*", "*/*"]),
        ("a/b;q=0.5, */*", ["*/*", "a/b"]),
        ("nonsense, a/b;q=two, c/d;q=7, */b, e/f", ["e/f"]),
        ("", []),
    ],
)
def test_ranges_come_best_first_and_broken_ones_are_ignored(
    header: str, best_first: list[str]
) -> None:
    assert essences(header) == best_first


def test_the_more_specific_of_equal_ranges_comes_first() -> None:
    header = 'multipart/related; type="a/b", multipart/related; type="a/b"; transfer-syntax=*'

    assert [len(each.media_type.parameters) for each in parse_accept(header)] == [2, 1]


def test_a_weight_is_no_parameter_of_the_media_type() -> None:
    (found,) = parse_accept("a/b; c=d; q=0.5")

    assert (found.media_type.parameters, found.q) == ((("c", "d"),), 0.5)


@given(st.text(max_size=60))
def test_any_header_is_read(header: str) -> None:
    assert all(0 <= each.q <= 1 for each in parse_accept(header))


def test_the_parameter_has_no_wildcards_and_agrees_with_the_header() -> None:
    anything = (ANYTHING,)

    (found,) = parse_accept_parameter("image/jpeg", anything)
    assert found.media_type.essence == "image/jpeg"
    for wrong in ("image/*", "*/*", "", "nonsense"):
        with pytest.raises(InvalidValue, match=r"accept|Accept"):
            parse_accept_parameter(wrong, anything)
    with pytest.raises(InvalidValue, match="agree"):
        parse_accept_parameter("image/jpeg", parse_accept("image/png, image/jpeg;q=0"))
    with pytest.raises(InvalidValue, match="agree"):
        parse_accept_parameter(
            "multipart/related; type=a/b", parse_accept("multipart/related; type=c/d")
        )


@pytest.mark.parametrize(
    ("pattern", "essence", "covered"),
    [
        ("*/*", "a/b", True),
        ("a/*", "a/b", True),
        ("a/*", "ab/b", False),
        ("a/b", "a/b", True),
        ("a/b", "a/bc", False),
    ],
)
def test_a_pattern_covers_its_media_types(pattern: str, essence: str, covered: bool) -> None:
    assert matches(pattern, essence) is covered


@pytest.mark.parametrize(
    ("header", "allowed"),
    [
        ("", False),
        ("gzip", True),
        ("deflate, gzip;q=0.5", True),
        ("*", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("*;q=0", False),
        ("GZIP", True),
    ],
)
def test_gzip_is_sent_only_where_it_is_allowed(header: str, allowed: bool) -> None:
    assert accepts_coding(header, "gzip") is allowed

"""Media types are read as clients write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vna.errors import InvalidValue
from vna.wire.media_type import MediaType, parse_media_type, split_list

tokens = st.from_regex(r"[a-z0-9!#$%&'*+.^_`|~-]{1,8}", fullmatch=True)
texts = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=10)
media_types = st.builds(
    MediaType, tokens, tokens, st.lists(st.tuples(tokens, texts), max_size=4).map(tuple)
)


@given(media_type=media_types)
def test_what_is_written_is_read(media_type: MediaType) -> None:
    assert parse_media_type(str(media_type)) == media_type


@pytest.mark.parametrize(
    "text",
    [
        'multipart/related; type="application/dicom"; transfer-syntax=*; boundary="a b"',
        'Multipart/Related;type=application/dicom;transfer-syntax=*;boundary="a b"',
        'multipart/related ; TYPE="application/dicom" ; transfer-syntax="*";boundary="a\\ b";',
    ],
)
def test_quotes_case_and_white_space_do_not_matter(text: str) -> None:
    parsed = parse_media_type(text)

    assert parsed.essence == "multipart/related"
    assert parsed.parameter("type") == "application/dicom"
    assert parsed.parameter("transfer-syntax") == "*"
    assert parsed.parameter("boundary") == "a b"
    assert parsed.parameter("charset") is None


@pytest.mark.parametrize(
    "text", ["", "dicom", "a/b/c", "a/b; =c", 'a/b; c="', "a/b, c/d", "/", "a/"]
)
def test_what_is_no_media_type_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="media type"):
        parse_media_type(text)


def test_commas_inside_quotes_do_not_split_a_list() -> None:
    assert split_list('a/b; c="d,e" ,, f/g') == ['a/b; c="d,e"', "f/g"]

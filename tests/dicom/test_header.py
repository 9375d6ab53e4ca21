"""The encoded header and its compression."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vna.dicom.header import Header, compress, decompress
from vna.dicom.transfer_syntax import Encoding
from vna.errors import MalformedObject


@given(
    st.sampled_from(Encoding),
    st.binary(max_size=300),
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 1 << 40)), max_size=5),
    st.booleans(),
)
def test_a_header_is_what_was_encoded(
    encoding: Encoding, data: bytes, cuts: list[tuple[int, int]], incomplete: bool
) -> None:
    header = Header(encoding, data, tuple(sorted(cuts)), incomplete)
    assert Header.decode(header.encode()) == header
    assert header.encode() == Header(encoding, data, tuple(sorted(cuts)), incomplete).encode()


def test_the_format_is_the_documented_one() -> None:
    header = Header(Encoding.EXPLICIT_LE, b"data", ((2, 300), (4, 5)))
    assert header.encode() == b"\x01\x01\x02\x02\xac\x02\x02\x05data"


@pytest.mark.parametrize(
    "data", [b"", b"\x01", b"\x02\x01\x00", b"\x01\x07\x00", b"\x01\x01\x05\x80"]
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedObject):
        Header.decode(data)


def test_a_header_of_the_same_series_compresses_against_its_first() -> None:
    first = bytes(range(256)) * 8
    other = first[:1000] + b"changed" + first[1000:]
    small = compress(other, first)
    assert len(small) < len(compress(other)) // 2
    assert decompress(small, first) == other
    assert compress(other, first) == small
    with pytest.raises(MalformedObject):
        decompress(small[:-2], first)

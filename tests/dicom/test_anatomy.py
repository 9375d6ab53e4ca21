"""The encoded anatomy and its frame tables."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vna.dicom.anatomy import Anatomy, FrameTable, Kind
from vna.errors import MalformedObject, NotFound

_lengths = st.lists(st.integers(0, 0xFFFFFFFE), min_size=1, max_size=20)


@st.composite
def encapsulated(draw: st.DrawFn) -> Anatomy:
    lengths = array("I", draw(_lengths))
    counts = None
    if draw(st.booleans()):
        edges = sorted(
            draw(st.sets(st.integers(1, len(lengths) - 1), max_size=5)) if len(lengths) > 1 else []
        )
        ends = [*edges, len(lengths)]
        counts = array("I", (b - a for a, b in zip([0, *edges], ends, strict=True)))
    table = FrameTable(draw(st.integers(8, 1 << 40)), lengths, counts)
    return Anatomy(
        Kind.ENCAPSULATED,
        draw(st.integers(0, 1 << 20)),
        draw(st.integers(0, 1 << 40)),
        0x7FE00010,
        draw(st.integers(0, 1 << 50)),
        table.frames,
        deflated=draw(st.booleans()),
        table=table,
    )


@given(encapsulated())
def test_an_encapsulated_anatomy_is_what_was_encoded_and_both_tables_agree(
    anatomy: Anatomy,
) -> None:
    assert Anatomy.decode(anatomy.encode()) == anatomy
    bare = Anatomy.decode(anatomy.encode(with_table=False))
    assert bare == anatomy.without_table()
    side = anatomy.encode_table()
    at = anatomy.pixel_offset + (anatomy.table.first if anatomy.table else 0)
    for number in range(1, anatomy.number_of_frames + 1):
        ranges = anatomy.frame(number)
        assert (
            bare.frame_in(lambda offset, length: side[offset : offset + length], number) == ranges
        )
        for offset, length in ranges:
            assert offset == at + 8
            at = offset + length


@given(
    st.integers(0, 1 << 20),
    st.integers(0, 1 << 40),
    st.integers(1, 64),
    st.integers(1, 100),
    st.integers(1, 1000),
)
def test_native_frames_cover_the_pixel_data_bit_by_bit(
    dataset: int, header: int, bits: int, frames: int, pixels: int
) -> None:
    total = -(-bits * pixels * frames // 8)
    anatomy = Anatomy(Kind.NATIVE, dataset, header, 0x7FE00010, total, frames, bits * pixels)
    assert Anatomy.decode(anatomy.encode()) == anatomy
    for number in (1, frames):
        [(offset, length)] = anatomy.frame(number)
        first = (offset - anatomy.pixel_offset) * 8 + anatomy.first_bit(number)
        assert first == (number - 1) * bits * pixels
        assert first + bits * pixels <= (offset - anatomy.pixel_offset + length) * 8
    assert offset + length == anatomy.tail_offset


def test_the_format_is_the_documented_one() -> None:
    table = FrameTable(8, array("I", [300, 2]))
    anatomy = Anatomy(Kind.ENCAPSULATED, 332, 1000, 0x7FE00010, 334, 2, table=table)
    assert anatomy.encode() == (
        b"\x01\x02\x02\x01" + b"\xcc\x02" + b"\xe8\x07" + b"\xce\x02" + b"\x02" + b"\x00"
        b"\x08\x02" + b"\x2c\x01\0\0\x02\0\0\0"
    )


def test_what_is_not_there_is_not_found() -> None:
    none = Anatomy(Kind.NONE, 0, 10)
    opaque = Anatomy(Kind.OPAQUE, 0, 10, 0x7FE00010, 5, 1)
    bare = Anatomy(Kind.ENCAPSULATED, 0, 10, 0x7FE00010, 5, 1)
    for anatomy, number in ((none, 1), (opaque, 1), (opaque, 0), (opaque, -1), (bare, 1)):
        with pytest.raises(NotFound):
            anatomy.frame(number)
    with pytest.raises(NotFound):
        bare.frame_in(lambda offset, length: bytes(16)[:length], 1)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        b"\x02" * 12,
        b"\x01\x09\0\0\0\0\0\0\0",
        b"\x01\x02\x02\x01" + bytes(6) + b"\x05",
    ],
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedObject):
        Anatomy.decode(data)

"""Objects of gigabytes: only their headers are read, and they are streamed in bounded memory."""

from __future__ import annotations

import struct
import tracemalloc
from bisect import bisect_right
from itertools import islice

import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from tests.dicom.json_oracle import Comparison
from tests.dicom.objects import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, identified, image, to_bytes
from vna.dicom.anatomy import Kind
from vna.dicom.convert import explicit_le, stream
from vna.dicom.scan import scan

GIB = 1 << 30


def test_a_header_of_many_windows_is_read_as_pydicom_reads_it() -> None:
    made = identified(SpecificCharacterSet="ISO_IR 100")
    items = []
    for number in range(400):
        item = Dataset()
        item.PatientComments = "é" * (number % 997)
        item.add_new(0x00420011, "OB", bytes([number % 256]) * (number * 11 % 2600 & ~1))
        item.is_undefined_length_sequence_item = number % 3 == 0
        items.append(item)
    made.ContentSequence = items
    made.PixelData, made["PixelData"].VR = b"x" * 70_000, "OW"
    made.DataSetTrailingPadding = bytes(300)
    for undefined in (False, True):
        made["ContentSequence"].is_undefined_length = undefined
        for syntax in (EXPLICIT_LE, IMPLICIT_LE):
            comparison = Comparison(to_bytes(made, syntax))
            assert comparison.ours == comparison.theirs


class Sparse:
    """An object of which only some pieces are stored; the rest are zeros."""

    def __init__(self, pieces: dict[int, bytes], size: int) -> None:
        self._starts = sorted(pieces)
        self._pieces = pieces
        self.size = size
        self.bytes_read = 0

    def read(self, offset: int, length: int) -> bytes:
        length = max(0, min(length, self.size - offset))
        self.bytes_read += length
        out = bytearray(length)
        at = max(0, bisect_right(self._starts, offset) - 1)
        for start in self._starts[at:]:
            if start >= offset + length:
                break
            piece = self._pieces[start]
            begin, end = max(start, offset), min(start + len(piece), offset + length)
            if begin < end:
                out[begin - offset : end - offset] = piece[begin - start : end - start]
        return bytes(out)


def native(syntax: str, length: int) -> Sparse:
    """An image of one frame whose pixel data have `length` bytes, with an element after them."""
    made = identified(Rows=32768, Columns=length // 32768 // 2, BitsAllocated=16, SamplesPerPixel=1)
    made.add_new(0x7FE00010, "OW", b"\1\2\3\4")
    made.add_new(0xFFFCFFFC, "OB", b"tail")
    data = to_bytes(made, syntax)
    order = ">" if syntax == EXPLICIT_BE else "<"
    at = data.index(b"\1\2\3\4")
    head = data[: at - 4] + struct.pack(order + "I", length)
    pixels = at + length
    return Sparse(
        {0: head + b"\1\2\3\4", pixels - 4: b"\5\6\7\x08", pixels: data[at + 4 :]},
        len(data) - 4 + length,
    )


def extended(frames: int, length: int) -> tuple[Sparse, int]:
    """An image of encapsulated frames of `length` bytes with an Extended Offset Table; and where
    its first frame is."""
    table = struct.pack(f"<{frames}Q", *(n * (length + 8) for n in range(frames)))
    lengths = struct.pack(f"<{frames}Q", *[length] * frames)
    data = image(
        "1.2.840.10008.1.2.4.90",
        encapsulate([b"ab"], has_bot=False),
        frames=frames,
        ExtendedOffsetTable=table,
        ExtendedOffsetTableLengths=lengths,
    )
    first = data.index(b"ab") - 8
    pieces = {0: data[:first]}
    head = b"\xfe\xff\x00\xe0" + struct.pack("<I", length)
    for number in range(frames):
        at = first + number * (length + 8)
        pieces[at] = head + struct.pack("<Q", number)
    end = first + frames * (length + 8)
    pieces[end] = b"\xfe\xff\xdd\xe0\0\0\0\0"
    return Sparse(pieces, end + 8), first + 8


@pytest.mark.parametrize("syntax", [EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE])
def test_a_native_object_just_under_4_gib_is_scanned_by_its_header(syntax: str) -> None:
    source = native(syntax, 4 * GIB - 65536)
    found = scan(source)
    assert found.oddities == ()
    assert found.anatomy.kind is Kind.NATIVE
    [(offset, length)] = found.anatomy.frame(1)
    assert length == 4 * GIB - 65536
    assert source.read(offset, 4) == b"\1\2\3\4"
    assert source.read(found.anatomy.tail_offset - 4, 4) == b"\5\6\7\x08"
    assert source.bytes_read < 100_000


def test_an_encapsulated_object_beyond_4_gib_gives_each_frame() -> None:
    source, first = extended(frames=6, length=GIB)
    found = scan(source)
    assert found.oddities == ()
    assert found.anatomy.kind is Kind.ENCAPSULATED
    assert found.anatomy.frame(6) == [(first + 5 * (GIB + 8), GIB)]
    assert source.read(found.anatomy.frame(6)[0][0], 8) == struct.pack("<Q", 5)
    assert found.anatomy.tail_offset == source.size
    assert source.bytes_read < 100_000


def test_a_frame_table_of_many_frames_costs_little() -> None:
    source, first = extended(frames=20_000, length=1000)
    anatomy = scan(source).anatomy
    assert anatomy.frame(20_000) == [(first + 19_999 * 1008, 1000)]
    assert len(anatomy.encode()) < 20_000 * 4 + 64
    assert len(anatomy.encode(with_table=False)) < 64
    side = Sparse({0: anatomy.encode_table()}, len(anatomy.encode_table()))
    assert anatomy.without_table().frame_in(side.read, 20_000) == anatomy.frame(20_000)
    assert side.bytes_read < 100


def test_a_big_endian_object_is_converted_in_bounded_memory() -> None:
    source = native(EXPLICIT_BE, 256 << 20)
    found = scan(source)
    outgoing = explicit_le(source, found.header, found.anatomy, found.transfer_syntax)
    tracemalloc.start()
    try:
        size, last = 0, b""
        for piece in stream(source, found.anatomy, outgoing):
            size += len(piece)
            last = piece or last
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size == outgoing.size
    assert last.endswith(b"tail")
    assert peak < 32 << 20
    meta, header, pixels = islice(stream(source, found.anatomy, outgoing), 3)
    assert len(meta) + len(header) < 1000
    assert pixels.startswith(b"\2\1\4\3")

"""Frames of every bundled object against pydicom's; offset tables of every kind."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.encaps import encapsulate, encapsulate_extended, generate_fragments, generate_frames

from tests.dicom.bundled import by_pydicom, identifiable, name, scanned
from tests.dicom.objects import image, written
from vna.dicom.anatomy import Anatomy, Kind
from vna.dicom.inflate import InflatedSource
from vna.dicom.scan import Scan, scan
from vna.dicom.source import BytesSource, Source
from vna.errors import NotFound

RLE, JPEG, J2K = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90"
MPEG4 = "1.2.840.10008.1.2.4.102"


def frame(source: Source, anatomy: Anatomy, number: int) -> bytes:
    return b"".join(source.read(*where) for where in anatomy.frame(number))


def of_pixels(kind: Kind) -> list[Path]:
    found = []
    for path in identifiable():
        scan_ = scanned(path)
        if scan_ is not None and scan_.anatomy.kind is kind:
            found.append(path)
    return found


@pytest.mark.parametrize("path", of_pixels(Kind.ENCAPSULATED), ids=name)
def test_encapsulated_frames_are_those_of_pydicom(path: Path) -> None:
    data = path.read_bytes()
    anatomy, pixels = scan(BytesSource(data)).anatomy, by_pydicom(data)
    frames = int(pixels.get("NumberOfFrames") or 1)
    theirs = list(generate_frames(pixels.PixelData, number_of_frames=frames))
    assert anatomy.number_of_frames == len(theirs)
    assert [frame(BytesSource(data), anatomy, n + 1) for n in range(frames)] == theirs
    fragments = list(generate_fragments(pixels.PixelData))[1:]  # the first is the offset table
    assert b"".join(theirs) == b"".join(fragments)


@pytest.mark.parametrize("path", of_pixels(Kind.NATIVE), ids=name)
def test_native_frames_divide_the_pixel_data(path: Path) -> None:
    data = path.read_bytes()
    scanned_, pixels = scan(BytesSource(data)), by_pydicom(data)
    anatomy, source = scanned_.anatomy, _data_set(data, scanned_)
    length = anatomy.frame_bits // 8
    frames = [frame(source, anatomy, n + 1) for n in range(anatomy.number_of_frames)]
    assert anatomy.frame_bits % 8 == 0
    assert b"".join(frames) == pixels.PixelData[: len(frames) * length]
    assert len(pixels.PixelData) >= len(frames) * length or "short-pixel-data" in scanned_.oddities
    with pytest.raises(NotFound):
        anatomy.frame(anatomy.number_of_frames + 1)


def _data_set(data: bytes, scanned_: Scan) -> Source:
    source = BytesSource(data)
    return InflatedSource(source, scanned_.dataset_offset) if scanned_.deflated else source


FRAMES = [b"\xff\xd8" + bytes([n]) * (50 + 7 * n) + b"\xff\xd9" for n in range(1, 6)]


def test_frames_of_one_fragment_without_offset_table() -> None:
    data = image(JPEG, encapsulate(FRAMES, has_bot=False), frames=5)
    _gives_even(data, FRAMES)


def test_frames_of_several_fragments_by_the_basic_offset_table() -> None:
    data = image(JPEG, encapsulate(FRAMES, fragments_per_frame=3), frames=5)
    _gives_even(data, FRAMES)


def test_frames_by_the_extended_offset_table() -> None:
    pixels, offsets, lengths = encapsulate_extended(FRAMES)
    data = image(
        JPEG, pixels, frames=5, ExtendedOffsetTable=offsets, ExtendedOffsetTableLengths=lengths
    )
    _gives_even(data, FRAMES)


@pytest.mark.parametrize("syntax", [JPEG, J2K])
def test_codestreams_in_several_fragments_without_table_are_told_by_their_marks(
    syntax: str,
) -> None:
    start = b"\xff\xd8" if syntax == JPEG else b"\xff\x4f\xff\x51"
    frames = [start + bytes([n]) * 60 + b"\xff\xd9" for n in range(1, 6)]
    data = image(syntax, encapsulate(frames, fragments_per_frame=2, has_bot=False), frames=5)
    _gives_even(data, frames)


def test_a_video_is_one_frame_of_all_its_fragments() -> None:
    pixels = encapsulate([b"ab" * 20, b"cd" * 30], has_bot=False)
    anatomy = scan(BytesSource(data := image(MPEG4, pixels, frames=300))).anatomy
    assert frame(BytesSource(data), anatomy, 1) == b"ab" * 20 + b"cd" * 30
    assert anatomy.number_of_frames == 1


def test_fragments_that_cannot_be_divided_are_opaque_and_said_to_be() -> None:
    found = scan(BytesSource(image(RLE, encapsulate([b"x" * 10] * 2), frames=3)))
    assert found.anatomy.kind is Kind.OPAQUE
    assert found.oddities == ("frames-unknown", "offset-table-wrong")
    with pytest.raises(NotFound):
        found.anatomy.frame(1)


def test_a_wrong_offset_table_is_ignored_and_said_to_be() -> None:
    pixels = bytearray(encapsulate(FRAMES, fragments_per_frame=1))
    pixels[12] += 2  # the second offset
    found = scan(BytesSource(data := image(JPEG, bytes(pixels), frames=5)))
    assert found.oddities == ("offset-table-wrong",)
    _gives_even(data, FRAMES)


def test_frames_of_single_bits_begin_inside_a_byte() -> None:
    data = written(
        Rows=3,
        Columns=3,
        BitsAllocated=1,
        SamplesPerPixel=1,
        NumberOfFrames=3,
        PixelData=b"\x01\x02\x03\x04",
    )
    anatomy = scan(BytesSource(data)).anatomy
    assert [anatomy.first_bit(n) for n in (1, 2, 3)] == [0, 1, 2]
    assert [frame(BytesSource(data), anatomy, n) for n in (1, 2, 3)] == [
        b"\x01\x02",
        b"\x02\x03",
        b"\x03\x04",
    ]


def test_native_422_keeps_two_bytes_a_pixel() -> None:
    data = written(
        Rows=2,
        Columns=2,
        BitsAllocated=8,
        SamplesPerPixel=3,
        PhotometricInterpretation="YBR_FULL_422",
        PixelData=b"12345678",
    )
    assert scan(BytesSource(data)).anatomy.frame_bits == 64


def test_a_frame_that_the_object_breaks_off_in_is_given_as_far_as_it_goes() -> None:
    data = written(Rows=2, Columns=2, BitsAllocated=16, SamplesPerPixel=1, PixelData=b"12345678")
    found = scan(BytesSource(data[:-3]))
    assert found.oddities == ("short-pixel-data", "truncated-pixel-data")
    assert frame(BytesSource(data), found.anatomy, 1) == b"12345"


def _gives_even(data: bytes, frames: list[bytes]) -> None:
    """Frames, each padded to an even number of bytes as its fragments are, by both tables."""
    anatomy = scan(BytesSource(data)).anatomy
    padded = [one + b"\0" * (len(one) % 2) for one in frames]
    source = BytesSource(data)
    side = BytesSource(anatomy.encode_table())
    bare = Anatomy.decode(anatomy.encode(with_table=False))
    for number, whole in enumerate(padded, start=1):
        assert frame(source, anatomy, number) == whole
        assert bare.frame_in(side.read, number) == anatomy.frame(number)
    assert Anatomy.decode(anatomy.encode()) == anatomy

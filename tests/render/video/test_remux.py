"""Bare H.264 in MPEG-4: the same units, each picture at its time, any range of the file."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.render.video.streams import OPEN, REORDERED, SLICED
from vna.dicom.source import BytesSource
from vna.errors import Undecodable
from vna.render.video import remux
from vna.render.video.container import Container, container_of
from vna.render.video.remux import Mp4, to_mp4, units

STREAMS = {"reordered": REORDERED, "sliced": SLICED, "open": OPEN}


def made(stream: bytes, rate: Fraction | None = None) -> tuple[Mp4, bytes]:
    """The file of a stream, as a plan and as bytes."""
    source = BytesSource(stream)
    found = to_mp4(source, rate)
    whole = b"".join(found.read(source, 0))
    assert len(whole) == found.size
    return found, whole


_CONTAINERS = (b"moov", b"trak", b"edts", b"mdia", b"minf", b"dinf", b"stbl")


def boxes(data: bytes, at: int = 0, end: int | None = None) -> Iterator[tuple[bytes, bytes]]:
    """Every box of an MPEG-4 file with its content, containers opened."""
    end = len(data) if end is None else end
    while at < end:
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        assert 8 <= size <= end - at
        if kind in _CONTAINERS:
            yield from boxes(data, at + head, at + size)
        else:
            yield kind, data[at + head : at + size]
        at += size


def table(content: bytes, form: str, skip: int = 4) -> list[tuple[int, ...]]:
    (count,) = struct.unpack_from(">I", content, skip)
    return list(struct.iter_unpack(">" + form, content[skip + 4 :]))[:count]


def times(found: dict[bytes, bytes]) -> list[Fraction]:
    """When each picture is shown, in the order of coding."""
    (scale,) = struct.unpack_from(">I", found[b"mdhd"], 20)
    ((count, step),) = table(found[b"stts"], "II")
    delays = [
        delay for long, delay in table(found.get(b"ctts", bytes(8)), "II") for _ in range(long)
    ]
    (begin,) = struct.unpack_from(">q", found[b"elst"], 16)
    delays = delays or [0] * count
    return [Fraction(at * step + delays[at] - begin, scale) for at in range(count)]


@pytest.mark.parametrize("name", STREAMS)
def test_the_pictures_hold_the_units_of_the_stream_and_nothing_else(name: str) -> None:
    _, whole = made(STREAMS[name])
    found = dict(boxes(whole))
    (offset,) = struct.unpack_from(">Q", found[b"co64"], 8)
    assert whole[offset - 12 : offset - 8] == b"mdat"
    ours = []
    for (size,) in table(found[b"stsz"], "I", skip=8):
        end = offset + size
        while offset < end:
            (length,) = struct.unpack_from(">I", whole, offset)
            ours.append(whole[offset + 4 : offset + 4 + length])
            offset += 4 + length
        assert offset == end
    assert offset == len(whole)
    stream = STREAMS[name]
    theirs = [stream[at : at + length] for at, length in units(BytesSource(stream))]
    assert ours == [each for each in theirs if each[0] & 31 not in (7, 8)]
    assert all(each in found[b"stsd"] for each in theirs if each[0] & 31 in (7, 8))


def test_pictures_are_shown_in_their_order_though_they_are_coded_in_another() -> None:
    # as ffprobe says of the files
    reordered = [0, 3, 1, 2, 5, 4, 6, 9, 7, 8, 11, 10]
    assert [each * 25 for each in times(dict(boxes(made(REORDERED)[1])))] == reordered
    opened = [0, 4, 2, 1, 3, 6, 5, 10, 8, 7, 9, 11]
    found = times(dict(boxes(made(OPEN)[1])))
    assert [each * Fraction(30000, 1001) for each in found] == opened


def test_a_player_can_begin_at_the_pictures_that_need_none_before() -> None:
    for stream, keys in ((REORDERED, [1, 7]), (OPEN, [1, 6]), (SLICED, [1])):
        assert [each for (each,) in table(dict(boxes(made(stream)[1]))[b"stss"], "I")] == keys


def test_size_and_rate_are_those_of_the_stream() -> None:
    found = dict(boxes(made(REORDERED, Fraction(25))[1]))
    assert struct.unpack_from(">II", found[b"tkhd"], 88) == (64 << 16, 48 << 16)
    assert struct.unpack_from(">IQ", found[b"mdhd"], 20) == (25, 12)
    rounded = dict(boxes(made(OPEN, Fraction(30))[1]))
    assert struct.unpack_from(">IQ", rounded[b"mdhd"], 20) == (30000, 12 * 1001)
    slow = dict(boxes(made(OPEN, Fraction(10))[1]))
    assert struct.unpack_from(">IQ", slow[b"mdhd"], 20) == (10, 12)


@given(st.sampled_from(sorted(STREAMS)), st.integers(0, 3500), st.integers(0, 300))
@settings(max_examples=150, deadline=None)
def test_any_range_is_that_part_of_the_file(name: str, start: int, length: int) -> None:
    source = BytesSource(STREAMS[name])
    found, whole = made(STREAMS[name])
    assert b"".join(found.read(source, start, length)) == whole[start : start + length]
    assert Mp4.decode(found.encode()) == found


@given(st.sampled_from([3, 5, 64, 1000]))
@settings(max_examples=4, deadline=None)
def test_how_the_stream_is_read_does_not_matter(window: int) -> None:
    before = remux.WINDOW
    expected = made(REORDERED)
    try:
        remux.WINDOW = window
        assert made(REORDERED) == expected
    finally:
        remux.WINDOW = before


def test_stuffing_between_units_is_left_out() -> None:
    padded = REORDERED.replace(b"\0\0\0\1", b"\0\0\0\0\0\1") + bytes(200)
    assert made(padded)[1] == made(REORDERED)[1]


@given(
    st.sampled_from(sorted(STREAMS)),
    st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 255)), max_size=8),
    st.integers(0, 2000),
)
@settings(max_examples=200, deadline=None)
def test_a_broken_stream_is_refused_or_put_into_a_sound_file(
    name: str, changes: list[tuple[int, int]], length: int
) -> None:
    stream = bytearray(STREAMS[name][: length or None])
    for at, byte in changes:
        if at < len(stream):
            stream[at] = byte
    try:
        _, whole = made(bytes(stream))
    except Undecodable:
        return
    found = dict(boxes(whole))
    sizes = [each for (each,) in table(found[b"stsz"], "I", skip=8)]
    assert sum(sizes) == len(found[b"mdat"])
    shown = times(found)
    assert len(set(shown)) == len(shown) == len(sizes)
    assert min(shown) == 0


@pytest.mark.parametrize(
    ("start", "container"),
    [
        (b"\0\0\0\x18ftypisom", Container.MP4),
        (b"\0\0\0\x14ftypqt  ", Container.QUICKTIME),
        (b"\0\0\0\x08wide\0\0\0\0mdat", Container.QUICKTIME),
        ((b"\x47" + bytes(187)) * 4, Container.MPEG_TS),
        (b"\0\0\1\xba\x44", Container.MPEG),
        (b"\0\0\1\xb3\x14", Container.MPEG),
        (b"\0\0\0\1\x40\1\x0c\1", Container.HEVC),
        (b"\0\0\1\x46\1\x10", Container.HEVC),
        (REORDERED, Container.H264),
        (b"\0\0\0\1\x09\xf0\0\0\0\1\x67", Container.H264),
        (b"\x1a\x45\xdf\xa3", Container.MATROSKA),
        (b"RIFF....AVI ", Container.UNKNOWN),
        (b"", Container.UNKNOWN),
        (bytes(4096), Container.UNKNOWN),
        (b"\0\0\1", Container.UNKNOWN),
    ],
)
def test_a_container_is_told_by_its_first_bytes(start: bytes, container: Container) -> None:
    assert container_of(start) is container

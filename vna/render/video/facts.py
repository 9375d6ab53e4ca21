"""What a video is, for a data set that does not say it: transfer syntax, size, number of pictures.

Read from the headers of the container and of the stream; no picture is decoded. The transfer
syntaxes of PS3.5 §8.2.5 to §8.2.8 are told by profile and level.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from struct import error as out_of_data
from struct import unpack_from

from vna.dicom.source import Source
from vna.errors import Undecodable
from vna.render.video import h264
from vna.render.video.container import SNIFFED, Container, container_of

_ROOT = "1.2.840.10008.1.2.4."
_SEARCHED = 1 << 20  # bytes in which the first headers lie
_TABLE_MOST = 64 << 20  # bytes of one description in an MPEG-4 file
_PATH = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
_MPEG2, _AVC, _HEVC = "ISO_13818_2", "ISO_14496_10", "ISO_23008_2"
_STEREO, _MULTIVIEW = 128, 118


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """`syntaxes`: that hold it, the usual one first; none where DICOM has none for its level.
    `bits`: of a sample. `frames`: None where nothing counts them. `method`: (0028,2114)."""

    syntaxes: tuple[str, ...]
    rows: int
    columns: int
    bits: int
    frames: int | None
    method: str


def video_facts(source: Source) -> VideoFacts:
    """The facts of the first video track. Raises `Undecodable` where it is none that is known."""
    container = container_of(source.read(0, SNIFFED))
    try:
        if container in (Container.MP4, Container.QUICKTIME):
            return _of_track(source)
        start = source.read(0, _SEARCHED)
        if container in (Container.MPEG, Container.MPEG_TS) and b"\0\0\1\xb3" in start:
            return _mpeg2(start)
        if container is Container.H264:
            return _bare_h264(start)
    except (out_of_data, IndexError) as error:
        raise Undecodable("the video breaks off in a header") from error
    raise Undecodable(f"nothing is read of a video that is {container.value}")


def _of_track(source: Source) -> VideoFacts:
    for description, count in _tracks(source):
        kind = description[12:16]
        rows, columns = unpack_from(">HH", description, 8 + 8 + 24)[::-1]
        inner = dict(_boxes_of(description, 8 + 8 + 78))
        if kind in (b"avc1", b"avc3") and b"avcC" in inner:
            record = inner[b"avcC"]
            length = int.from_bytes(record[6:8], "big")
            return _h264(h264.sequence(record[8 : 8 + length]), count)
        if kind in (b"hvc1", b"hev1") and b"hvcC" in inner:
            record = inner[b"hvcC"]
            profile, level, bits = record[1] & 31, record[12], 8 + (record[17] & 7)
            return VideoFacts(_hevc(profile, level), rows, columns, bits, count, _HEVC)
    raise Undecodable("the MPEG-4 file has no track of H.264 or H.265")


def _tracks(source: Source) -> Iterator[tuple[bytes, int | None]]:
    """Yield (content of `stsd`, samples) of each track."""
    places = [(0, source.size)]
    for kind in _PATH:
        places = [
            (begin, end)
            for outer in places
            for found, begin, end in _boxes(source, *outer)
            if found == kind
        ]
    for begin, end in places:
        inside = {kind: (first, last) for kind, first, last in _boxes(source, begin, end)}
        if b"stsd" not in inside:
            continue
        first, last = inside[b"stsd"]
        if last - first > _TABLE_MOST:
            raise Undecodable("the MPEG-4 file has a description that is too large")
        sizes = inside.get(b"stsz") or inside.get(b"stz2")
        count = int.from_bytes(source.read(sizes[0] + 8, 4), "big") if sizes else 0
        yield source.read(first, last - first), count or None  # none: it comes in fragments


def _boxes(source: Source, begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, first byte, end) of the content of each box in a range."""
    while begin + 8 <= end:
        head = source.read(begin, 16)
        length, kind = unpack_from(">I4s", head)
        size = 8
        if length == 1:
            (length,) = unpack_from(">Q", head, 8)
            size = 16
        elif length == 0:
            length = end - begin
        if length < size or begin + length > end:
            raise Undecodable("the MPEG-4 file breaks off, or a box of it is not what it says")
        yield kind, begin + size, begin + length
        begin += length


def _boxes_of(data: bytes, begin: int) -> Iterator[tuple[bytes, bytes]]:
    while begin + 8 <= len(data):
        length, kind = unpack_from(">I4s", data, begin)
        if length < 8:
            return
        yield kind, data[begin + 8 : begin + length]
        begin += length


def _h264(found: h264.Sequence, count: int | None) -> VideoFacts:
    profile, level = found.unit[1], found.unit[3]
    return VideoFacts(
        _avc(profile, level, found.luma_bits),
        found.height,
        found.width,
        found.luma_bits,
        count,
        _AVC,
    )


def _avc(profile: int, level: int, bits: int) -> tuple[str, ...]:
    suffixes: tuple[str, ...]
    if profile in (_STEREO, _MULTIVIEW):
        suffixes = ("106", "105") if profile == _STEREO else ("105",)
    elif profile > 100 or bits > 8 or level > 42:
        suffixes = ()
    else:  # Baseline, Main and High: a decoder of High reads them all
        suffixes = ("102", "103", "104", "105") if level <= 41 else ("104", "105")
    return _fragmentable(suffixes)


def _hevc(profile: int, level: int) -> tuple[str, ...]:
    if level > 153 or profile not in (1, 2):
        return ()
    return tuple(_ROOT + each for each in (("107", "108") if profile == 1 else ("108",)))


def _fragmentable(suffixes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_ROOT + each + more for more in ("", ".1") for each in suffixes)


def _bare_h264(start: bytes) -> VideoFacts:
    at = 0
    while (at := start.find(b"\0\0\1", at)) >= 0:
        at += 3
        if at < len(start) and start[at] & 31 == h264.SPS:
            end = start.find(b"\0\0\1", at)
            return _h264(h264.sequence(start[at : end if end >= 0 else len(start)]), None)
    raise Undecodable("the H.264 stream begins without its parameters")


def _mpeg2(start: bytes) -> VideoFacts:
    """Sequence header and extension (ISO/IEC 13818-2 §6.2.2)."""
    at = start.index(b"\0\0\1\xb3") + 4
    size = int.from_bytes(start[at : at + 3], "big")
    columns, rows = size >> 12, size & 0xFFF
    extension = start.find(b"\0\0\1\xb5", at)
    if extension < 0:
        raise Undecodable("the video is MPEG-1, which has no transfer syntax")
    (word,) = unpack_from(">I", start, extension + 4)
    profile, level = word >> 24 & 7, word >> 20 & 15
    columns |= (word >> 15 & 3) << 12
    rows |= (word >> 13 & 3) << 12
    if profile not in (4, 5):  # Main, Simple
        return VideoFacts((), rows, columns, 8, None, _MPEG2)
    suffixes = ("100", "101") if level in (8, 10) else ("101",)
    return VideoFacts(_fragmentable(suffixes), rows, columns, 8, None, _MPEG2)

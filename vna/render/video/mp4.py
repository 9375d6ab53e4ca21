"""The head of an MPEG-4 file with one H.264 track (ISO/IEC 14496-12, -14, -15).

Everything that describes stands before the pictures, which follow as one chunk: a player can begin
with the first bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from vna.errors import Undecodable
from vna.render.video import h264

_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_SCALE_MOST = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Track:
    """`sizes`: bytes of each picture, in the order of coding, `shown`: its place in the order of
    showing. `keys`: pictures from 1 at which decoding can begin."""

    sequences: Sequence[h264.Sequence]
    picture_sets: Sequence[bytes]
    rate: Fraction
    sizes: Sequence[int]
    keys: Sequence[int]
    shown: Sequence[int]

    @property
    def step(self) -> int:
        """Ticks from one picture to the next."""
        return self.rate.denominator

    @property
    def scale(self) -> int:
        """Ticks a second."""
        return self.rate.numerator


def head_of(track: Track) -> bytes:
    """`ftyp`, `moov` and the beginning of `mdat`. Raises `Undecodable`."""
    if not 0 < track.scale <= _SCALE_MOST or track.step > _SCALE_MOST:
        raise Undecodable("the video has no rate that MPEG-4 can say")
    kind = _box(b"ftyp", b"isom", struct.pack(">I", 512), b"isomiso2avc1mp41")
    media = struct.pack(">I4sQ", 1, b"mdat", 16 + sum(track.sizes))
    size = len(kind) + len(_movie(track, 0)) + len(media)
    return kind + _movie(track, size) + media


def _movie(track: Track, offset: int) -> bytes:
    duration = len(track.sizes) * track.step
    header = struct.pack(">QQIQ", 0, 0, track.scale, duration)
    rest = struct.pack(">IH10x", 0x10000, 0x100) + _MATRIX + bytes(24) + struct.pack(">I", 2)
    return _box(
        b"moov", _full(b"mvhd", 1, 0, header, rest), _box(b"trak", *_track(track, duration, offset))
    )


def _track(track: Track, duration: int, offset: int) -> Iterable[bytes]:
    first = track.sequences[0]
    header = struct.pack(">QQI4xQ8x4H", 0, 0, 1, duration, 0, 0, 0, 0) + _MATRIX
    yield _full(b"tkhd", 1, 3, header, struct.pack(">II", first.width << 16, first.height << 16))
    # The first picture shown is at 0, however long its decoding had to wait.
    edit = struct.pack(">IQqHH", 1, duration, _delay(track) * track.step, 1, 0)
    yield _box(b"edts", _full(b"elst", 1, 0, edit))
    handler = struct.pack(">I4s12x", 0, b"vide") + b"Video\0"
    yield _box(
        b"mdia",
        _full(b"mdhd", 1, 0, struct.pack(">QQIQHH", 0, 0, track.scale, duration, 0x55C4, 0)),
        _full(b"hdlr", 0, 0, handler),
        _box(
            b"minf",
            _full(b"vmhd", 0, 1, bytes(8)),
            _box(b"dinf", _full(b"dref", 0, 0, struct.pack(">I", 1), _full(b"url ", 0, 1))),
            _box(b"stbl", *_table(track, offset)),
        ),
    )


def _table(track: Track, offset: int) -> Iterable[bytes]:
    count = len(track.sizes)
    yield _full(b"stsd", 0, 0, struct.pack(">I", 1), _entry(track))
    yield _full(b"stts", 0, 0, struct.pack(">III", 1, count, track.step))
    delays = [shown - at + _delay(track) for at, shown in enumerate(track.shown)]
    if any(delays):
        runs = [(sum(1 for _ in run), each) for each, run in groupby(delays)]
        pairs = b"".join(struct.pack(">II", long, each * track.step) for long, each in runs)
        yield _full(b"ctts", 0, 0, struct.pack(">I", len(runs)), pairs)
    if len(track.keys) < count:
        yield _full(b"stss", 0, 0, struct.pack(f">I{len(track.keys)}I", len(track.keys),
                                               *track.keys))  # fmt: skip
    yield _full(b"stsc", 0, 0, struct.pack(">IIII", 1, 1, count, 1))
    yield _full(b"stsz", 0, 0, struct.pack(f">II{count}I", 0, count, *track.sizes))
    yield _full(b"co64", 0, 0, struct.pack(">IQ", 1, offset))


def _delay(track: Track) -> int:
    """Pictures that decoding must be ahead of showing."""
    return max(at - shown for at, shown in enumerate(track.shown))


def _entry(track: Track) -> bytes:
    first = track.sequences[0]
    visual = struct.pack(
        ">6xH16xHHIII H32xHh".replace(" ", ""), 1, first.width, first.height, 0x480000, 0x480000,
        0, 1, 24, -1,
    )  # fmt: skip
    return _box(b"avc1", visual, _box(b"avcC", _configuration(track)))


def _configuration(track: Track) -> bytes:
    """AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1)."""
    first = track.sequences[0]
    if len(track.sequences) > 31 or len(track.picture_sets) > 255:
        raise Undecodable("the H.264 stream has too many parameter sets")
    units = [each.unit for each in track.sequences]
    made = struct.pack(">B3sB", 1, first.unit[1:4], 0xFF)
    made += bytes((0xE0 | len(units),)) + b"".join(map(_counted, units))
    made += bytes((len(track.picture_sets),)) + b"".join(map(_counted, track.picture_sets))
    if first.high:
        depths = (0xF8 | first.luma_bits - 8, 0xF8 | first.chroma_bits - 8)
        made += bytes((0xFC | first.chroma, *depths, 0))
    return made


def _counted(unit: bytes) -> bytes:
    return struct.pack(">H", len(unit)) + unit


def _full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *parts)


def _box(kind: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), kind) + content

"""Bare H.264 as MPEG-4: one pass finds the units, then every byte of the file can be given.

The file is made of a head and of ranges of the stored stream, so that a video of gigabytes is
neither copied nor kept. What cannot be done truly is refused: interlaced fields, pictures of order
count type 1, parameter sets that change on the way.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import accumulate

from vna.dicom.source import Source
from vna.errors import Undecodable
from vna.render.video import h264
from vna.render.video.mp4 import Track, head_of

WINDOW = 1 << 20  # bytes read at once
UNITS_MOST = 8_000_000  # NAL units: 160 MB of table
_HEAD_MOST = 4096  # bytes of a parameter set or message that are looked at
_SLICE_HEAD = 64
_LENGTH = 4  # bytes of length before each unit
_START = b"\0\0\1"


@dataclass(frozen=True)
class Mp4:
    """`head`: everything before the units. `offsets`, `lengths`: of each unit in the stream."""

    head: bytes
    offsets: array[int]
    lengths: array[int]
    _ends: array[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ends = accumulate((_LENGTH + each for each in self.lengths), initial=len(self.head))
        object.__setattr__(self, "_ends", array("Q", ends))

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._ends[-1]

    def read(self, source: Source, start: int, length: int | None = None) -> Iterator[bytes]:
        """Yield bytes [start, start + length) of the file; `source`: the stored stream."""
        end = self.size if length is None else min(self.size, start + length)
        if start < min(end, len(self.head)):
            yield self.head[start : min(end, len(self.head))]
        at = max(start, len(self.head))
        place = max(0, bisect_right(self._ends, at) - 1)
        while at < end:
            begin = self._ends[place]
            skip = at - begin
            if skip < _LENGTH:
                prefix = self.lengths[place].to_bytes(_LENGTH, "big")
                yield prefix[skip : min(_LENGTH, end - begin)]
                skip = _LENGTH
            stop = min(self._ends[place + 1], end) - begin
            while skip < stop:
                piece = source.read(self.offsets[place] + skip - _LENGTH, min(WINDOW, stop - skip))
                if not piece:
                    return
                yield piece
                skip += len(piece)
            at = self._ends[place + 1]
            place += 1

    def encode(self) -> bytes:
        """Bytes for keeping; `decode` reads them."""
        count = len(self.lengths).to_bytes(8, "little")
        return count + _little(self.offsets) + _little(self.lengths) + self.head

    @classmethod
    def decode(cls, data: bytes) -> Mp4:
        """What `encode` wrote."""
        count = int.from_bytes(data[:8], "little")
        middle, end = 8 + 8 * count, 8 + 12 * count
        return cls(data[end:], _array("Q", data[8:middle]), _array("I", data[middle:end]))


def to_mp4(source: Source, rate: Fraction | None) -> Mp4:
    """The file of a bare stream. `rate`: pictures a second by the data set, which the stream's own
    only makes more exact. Raises `Undecodable`."""
    reader = _Reader(source)
    for offset, length in units(source):
        reader.take(offset, length)
    return reader.finish(rate)


def units(source: Source) -> Iterator[tuple[int, int]]:
    """Yield (offset, length) of every NAL unit, start codes and stuffing left out (§B.1)."""
    begin = -1
    for at in _starts(source):
        if begin >= 0:
            yield from _unit(source, begin, at)
        begin = at + len(_START)
    if begin >= 0:
        yield from _unit(source, begin, source.size)


def _starts(source: Source) -> Iterator[int]:
    position, kept = 0, b""
    while position < source.size:
        data = kept + source.read(position, WINDOW)
        if len(data) == len(kept):
            return
        base = position - len(kept)
        at = data.find(_START)
        while at >= 0:
            yield base + at
            at = data.find(_START, at + 3)
        position = base + len(data)
        kept = data[-2:]


def _unit(source: Source, begin: int, end: int) -> Iterator[tuple[int, int]]:
    while end > begin:
        tail = source.read(max(begin, end - 64), min(64, end - begin))
        shorter = tail.rstrip(b"\0")
        end -= len(tail) - len(shorter)
        if shorter or not tail:
            break
    if end > begin:
        yield begin, end - begin


class _Reader:
    """Puts units into pictures, and pictures into time."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._sequences: dict[int, h264.Sequence] = {}
        self._pictures: dict[int, int] = {}
        self._picture_units: dict[int, bytes] = {}
        self._offsets, self._lengths = array("Q"), array("I")
        self._sizes = array("I")  # bytes of each picture
        self._keys = array("I")  # pictures at which decoding can begin, from 1
        self._order = array("q")  # picture order count of each picture
        self._before = array("Q"), array("I")  # units that belong to the picture to come
        self._recovers = False
        self._high, self._low = 0, 0  # order count of the last reference picture
        self._sequence_start = 0
        self._shown = array("Q")  # place in time of each picture

    def take(self, offset: int, length: int) -> None:
        kind = self._source.read(offset, 1)[0] & 31
        if kind in (h264.SPS, h264.PPS):
            self._parameters(kind, self._source.read(offset, min(length, _HEAD_MOST)))
            return
        if kind in (h264.SLICE, h264.IDR):
            self._slice(offset, length)
        elif kind in (2, 3, 4):
            raise Undecodable("H.264 with data partitions is not put into MPEG-4")
        elif kind == h264.SEI:
            self._recovers |= h264.recovers(self._source.read(offset, min(length, _HEAD_MOST)))
            self._wait(offset, length)
        elif kind < 12 and kind != h264.DELIMITER:
            pass  # end of sequence or stream
        elif kind in (14, 15, 20):
            raise Undecodable("H.264 with several layers is not put into MPEG-4")

    def finish(self, rate: Fraction | None) -> Mp4:
        if not self._sizes or not self._sequences:
            raise Undecodable("the H.264 stream has no picture")
        self._end_sequence()
        sequences = list(self._sequences.values())
        if len({(each.width, each.height) for each in sequences}) > 1:
            raise Undecodable("the H.264 stream changes its size")
        track = Track(
            sequences,
            list(self._picture_units.values()),
            _rate(rate, sequences[0].rate),
            self._sizes,
            self._keys,
            self._shown,
        )
        return Mp4(head_of(track), self._offsets, self._lengths)

    def _parameters(self, kind: int, unit: bytes) -> None:
        if kind == h264.SPS:
            found = h264.sequence(unit)
            known = self._sequences.setdefault(found.number, found)
            same = known.unit == unit
        else:
            number, within = h264.picture_set(unit)
            same = self._picture_units.setdefault(number, unit) == unit
            self._pictures[number] = within
        if not same:
            raise Undecodable("the H.264 stream changes its parameters")

    def _wait(self, offset: int, length: int) -> None:
        self._before[0].append(offset)
        self._before[1].append(length)

    def _slice(self, offset: int, length: int) -> None:
        head = self._source.read(offset, min(length, _SLICE_HEAD))
        found = h264.picture(head, self._sequences, self._pictures)
        if found.first:
            self._begin(found)
        elif not self._sizes:
            raise Undecodable("the H.264 stream begins inside a picture")
        for each in (*zip(*self._before, strict=True), (offset, length)):
            self._append(*each)
        self._before = array("Q"), array("I")

    def _append(self, offset: int, length: int) -> None:
        if len(self._lengths) >= UNITS_MOST:
            raise Undecodable("the H.264 stream has too many units to be put into MPEG-4")
        self._offsets.append(offset)
        self._lengths.append(length)
        self._sizes[-1] += _LENGTH + length

    def _begin(self, found: h264.Picture) -> None:
        if found.key:
            self._end_sequence()
            self._high = self._low = 0
        self._sizes.append(0)
        if found.key or self._recovers:
            self._keys.append(len(self._sizes))
        self._recovers = False
        self._order.append(self._count(found))

    def _count(self, found: h264.Picture) -> int:
        """The picture order count (§8.2.1.1); in the order of coding where type 2 says so."""
        (within, *_) = self._sequences.values()
        if within.order_type == 2:
            return len(self._order)
        span = 1 << within.order_bits
        high = self._high
        if found.order < self._low and self._low - found.order >= span // 2:
            high += span
        elif found.order > self._low and found.order - self._low > span // 2:
            high -= span
        if found.reference:
            self._high, self._low = high, found.order
        return high + found.order

    def _end_sequence(self) -> None:
        """Pictures between two that forget all before are shown by their order counts."""
        counts = self._order[self._sequence_start :]
        places = [0] * len(counts)
        for place, at in enumerate(sorted(range(len(counts)), key=counts.__getitem__)):
            places[at] = self._sequence_start + place
        self._shown.extend(places)
        self._sequence_start = len(self._order)


def _rate(stated: Fraction | None, own: Fraction | None) -> Fraction:
    """Data sets round (30 for 29.97): the stream's own rate counts where it is nearly the same."""
    if own is not None and (stated is None or abs(own / stated - 1) < Fraction(2, 100)):
        return own
    return stated or Fraction(25)


def _little(numbers: array[int]) -> bytes:
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


def _array(code: str, data: bytes) -> array[int]:
    numbers: array[int] = array(code, data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers

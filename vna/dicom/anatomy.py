"""Where the header, the pixel data and each frame lie inside an object (PS3.5 §8, §A.4).

All offsets are bytes of the object, except where the data set is deflated: then those of pixel data
and frames count in the inflated data set (`vna.dicom.inflate`), and `dataset_offset` says where in
the object the deflated stream begins.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property
from itertools import accumulate, pairwise
from struct import unpack

from vna.dicom.varint import put, take
from vna.errors import MalformedObject, NotFound

_VERSION = 1
_PIXEL_TAGS = (0, 0x7FE00010, 0x7FE00008, 0x7FE00009)
_ITEM_HEAD = 8  # bytes of tag and length before each fragment
_DEFLATED, _HAS_TABLE, _COUNTED = 1, 2, 4
_SIDE_HEAD = 16


class Kind(IntEnum):
    """How the pixel data lie in the object."""

    NONE = 0
    NATIVE = 1  # frames follow each other without a gap, of `frame_bits` each
    ENCAPSULATED = 2  # frames are whole fragments
    OPAQUE = 3  # pixel data are there, but cannot be divided into frames


@dataclass(frozen=True)
class FrameTable:
    """The fragments of encapsulated pixel data, in order, and how many make each frame.

    `first`: bytes from the value's beginning to the first item after the offset table.
    `lengths`: of each fragment; every one has an item head of 8 bytes before it.
    `counts`: fragments of each frame, or None where every frame is one fragment.
    """

    first: int
    lengths: array[int]
    counts: array[int] | None = None

    @property
    def frames(self) -> int:
        """Number of frames that the table knows."""
        return len(self.lengths if self.counts is None else self.counts)

    @cached_property
    def heads(self) -> array[int]:
        """Offset of each fragment's item head from the value's beginning, and of what follows."""
        steps = (length + _ITEM_HEAD for length in self.lengths)
        return array("Q", accumulate(steps, initial=self.first))

    @cached_property
    def firsts(self) -> array[int]:
        """Index of each frame's first fragment, and the number of fragments; empty where every
        frame is one fragment."""
        return array("I", accumulate(self.counts, initial=0) if self.counts else ())

    def ranges(self, index: int) -> list[tuple[int, int]]:
        """(offset from the value's beginning, length) of the fragments of 0-based frame `index`."""
        begin, end = (
            (self.firsts[index], self.firsts[index + 1]) if self.firsts else (index, index + 1)
        )
        return _between(self.heads[begin : end + 1])


@dataclass(frozen=True, slots=True)
class Anatomy:
    """See the module.  `header_length`: from `dataset_offset` (or the inflated beginning) to the
    pixel data's value, or to the end where there is none.  `frame_bits`: of one native frame;
    1-bit frames may begin inside a byte, see `first_bit`.  `table`: of encapsulated pixel data,
    None where it was stored apart."""

    kind: Kind
    dataset_offset: int
    header_length: int
    pixel_tag: int = 0
    pixel_length: int = 0
    number_of_frames: int = 0
    frame_bits: int = 0
    deflated: bool = False
    table: FrameTable | None = None

    @property
    def pixel_offset(self) -> int:
        """First byte of the pixel data's value; of encapsulated data, its first item tag."""
        return self.header_length + (0 if self.deflated else self.dataset_offset)

    @property
    def tail_offset(self) -> int:
        """First byte after the pixel data's value and its delimiter."""
        return self.pixel_offset + self.pixel_length

    def frame(self, number: int) -> list[tuple[int, int]]:
        """(offset, length) of the byte ranges of frame `number`, from 1; item heads excluded.

        All fragments of a video are its frame 1.  A native frame that the object breaks off in is
        given as far as it goes.  Raises `NotFound` for a frame that is not there.
        """
        index = number - 1
        if not 0 <= index < self.number_of_frames:
            raise NotFound(f"there is no frame {number}; the object has {self.number_of_frames}")
        if self.kind is Kind.ENCAPSULATED:
            if self.table is None or index >= self.table.frames:
                raise NotFound(f"the object does not say where frame {number} is")
            base = self.pixel_offset
            return [(base + offset, length) for offset, length in self.table.ranges(index)]
        if self.kind is not Kind.NATIVE:
            raise NotFound("the pixel data cannot be divided into frames")
        begin = index * self.frame_bits // 8
        end = min(-(-(index + 1) * self.frame_bits // 8), self.pixel_length)
        if begin >= end:
            raise NotFound(f"the object ends before frame {number}")
        return [(self.pixel_offset + begin, end - begin)]

    def first_bit(self, number: int) -> int:
        """Where in its first byte native frame `number` begins, from the least significant bit:
        frames of 1-bit pixels are packed without a gap (PS3.5 §8.1.1)."""
        return (number - 1) * self.frame_bits % 8 if self.kind is Kind.NATIVE else 0

    def encode(self, *, with_table: bool = True) -> bytes:
        """Compact bytes, see docs/formats.md; without the table it is to be stored apart."""
        table = self.table if with_table else None
        flags = self.deflated * _DEFLATED
        if table is not None:
            flags |= _HAS_TABLE | (table.counts is not None) * _COUNTED
        out = bytearray((_VERSION, self.kind, flags, _PIXEL_TAGS.index(self.pixel_tag)))
        for number in (
            self.dataset_offset,
            self.header_length,
            self.pixel_length,
            self.number_of_frames,
            self.frame_bits,
        ):
            put(out, number)
        if table is not None:
            put(out, table.first)
            put(out, len(table.lengths))
            if table.counts is not None:
                put(out, len(table.counts))
                out += _little_endian(table.counts)
            out += _little_endian(table.lengths)
        return bytes(out)

    @classmethod
    def decode(cls, data: bytes) -> Anatomy:
        """The anatomy that `encode` wrote; raises `MalformedObject` for anything else."""
        try:
            if data[0] != _VERSION:
                raise MalformedObject(f"anatomy format {data[0]} is not known")
            kind, flags, tag = Kind(data[1]), data[2], _PIXEL_TAGS[data[3]]
            at, numbers = 4, []
            for _ in range(5):
                number, at = take(data, at)
                numbers.append(number)
            table = _table(data, at, bool(flags & _COUNTED)) if flags & _HAS_TABLE else None
        except (IndexError, ValueError) as error:
            raise MalformedObject("not an encoded anatomy") from error
        return cls(
            kind,
            numbers[0],
            numbers[1],
            tag,
            numbers[2],
            numbers[3],
            numbers[4],
            bool(flags & _DEFLATED),
            table,
        )

    def encode_table(self) -> bytes:
        """The frame table for a side record: any frame of it is two or three small ranged reads
        (`frame_in`).  Empty where there is no table."""
        if self.table is None:
            return b""
        firsts = self.table.firsts
        out = len(self.table.lengths).to_bytes(8, "little") + len(firsts).to_bytes(8, "little")
        return out + _little_endian(firsts) + _little_endian(self.table.heads)

    def frame_in(self, read: Callable[[int, int], bytes], number: int) -> list[tuple[int, int]]:
        """As `frame`, with the table in a side record; `read(offset, length)` reads that."""
        index = number - 1
        fragments, firsts = unpack("<QQ", read(0, _SIDE_HEAD))
        frames = firsts - 1 if firsts else fragments
        if not 0 <= index < min(frames, self.number_of_frames):
            raise NotFound(f"there is no frame {number}; the object has {self.number_of_frames}")
        begin, end = index, index + 1
        if firsts:
            begin, end = unpack("<II", read(_SIDE_HEAD + index * 4, 8))
        at = _SIDE_HEAD + firsts * 4 + begin * 8
        heads = unpack(f"<{end - begin + 1}Q", read(at, (end - begin + 1) * 8))
        base = self.pixel_offset
        return [(base + offset, length) for offset, length in _between(heads)]

    def without_table(self) -> Anatomy:
        """This anatomy as it is read when the table lies in a side record."""
        return replace(self, table=None)


def _between(heads: Sequence[int]) -> list[tuple[int, int]]:
    """(offset, length) of the fragments whose item heads, and what follows them, are at `heads`."""
    return [(head + _ITEM_HEAD, after - head - _ITEM_HEAD) for head, after in pairwise(heads)]


def _little_endian(numbers: array[int]) -> bytes:
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


def _array(data: bytes) -> array[int]:
    numbers = array("I", data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _table(data: bytes, at: int, counted: bool) -> FrameTable:
    first, at = take(data, at)
    fragments, at = take(data, at)
    counts = None
    if counted:
        frames, at = take(data, at)
        counts = _array(data[at : at + frames * 4])
        at += frames * 4
    lengths = _array(data[at : at + fragments * 4])
    if len(lengths) != fragments:
        raise ValueError("the frame table is cut off")
    return FrameTable(first, lengths, counts)

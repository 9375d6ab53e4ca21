"""The items of encapsulated pixel data (PS3.5 §A.4), found without reading what they hold."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from struct import unpack_from

from vna.dicom.coding import Coding
from vna.dicom.source import Source

_LARGEST_OFFSET_TABLE = 64 << 20  # bytes: 16 million frames


@dataclass(frozen=True, slots=True)
class Fragments:
    """Where the fragments lie, as offsets in the source of the walk.

    `value`: offset of the value; `first`: of the first item after the offset table, from which the
    table counts; `offsets`: of each fragment's bytes, after its item head; `length`: from the first
    item to after the sequence delimiter; `complete`: the delimiter is there and no fragment
    overruns the object.
    """

    value: int
    first: int
    offsets: array[int]
    lengths: array[int]
    table: array[int]  # basic offset table, bytes from `first`; empty where there is none
    length: int
    complete: bool


def read_fragments(source: Source, start: int, coding: Coding) -> Fragments:
    """The fragments of the value at `start`; stops at the first thing that is no item."""
    read, pair, size = source.read, coding.pair, source.size
    offsets, lengths, table = array("Q"), array("Q"), array("Q")
    position, complete = start, False
    first = -1
    while True:
        head = read(position, 8)
        if len(head) < 8:
            position += len(head)
            break
        key, length = pair(head, 0)
        if key == coding.sequence_end:
            position += 8
            complete = True
            break
        if key != coding.item:
            break
        value = position + 8
        if value + length > size:
            if first >= 0:
                offsets.append(value)
                lengths.append(size - value)
            position = size
            break
        position = value + length
        if first < 0:
            first = position
            if length <= _LARGEST_OFFSET_TABLE:
                entries = read(value, length // 4 * 4)
                table = array("Q", unpack_from(f"{coding.order}{len(entries) // 4}I", entries))
        else:
            offsets.append(value)
            lengths.append(length)
    return Fragments(start, max(first, start), offsets, lengths, table, position - start, complete)

"""The data elements of a header as a tree; values stay bytes where they lie.

It follows the structure exactly as `vna.dicom.walk` did when it cut the header.  What the walk did
not look into (small sequences) may still be broken: there the tree ends at the last good element.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from struct import error as out_of_data
from typing import NamedTuple

from vna.dicom.coding import (
    CODINGS,
    SHORT,
    UNDEFINED,
    Coding,
    head_at,
    inside,
    is_sequence,
)
from vna.dicom.dictionary import choose_vr
from vna.dicom.header import Header

_DEEPEST = 64
_PIXEL_REPRESENTATION = 0x00280103


class Element(NamedTuple):
    """One data element.

    `vr`: as written, in implicit VR by the dictionary, "UN" where that knows nothing.
    `value`: its bytes, or None where the value was cut out or is a sequence.
    `offset`, `length`: of the value in the data set, bytes; of a cut value too.
    `items`: of a sequence.  `big`: numbers are big endian.  `undefined`: the length was; with no
    items the value is encapsulated fragments.
    """

    tag: int
    vr: str
    value: bytes | None
    offset: int
    length: int
    items: list[list[Element]] | None = None
    big: bool = False
    undefined: bool = False


Elements = list[Element]


class _Broken(Exception):
    """What stands here cannot be followed; the nearest container of known length ends."""


def read_elements(header: Header) -> Elements:
    """All elements of the first level, in the order in which they were written."""
    return _Reader(header, 0).all()


def read_some(
    header: Header, positions: Iterable[int], *, signed: bool = False
) -> Iterator[Element]:
    """The first-level elements whose heads are at `positions`, but those that cannot be read."""
    reader = _Reader(header, 0, signed=signed)
    for position in sorted(positions):
        yield from reader.one(position)


class _Reader:
    def __init__(self, header: Header, position: int, *, signed: bool = False) -> None:
        self._data = header.data
        self._cuts = header.cuts
        self._cut = 0  # index of the next cut
        self._removed = 0
        self._start = position
        self._signed = signed
        self._coding = CODINGS[header.encoding]
        self._depth = 0
        self._pass_cuts(position)
        self._size = len(self._data) + sum(length for _, length in self._cuts)
        self._cut_at = self._cuts[self._cut][0] if self._cut < len(self._cuts) else -1

    def all(self) -> Elements:
        out: Elements = []
        with suppress(_Broken):
            self._elements(out, self._start, self._size, self._coding, self._signed, True)
        return out

    def one(self, position: int) -> Elements:
        """The element at `position`, or none; positions must ascend."""
        if -1 < self._cut_at < position:
            self._pass_cuts(position)
            self._cut_at = self._cuts[self._cut][0] if self._cut < len(self._cuts) else -1
        out: Elements = []
        try:
            self._elements(out, position, self._size, self._coding, self._signed, True, True)
        except _Broken:
            return out
        return out

    def _pass_cuts(self, position: int) -> None:
        while self._cut < len(self._cuts) and self._cuts[self._cut][0] < position:
            self._removed += self._cuts[self._cut][1]
            self._cut += 1

    def _elements(
        self,
        out: Elements,
        position: int,
        end: int,
        coding: Coding,
        signed: bool,
        top: bool = False,
        one: bool = False,
    ) -> int:
        """Append elements up to data set offset `end` or a delimiter; returns where that is."""
        data, head, kinds, names = self._data, coding.head, coding.kinds, coding.names
        big, implicit, turn = coding.order == ">", coding.implicit, coding.turn
        removed, append, new = self._removed, out.append, tuple.__new__
        while position + removed < end:
            try:
                if implicit:
                    key, length = head(data, position)
                    tag = (key >> 16 | key << 16) & 0xFFFFFFFF
                    vr = choose_vr(tag, signed=signed)
                    simple = vr != "SQ" and tag and tag < 0xFFFE0000
                else:
                    key, number, length = head(data, position)
                    tag = (key >> 16 | key << 16) & 0xFFFFFFFF if turn else key
                    simple = kinds[number] == SHORT
                    vr = names[number] if simple else ""
                value = position + 8
                after = value + length
                if simple and value != self._cut_at and after + removed <= end:
                    content = data[value:after]
                    append(
                        new(
                            Element,
                            (tag, vr, content, value + removed, len(content), None, big, False),
                        )
                    )
                    position = after
                else:
                    stop = self._any(out, position, end, coding, signed, top)
                    if stop is None:
                        return position
                    position = stop
                    removed = self._removed
            except out_of_data:
                return position
            if tag == _PIXEL_REPRESENTATION and out:
                signed = out[-1].value in (b"\1\0", b"\0\1")
            if one and out:
                return position
        return position

    def _any(
        self, out: Elements, position: int, end: int, coding: Coding, signed: bool, top: bool
    ) -> int | None:
        """Append whatever element is at `position`, by the rules of the walk."""
        room = end - self._removed - position
        head = head_at(self._data, position, coding, room)
        if head is None:
            key = coding.word(self._data, position)[0]
            if key != coding.item_end and key != coding.sequence_end:
                if top:
                    return None
                raise _Broken
            return position + 8 if top else None
        value, length = head.value, head.length
        vr = choose_vr(head.tag, signed=signed) if head.implicit else head.vr
        big = coding.order == ">" and not head.implicit and vr != "UN"
        undefined = length == UNDEFINED
        if undefined and head.implicit and not is_sequence(head):
            vr = "OB"  # PS3.5 §A.4
        if value == self._cut_at:
            length = self._cuts[self._cut][1]
            offset = value + self._removed
            out.append(Element(head.tag, vr, None, offset, length, None, big, undefined))
            self._removed += length
            self._cut += 1
            self._cut_at = self._cuts[self._cut][0] if self._cut < len(self._cuts) else -1
            return value
        if undefined and not is_sequence(head):
            return self._small_fragments(out, head.tag, vr, value, end, coding)
        if not undefined:
            length = min(length, max(0, room - (value - position)))
        if is_sequence(head):
            items: list[Elements] = []
            offset = value + self._removed
            stop = end if undefined else offset + length
            inner = inside(self._data, value, head, coding)
            out.append(Element(head.tag, "SQ", None, offset, 0, items, big, undefined))
            try:
                after = self._sequence(items, value, stop, inner, signed, undefined)
            except _Broken:
                if undefined:
                    raise
                after = stop - self._removed
            length = after + self._removed - offset
            out[-1] = out[-1]._replace(length=length)
            return after
        data = self._data[value : value + length]
        out.append(Element(head.tag, vr, data, value + self._removed, len(data), None, big))
        return value + length

    def _small_fragments(
        self, out: Elements, tag: int, vr: str, value: int, end: int, coding: Coding
    ) -> int:
        """Encapsulated data inside a small sequence, which the walk kept whole."""
        position = value
        while position + self._removed < end:
            key, length = coding.pair(self._data, position)
            position += 8
            if key == coding.sequence_end:
                break
            if key != coding.item:
                raise _Broken
            position += length
        data = self._data[value:position]
        offset = value + self._removed
        out.append(Element(tag, vr, data, offset, len(data), None, coding.order == ">", True))
        return position

    def _sequence(
        self,
        items: list[Elements],
        position: int,
        end: int,
        coding: Coding,
        signed: bool,
        undefined: bool,
    ) -> int:
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                raise _Broken
            return self._items(items, position, end, coding, signed, undefined)
        finally:
            self._depth -= 1

    def _items(
        self,
        items: list[Elements],
        position: int,
        end: int,
        coding: Coding,
        signed: bool,
        undefined: bool,
    ) -> int:
        while position + self._removed < end:
            try:
                key, length = coding.pair(self._data, position)
            except out_of_data:
                break
            if key == coding.item:
                item: Elements = []
                items.append(item)
                if length == UNDEFINED:
                    position = self._elements(item, position + 8, end, coding, signed)
                    if self._at_item_end(position, coding):
                        position += 8
                else:
                    length = min(length, end - self._removed - position - 8)
                    stop = position + 8 + self._removed + length
                    with suppress(_Broken):
                        self._elements(item, position + 8, stop, coding, signed)
                    position = stop - self._removed
            elif key == coding.sequence_end:
                position += 8
                if undefined:
                    break
            elif key == coding.item_end:
                position += 8
            elif undefined:
                raise _Broken
            else:
                break
        return position if undefined else end - self._removed

    def _at_item_end(self, position: int, coding: Coding) -> bool:
        try:
            return bool(coding.word(self._data, position)[0] == coding.item_end)
        except out_of_data:
            return False

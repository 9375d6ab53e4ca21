"""The one pass over a data set: finds wanted elements, cuts large values, locates pixel data.

The walk works on a copy of the header only: it reads the source by growing windows, and where a
large value begins it jumps over it.  Positions are those of the header without its cuts; adding
`removed` gives offsets in the data set.  Containers end at data set offsets, which cuts inside them
do not move.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from struct import error as out_of_data

from vna.dicom import oddities
from vna.dicom.coding import SHORT, UNDEFINED, Coding, Head, head_at, inside, is_sequence
from vna.dicom.dictionary import BULK_VRS
from vna.dicom.fragments import Fragments, read_fragments
from vna.dicom.header import CUT_ABOVE, CUT_ALWAYS_ABOVE
from vna.dicom.source import Source

FIRST_WINDOW = 64 * 1024
_AFTER_CUT = 4 * 1024  # what follows a large value is usually little
_LARGEST_WINDOW = 256 * 1024  # a cut moves what was read behind it
_KEEP_SEQUENCE = 4096  # bytes; smaller sequences are kept whole, their large values too
_DEEPEST = 64  # nested sequences; real objects have less than ten
_LARGEST_HEADER = 256 << 20
PIXEL_TAGS = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))
_PIXEL, _END = -1, -2


class Declined(Exception):
    """The structure breaks in a way that this walk cannot follow."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """The top-level pixel data element; `fragments` is None where its length is defined."""

    head: Head
    offset: int  # of the value, in the data set
    length: int  # of the value, bytes as found
    fragments: Fragments | None


class Walk:
    """`found`: tag → position of the element's head, for wanted tags of the first level."""

    def __init__(self, source: Source, offset: int, window: bytes, coding: Coding) -> None:
        self._source, self._offset, self._coding = source, offset, coding
        self.size = max(0, source.size - offset)  # of the data set
        self.data = bytearray(window)
        self.removed = 0
        self.cuts: list[tuple[int, int]] = []
        self.found: dict[int, int] = {}
        self.pixels: Pixels | None = None
        self.oddities: set[str] = set()
        self._step = FIRST_WINDOW
        self._depth = 0
        self._top = 0  # position of the first-level element that is being walked

    def run(self, wanted: Mapping[int, int]) -> None:
        """Walk to the end; `wanted`: key of this coding → tag.  Raises `Declined`."""
        position = self._elements(0, self.size, self._coding, wanted, top=True)
        left = self.size - position - self.removed
        if left > 0:
            self.oddities.add(oddities.TRAILING_BYTES)
        elif left < 0:
            self.oddities.add(oddities.TRUNCATED)
        del self.data[position:]

    def give_up(self) -> None:
        """Keep what stands before the first-level element at which `run` declined."""
        position = self._top
        del self.data[position:]
        self.cuts = [cut for cut in self.cuts if cut[0] < position]
        self.found = {tag: at for tag, at in self.found.items() if at < position}

    # ── bytes ────────────────────────────────────────────────────────────────────────────────────

    def _more(self) -> bool:
        """Append the next window; false at the end of the object."""
        at = self._offset + self.removed + len(self.data)
        window = self._source.read(at, self._step)
        self._step = min(self._step * 2, _LARGEST_WINDOW)
        self.data += window
        if len(self.data) > _LARGEST_HEADER:
            raise Declined("the header is larger than 256 MiB")
        return bool(window)

    def _load(self, end: int) -> bool:
        """Have the data up to position `end`; false where the object ends before."""
        while len(self.data) < end:
            if not self._more():
                return False
        return True

    def _cut(self, position: int, length: int) -> None:
        self.cuts.append((position, length))
        if position + length < len(self.data):
            del self.data[position : position + length]
        else:
            del self.data[position:]
            self._step = _AFTER_CUT
        self.removed += length

    # ── structure ────────────────────────────────────────────────────────────────────────────────

    def _elements(
        self, position: int, end: int, coding: Coding, wanted: Mapping[int, int], top: bool = False
    ) -> int:
        """Walk elements from `position` to data set offset `end` or the item's delimiter, which
        is not consumed.  Returns the position after them."""
        if coding.implicit:
            return self._implicit(position, end, coding, wanted, top)
        data, head, word, kinds, found = (
            self.data,
            coding.head,
            coding.word,
            coding.kinds,
            self.found,
        )
        limit = end - self.removed
        while position < limit:
            try:
                key, vr, length = head(data, position)
                kind = kinds[vr]
                if kind == SHORT:
                    after = position + 8 + length
                elif kind:
                    length = word(data, position + 8)[0]
                    after = position + 12 + length
                else:
                    length = UNDEFINED
                if length > CUT_ABOVE:
                    stop = self._large(position, end, coding, top)
                    if stop is None:
                        return position
                    if top and key in wanted and wanted[key] > 0:
                        found[wanted[key]] = position
                    position = stop
                    limit = end - self.removed
                    continue
            except out_of_data:
                if self._more():
                    continue
                return position
            if key in wanted:
                tag = wanted[key]
                if tag > 0:
                    found[tag] = position
                elif tag == _PIXEL:
                    after = self._large(position, end, coding, top) or after
                    limit = end - self.removed
            position = after
        return position

    def _implicit(
        self, position: int, end: int, coding: Coding, wanted: Mapping[int, int], top: bool
    ) -> int:
        data, pair, found = self.data, coding.pair, self.found
        limit = end - self.removed
        while position < limit:
            try:
                key, length = pair(data, position)
            except out_of_data:
                if self._more():
                    continue
                return position
            after = position + 8 + length
            tag = wanted.get(key, 0)
            if length > CUT_ABOVE or tag < 0:
                try:
                    stop = self._large(position, end, coding, top)
                except out_of_data:
                    if self._more():
                        continue
                    return position
                if stop is None:
                    return position
                after = stop
                limit = end - self.removed
            if tag > 0:
                found[tag] = position
            position = after
        return position

    def _large(self, position: int, end: int, coding: Coding, top: bool) -> int | None:
        """Where the walk goes on after an element that is large, a sequence, pixel data or odd;
        None where the container ends here."""
        if top:
            self._top = position
        room = end - self.removed - position
        head = head_at(self.data, position, coding, room)
        if head is None:
            return self._no_element(position, coding, top)
        if not coding.implicit and (head.implicit or not coding.kinds[self._vr(position, coding)]):
            self.oddities.add(oddities.UNKNOWN_VR)
        value, length = head.value, head.length
        if top and self.pixels is None and head.tag in PIXEL_TAGS:
            return self._pixel_data(head, coding)
        if length == UNDEFINED and not is_sequence(head):
            fragments = self._fragments(head, coding)
            self._cut(value, fragments.length)
            return value
        if length != UNDEFINED and length > room - (value - position):
            past_the_end = value + self.removed + length > self.size
            self.oddities.add(oddities.TRUNCATED if past_the_end else oddities.WRONG_LENGTH)
            length = max(0, room - (value - position))
        if is_sequence(head):
            if length <= _KEEP_SEQUENCE:
                return value + length
            stop = end if length == UNDEFINED else value + self.removed + length
            self._load(value + 14)
            return self._sequence(
                value, stop, inside(self.data, value, head, coding), length == UNDEFINED
            )
        if length > CUT_ALWAYS_ABOVE or (length > CUT_ABOVE and _may_be_bulk(head)):
            self._cut(value, length)
            return value
        return value + length

    def _vr(self, position: int, coding: Coding) -> int:
        return int(coding.head(self.data, position)[1])

    def _no_element(self, position: int, coding: Coding, top: bool) -> int | None:
        """What stands here is no element: a delimiter, or rubbish."""
        key = coding.word(self.data, position)[0]
        if key == coding.item_end or key == coding.sequence_end:
            if not top:
                return None
            self.oddities.add(oddities.STRAY_DELIMITER)
            return position + 8
        if top:
            return None  # nothing that follows can be read: trailing bytes
        raise Declined("an item does not hold data elements")

    def _sequence(self, position: int, end: int, coding: Coding, undefined: bool) -> int:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Declined("sequences nest too deeply")
        delimiters = _DELIMITERS if coding.implicit else {}
        while position + self.removed < end:
            try:
                key, length = coding.pair(self.data, position)
            except out_of_data:
                if self._more():
                    continue
                break
            if key == coding.item:
                room = end - self.removed - position - 8
                if length == UNDEFINED:
                    position = self._elements(position + 8, end, coding, delimiters)
                    position = self._past_delimiter(position, coding)
                    continue
                if length > room:
                    self.oddities.add(oddities.WRONG_LENGTH)
                    length = room
                if length <= _KEEP_SEQUENCE:
                    position += 8 + length
                else:
                    stop = position + 8 + self.removed + length
                    self._elements(position + 8, stop, coding, delimiters)
                    position = stop - self.removed
            elif key == coding.sequence_end:
                position += 8
                if undefined:
                    break
            elif key == coding.item_end:
                position += 8
                self.oddities.add(oddities.STRAY_DELIMITER)
            elif undefined:
                raise Declined("a sequence does not hold items")
            else:
                self.oddities.add(oddities.WRONG_LENGTH)
                break
        self._depth -= 1
        return position if undefined else end - self.removed

    def _past_delimiter(self, position: int, coding: Coding) -> int:
        """After the item's end; where the sequence's own end follows at once it stays for it."""
        if not self._load(position + 8):
            return position
        return position + 8 if coding.word(self.data, position)[0] == coding.item_end else position

    # ── pixel data ───────────────────────────────────────────────────────────────────────────────

    def _fragments(self, head: Head, coding: Coding) -> Fragments:
        start = self._offset + head.value + self.removed
        fragments = read_fragments(self._source, start, coding)
        if not fragments.complete:
            self.oddities.add(oddities.TRUNCATED)
        return fragments

    def _pixel_data(self, head: Head, coding: Coding) -> int:
        offset = head.value + self.removed
        if head.length == UNDEFINED:
            fragments: Fragments | None = self._fragments(head, coding)
            length = fragments.length if fragments else 0
        else:
            fragments = None
            length = min(head.length, self.size - offset)
            if length < head.length:
                self.oddities.add(oddities.TRUNCATED_PIXEL_DATA)
        self.pixels = Pixels(head, offset, length, fragments)
        if length:
            self._cut(head.value, length)
        return head.value


def _may_be_bulk(head: Head) -> bool:
    return head.vr[:2] in BULK_VRS  # "US or SS" counts as US


def keys(wanted: frozenset[int], coding: Coding) -> dict[int, int]:
    """What `Walk.run` wants, for `coding`."""
    table = {coding.key(tag): tag for tag in wanted}
    table |= {coding.key(tag): _PIXEL for tag in PIXEL_TAGS}
    if coding.implicit:
        table |= _DELIMITERS
    return table


_DELIMITERS = dict.fromkeys((65534 | 3758096384, 3759013886, 3772645374, 0), _END)

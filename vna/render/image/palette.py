"""Colours of numbers: palette colour lookup tables (PS3.3 §C.7.6.3.1.5, §C.7.9)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from vna.dicom.item import Item
from vna.errors import Undecodable
from vna.render.image.gray import Levels
from vna.render.image.lookup import Array, described, entries

_DESCRIPTORS = (0x00281101, 0x00281102, 0x00281103)
_DATA = (0x00281201, 0x00281202, 0x00281203)
_SEGMENTED = (0x00281221, 0x00281222, 0x00281223)
_PIXEL_PRESENTATION = 0x00089205
_MOST_ENTRIES = 0x10000


@dataclass(frozen=True, slots=True)
class Palette:
    """`colours`: (entries, 3), 8 bits each, the first for inputs up to `first`."""

    first: int
    colours: Levels

    def __call__(self, samples: Array) -> Levels:
        """The colour of each sample: one more dimension."""
        places = np.clip(samples.astype(np.int32) - self.first, 0, len(self.colours) - 1)
        found: Levels = self.colours.take(places, axis=0)
        return found

    def shaded(self, shades: Array) -> Levels:
        """The colour of each number from 0 to 1 (pseudo-colour, PS3.3 §C.11.17)."""
        places = np.floor(shades * len(self.colours)).astype(np.intp)
        found: Levels = self.colours.take(np.minimum(places, len(self.colours) - 1), axis=0)
        return found


def has_palette(item: Item) -> bool:
    """Whether an item has the three descriptors."""
    return all(item.has(tag) for tag in _DESCRIPTORS)


def supplemental(item: Item) -> bool:
    """Whether an image of grays has colours for its highest values (PS3.3 §C.7.6.19)."""
    presentation = item.first(_PIXEL_PRESENTATION).upper()
    return presentation in ("COLOR", "MIXED") and has_palette(item)


def palette_of(item: Item, *, signed: bool) -> Palette:
    """The three tables of an item. Raises `Undecodable`."""
    tables, firsts = [], set()
    for descriptor, data, segmented in zip(_DESCRIPTORS, _DATA, _SEGMENTED, strict=True):
        count, first, bits = described(item, descriptor, signed=signed)
        tables.append(_channel(item, data, segmented, count, bits))
        firsts.add(first)
    if len(firsts) > 1 or len({len(table) for table in tables}) > 1:
        raise Undecodable("the three palette tables do not go together")
    return Palette(firsts.pop(), np.stack(tables, axis=1))


def _channel(item: Item, data: int, segmented: int, count: int, bits: int) -> Levels:
    found = item.element(data)
    if found is not None and found.value:
        table = entries(found.value, count, bits, big=found.big)
    else:
        found = item.element(segmented)
        if found is None or not found.value:
            raise Undecodable("a palette has no entries")
        table = _expanded(found.value, count, bits, big=found.big)
    if table.dtype == np.uint8 or bits <= 8:
        return table.astype(np.uint8)
    return (table >> bits - 8).astype(np.uint8)


def _expanded(value: bytes, count: int, bits: int, *, big: bool) -> Array:
    """The entries of a segmented table (PS3.3 §C.7.9.2): discrete runs, lines, and repetitions."""
    width = 1 if bits <= 8 else 2
    words = np.frombuffer(value[: len(value) // width * width], f"{'>' if big else '<'}u{width}")
    return np.array(_Segments(words.tolist(), width, big).expand(count), np.uint16)


class _Segments:
    def __init__(self, words: list[int], width: int, big: bool) -> None:
        self._words, self._width, self._big = words, width, big
        self._out: list[int] = []
        self._count = 0

    def expand(self, count: int) -> list[int]:
        self._count = min(count, _MOST_ENTRIES)
        self._run(0, len(self._words) // 2, inside=False)
        if not self._out:
            raise Undecodable("a segmented palette has no entries")
        return self._out[:count] + [self._out[-1]] * (count - len(self._out))

    def _run(self, at: int, segments: int, *, inside: bool) -> None:
        words = self._words
        for _ in range(segments):
            if at + 1 >= len(words) or len(self._out) >= self._count:
                return
            opcode, length = words[at], words[at + 1]
            body = words[at + 2 :]
            if opcode == 0:
                self._out += body[:length]
                at += 2 + length
            elif opcode == 1 and self._out and body:
                start, end = self._out[-1], body[0]
                step = (end - start) / max(length, 1)
                self._out += [round(start + step * n) for n in range(1, length + 1)]
                at += 3
            elif opcode == 2 and not inside:
                self._run(self._place(at + 2), length, inside=True)
                at += 2 + (4 if self._width == 1 else 2)
            else:
                raise Undecodable("a segmented palette is broken")

    def _place(self, at: int) -> int:
        """Index of the word at a byte offset, which is the least significant word first."""
        size = 4 if self._width == 1 else 2
        words = self._words[at : at + size]
        if len(words) < size:
            raise Undecodable("a segmented palette is broken")
        order = ">" if self._big else "<"
        parts = struct.pack(f"{order}{size}{'B' if self._width == 1 else 'H'}", *words)
        if self._big and self._width == 2:  # words of their own order, the low one first
            parts = parts[2:] + parts[:2]
        return int(struct.unpack(f"{order}I", parts)[0]) // self._width

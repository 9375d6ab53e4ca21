"""Bits over an image: groups 6000 to 601E (PS3.3 §C.9.2), and those in unused bits of its samples,
which the standard of before 2004 allowed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vna.dicom.item import Item
from vna.dicom.values import swapped
from vna.render.image.gray import Levels
from vna.render.image.lookup import Array

GROUPS = range(0x6000, 0x6020, 2)
DATA = 0x3000
_ROWS, _COLUMNS, _FRAMES, _ORIGIN, _FIRST_FRAME = 0x0010, 0x0011, 0x0015, 0x0050, 0x0051
_ALLOCATED, _POSITION, _LAYER = 0x0100, 0x0102, 0x1001
_WHITE = 255

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Overlay:
    """`bits`: (rows, columns); `top`, `left`: of its first bit in the image, counted from 0, which
    may be outside; `layer`: on which a presentation state activates it."""

    group: int
    top: int
    left: int
    bits: Mask
    layer: str = ""

    def mask(self, rows: int, columns: int) -> Mask:
        """Its bits in an image of that size."""
        found = np.zeros((rows, columns), np.bool_)
        top, left = max(0, self.top), max(0, self.left)
        part = self.bits[top - self.top : rows - self.top, left - self.left : columns - self.left]
        if part.size:
            found[top : top + part.shape[0], left : left + part.shape[1]] = part
        return found

    def draw(self, levels: Levels, shade: int = _WHITE) -> None:
        """Set the samples under its ones."""
        levels[self.mask(*levels.shape[:2])] = shade


def overlays_of(
    item: Item, number: int = 1, samples: Callable[[], Array] | None = None
) -> tuple[Overlay, ...]:
    """The overlays of frame `number`; `samples` gives its samples with all allocated bits. One that
    is broken is left out: the image can be seen without it."""
    found = (_overlay(item, group, number, samples) for group in GROUPS if _is_there(item, group))
    return tuple(each for each in found if each is not None)


def _is_there(item: Item, group: int) -> bool:
    return item.has(group << 16 | _ROWS)


def _overlay(
    item: Item, group: int, number: int, samples: Callable[[], Array] | None
) -> Overlay | None:
    def integer(element: int, default: int) -> int:
        return item.integer(group << 16 | element, default)

    rows, columns = integer(_ROWS, 0), integer(_COLUMNS, 0)
    origin = [int(each) for each in item.numbers(group << 16 | _ORIGIN)] or [1, 1]
    index = number - integer(_FIRST_FRAME, 1)
    frames = integer(_FRAMES, 1)
    several = frames > 1 or item.has(group << 16 | _FIRST_FRAME)
    if min(rows, columns) < 1 or len(origin) < 2 or (several and not 0 <= index < frames):
        return None
    data = item.element(group << 16 | DATA)
    if data is not None and data.value:
        value = swapped(data.value, 2) if data.big else data.value
        bits = _unpacked(value, rows * columns, index if several else 0)
        found = None if bits is None else bits.reshape(rows, columns)
    elif samples is not None and integer(_ALLOCATED, 1) > 1:
        found = (samples() >> integer(_POSITION, 0) & 1).astype(np.bool_)[:rows, :columns]
    else:
        found = None
    if found is None:
        return None
    layer = item.first(group << 16 | _LAYER)
    return Overlay(group, origin[0] - 1, origin[1] - 1, found, layer)


def _unpacked(value: bytes, count: int, index: int) -> Mask | None:
    """Frames follow each other bit by bit, from the least significant of each byte on."""
    first = count * index
    begin, end = first // 8, -(-(first + count) // 8)
    packed = np.frombuffer(value, np.uint8)[begin:end]
    bits = np.unpackbits(packed, bitorder="little")[first % 8 : first % 8 + count]
    return bits.astype(np.bool_) if len(bits) == count else None

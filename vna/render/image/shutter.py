"""What of an image is covered (PS3.3 §C.7.6.11, §C.7.6.15)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from vna.dicom.item import Item
from vna.render.image.frame_attributes import FrameAttributes
from vna.render.image.gray import Levels
from vna.render.image.overlay import Overlay

_FRAME_SHUTTER = 0x00189472
_SHAPE, _SHADE, _BITMAP = 0x00181600, 0x00181622, 0x00181623
_EDGES = (0x00181602, 0x00181604, 0x00181606, 0x00181608)  # left, right, upper, lower
_CENTER, _RADIUS, _VERTICES = 0x00181610, 0x00181612, 0x00181620
_MOST_VERTICES = 10_000

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Shutter:
    """`shade`: of what is covered, 0 to 255. `item` says the shapes; `bitmaps`: overlays whose
    ones are covered."""

    item: Item
    shade: int
    bitmaps: tuple[Overlay, ...] = ()

    def cover(self, levels: Levels, rows: int, columns: int) -> None:
        """Cover what lies outside any of the shapes, whose image has so many rows and columns: of
        a preview, `levels` has fewer."""
        shown = np.ones((rows, columns), np.bool_)
        for shape in {each.upper() for each in self.item.texts(_SHAPE)}:
            mask = _MASKS[shape](self.item, rows, columns) if shape in _MASKS else None
            if mask is not None:
                shown &= mask
        for bitmap in self.bitmaps:
            shown &= ~bitmap.mask(rows, columns)
        if levels.shape[:2] != (rows, columns):
            y = np.arange(levels.shape[0]) * rows // levels.shape[0]
            x = np.arange(levels.shape[1]) * columns // levels.shape[1]
            shown = shown[np.ix_(y, x)]
        levels[~shown] = self.shade


def shutter_of_frame(frame: FrameAttributes) -> Shutter | None:
    """What an image says, None where nothing is covered."""
    item = frame.in_macro(_FRAME_SHUTTER, _SHAPE)
    return shutter_of(item, ()) if item.has(_SHAPE) else None


def shutter_of(item: Item, overlays: tuple[Overlay, ...]) -> Shutter | None:
    """What an item says; of a bitmap, which of its `overlays` it means (0018,1623)."""
    if not item.has(_SHAPE) and not item.has(_BITMAP):
        return None
    group = item.integer(_BITMAP, -1)
    bitmaps = tuple(each for each in overlays if each.group == group)
    return Shutter(item, min(0xFFFF, max(0, item.integer(_SHADE))) >> 8, bitmaps)


def bitmap_group(item: Item) -> int:
    """The group of the overlay that is no overlay but a shutter; -1 for none."""
    return item.integer(_BITMAP, -1)


def _rectangle(item: Item, rows: int, columns: int) -> Mask | None:
    edges = [item.number(tag) for tag in _EDGES]
    left, right, upper, lower = edges
    if left is None or right is None or upper is None or lower is None:
        return None
    shown = np.zeros((rows, columns), np.bool_)
    # The edges are rows and columns from 1, and are shown.
    shown[
        max(0, int(upper) - 1) : max(0, int(lower)), max(0, int(left) - 1) : max(0, int(right))
    ] = 1
    return shown


def _circle(item: Item, rows: int, columns: int) -> Mask | None:
    center, radius = item.numbers(_CENTER), item.number(_RADIUS)
    if len(center) < 2 or radius is None:
        return None
    y = np.arange(1, rows + 1)[:, None] - center[0]
    x = np.arange(1, columns + 1)[None, :] - center[1]
    return np.asarray(x * x + y * y <= radius * radius, np.bool_)


def _polygon(item: Item, rows: int, columns: int) -> Mask | None:
    numbers = item.numbers(_VERTICES)
    points = [(x - 1, y - 1) for y, x in zip(numbers[::2], numbers[1::2], strict=False)]
    if len(points) < 3 or len(points) > _MOST_VERTICES:
        return None
    image = Image.new("1", (columns, rows), 0)
    ImageDraw.Draw(image).polygon(points, fill=1, outline=1)
    return np.asarray(image, np.bool_)


_MASKS = {"RECTANGULAR": _rectangle, "CIRCULAR": _circle, "POLYGONAL": _polygon}

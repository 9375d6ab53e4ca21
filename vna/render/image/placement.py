"""A part of an image, turned, mirrored and scaled into a picture (PS3.18 §8.3.5.1.3, PS3.3 §C.10.4,
§C.10.6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from vna.render.image.gray import Levels

LARGEST_SIDE = 8192  # pixels of a picture that is scaled
_WHOLE = 1e-6
_TURNS = {
    90: Image.Transpose.ROTATE_270,  # Pillow turns the other way
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Placement:
    """`left`, `top`, `right`, `bottom`: edges of the part, in samples, perhaps beyond the image.

    `rotation`: clockwise, 0, 90, 180 or 270 degrees; then `mirrored` from left to right and
    `upended` from top to bottom. `width`, `height`: of the picture in pixels.
    """

    left: float
    top: float
    right: float
    bottom: float
    width: int
    height: int
    rotation: int = 0
    mirrored: bool = False
    upended: bool = False

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Where a place of the image, in samples, is on the picture."""
        across = (x - self.left) / (self.right - self.left)
        down = (y - self.top) / (self.bottom - self.top)
        for _ in range(self.rotation // 90):
            across, down = 1 - down, across
        across = 1 - across if self.mirrored else across
        down = 1 - down if self.upended else down
        return across * self.width, down * self.height

    def __call__(self, levels: Levels, rows: int, columns: int) -> Levels:
        """The picture of an image of so many rows and columns; beyond it is black. `levels` may be
        a preview with fewer samples."""
        width, height = self.width, self.height
        if self.rotation in (90, 270):
            width, height = height, width
        left, top = max(0.0, self.left), max(0.0, self.top)
        right, bottom = min(float(columns), self.right), min(float(rows), self.bottom)
        whole = (left, top, right, bottom) == (self.left, self.top, self.right, self.bottom)
        fine_x, fine_y = levels.shape[1] / columns, levels.shape[0] / rows
        box = (left * fine_x, top * fine_y, right * fine_x, bottom * fine_y)
        place = (0, 0, width, height)
        if not whole:
            place = _placed(self, left, top, right, bottom, width, height)
        size = (place[2] - place[0], place[3] - place[1])
        shown = (
            _scaled(levels, box, size) if min(size) > 0 and right > left and bottom > top else None
        )
        if whole and shown is not None:
            return self._turned(shown)
        canvas = np.zeros((height, width, *levels.shape[2:]), np.uint8)
        if shown is not None:
            canvas[place[1] : place[3], place[0] : place[2]] = shown
        return self._turned(canvas)

    def _turned(self, levels: Levels) -> Levels:
        if self.rotation:
            levels = np.rot90(levels, -self.rotation // 90)
        if self.mirrored:
            levels = levels[:, ::-1]
        if self.upended:
            levels = levels[::-1]
        return np.ascontiguousarray(levels)


def fitted(
    box: tuple[float, float, float, float],
    aspect: float,
    viewport: tuple[int, int] | None,
    *,
    rotation: int = 0,
    mirrored: bool = False,
    upended: bool = False,
    magnified: float = 1.0,
) -> Placement:
    """Where the part `box` (left, top, right, bottom) is shown: as large as fits into a viewport of
    (width, height), else a pixel for each sample times `magnified`. `aspect`: height of a sample
    divided by its width; pixels are square."""
    across, down = box[2] - box[0], box[3] - box[1]
    if aspect > 1:
        down *= aspect
    else:
        across /= aspect
    if rotation in (90, 270):
        across, down = down, across
    scale = magnified
    if viewport is not None:
        scale = min(viewport[0] / across, viewport[1] / down)
    if viewport is not None or aspect != 1 or magnified != 1:
        scale = min(scale, LARGEST_SIDE / across, LARGEST_SIDE / down)
    width, height = max(1, round(across * scale)), max(1, round(down * scale))
    return Placement(*box, width, height, rotation, mirrored, upended)


def _placed(
    part: Placement, left: float, top: float, right: float, bottom: float, width: int, height: int
) -> tuple[int, int, int, int]:
    """Where the part of the image that there is lies on the unturned picture."""
    wide, high = width / (part.right - part.left), height / (part.bottom - part.top)
    return (
        max(0, round((left - part.left) * wide)),
        max(0, round((top - part.top) * high)),
        min(width, round((right - part.left) * wide)),
        min(height, round((bottom - part.top) * high)),
    )


def _scaled(
    levels: Levels, box: tuple[float, float, float, float], size: tuple[int, int]
) -> Levels:
    """The part in another size; as it is where nothing is to be scaled."""
    edges = [round(each) for each in box]
    exact = all(abs(edge - each) < _WHOLE for edge, each in zip(edges, box, strict=True))
    if exact and size == (edges[2] - edges[0], edges[3] - edges[1]):
        return levels[edges[1] : edges[3], edges[0] : edges[2]]
    image = Image.fromarray(np.ascontiguousarray(levels))
    # Without the overshoot of a higher order, which draws edges that are not there.
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR, box))

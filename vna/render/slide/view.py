"""Which stored tiles a picture of a slide is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vna.errors import InvalidValue
from vna.render.slide.iiif import TILES_MOST, Asked
from vna.render.slide.pyramid import Level, Pyramid


@dataclass(frozen=True, slots=True)
class Piece:
    """A stored tile: `frame` (from 1) of instance `part`, its corner (`x`, `y`) on its level."""

    part: int
    frame: int
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class View:
    """`limit`: columns and rows of the level, behind which tiles are filled up. `box`: left, top,
    right, bottom of the region on its level, in pixels. `exact`: a pixel of the picture is a pixel
    of the level. `alone`: the picture is one stored tile, whole."""

    pieces: tuple[Piece, ...]
    tile: tuple[int, int]
    limit: tuple[int, int]
    box: tuple[float, float, float, float]
    exact: bool
    alone: bool
    asked: Asked

    def facts(self) -> dict[str, Any]:
        """For the task that puts it together, as JSON has it."""
        asked = self.asked
        return {
            "places": [[each.x, each.y] for each in self.pieces],
            "tile": list(self.tile),
            "limit": list(self.limit),
            "box": list(self.box),
            "size": [asked.width, asked.height],
            "exact": self.exact,
            "mirrored": asked.mirrored,
            "rotation": asked.rotation,
            "quality": asked.quality,
            "format": asked.format,
        }


def view(slide: Pyramid, asked: Asked) -> View:
    """The view from the smallest level that has every pixel the picture needs.

    Raises `InvalidValue` where that would be more than `TILES_MOST` tiles.
    """
    level = _level(slide, asked)
    across, down = _scale(slide, level)
    left, top = asked.left / across, asked.top / down
    right = min(float(level.columns), (asked.left + asked.columns) / across)
    bottom = min(float(level.rows), (asked.top + asked.rows) / down)
    exact = _meets(asked.columns / across, asked.width) and _meets(asked.rows / down, asked.height)
    if exact:
        left, top = float(round(left)), float(round(top))
        right, bottom = left + asked.width, top + asked.height
    found = level.within(left, top, right, bottom)
    if len(found) > TILES_MOST:
        raise InvalidValue(
            "size", "", f"be larger, or the region smaller: it needs {len(found)} stored tiles"
        )
    pieces = tuple(
        Piece(int(level.parts[at]), int(level.frames[at]), int(level.x[at]), int(level.y[at]))
        for at in found
    )
    tile = (level.tile_columns, level.tile_rows)
    alone = (
        exact
        and len(pieces) == 1
        and (pieces[0].x, pieces[0].y) == (left, top)
        and (asked.width, asked.height) == tile
        and (asked.mirrored, asked.rotation) == (False, 0)
        and asked.quality in ("default", "color")
        and asked.format == "jpg"
    )
    limit = (level.columns, level.rows)
    return View(pieces, tile, limit, (left, top, right, bottom), exact, alone, asked)


def _level(slide: Pyramid, asked: Asked) -> Level:
    """The smallest level that is not coarser than the picture, but for a part of a pixel."""
    for level in reversed(slide.levels):
        across, down = _scale(slide, level)
        columns, rows = asked.columns / across, asked.rows / down
        if (columns >= asked.width or _meets(columns, asked.width)) and (
            rows >= asked.height or _meets(rows, asked.height)
        ):
            return level
    return slide.levels[0]


def _meets(pixels: float, side: int) -> bool:
    """Whether pixels of a level are those of the picture, which viewers round up or down."""
    return abs(pixels - side) < min(1, side / 16)


def _scale(slide: Pyramid, level: Level) -> tuple[float, float]:
    """Pixels of the largest level for one of this, across and down."""
    factor = slide.factor(level)
    if factor is not None:
        return factor, factor
    return slide.columns / level.columns, slide.rows / level.rows

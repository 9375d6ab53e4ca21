"""The levels of a slide: what the instances of a series make together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vna.render.slide.tiles import Numbers, Tiles


@dataclass(frozen=True)
class Level:
    """One resolution. `parts`: for each tile the place of its instance among those given."""

    columns: int
    rows: int
    tile_columns: int
    tile_rows: int
    x: Numbers
    y: Numbers
    frames: Numbers
    parts: Numbers

    def within(self, left: float, top: float, right: float, bottom: float) -> NDArray[np.intp]:
        """The tiles that a rectangle touches."""
        return np.flatnonzero(
            (self.x < right)
            & (self.x + self.tile_columns > left)
            & (self.y < bottom)
            & (self.y + self.tile_rows > top)
        )


@dataclass(frozen=True)
class Pyramid:
    """`levels`: the largest first, at least one; all show the same."""

    levels: tuple[Level, ...]

    @property
    def columns(self) -> int:
        """Of the largest level."""
        return self.levels[0].columns

    @property
    def rows(self) -> int:
        """Of the largest level."""
        return self.levels[0].rows

    def factor(self, level: Level) -> int | None:
        """How many times smaller a level is, where that is a whole number but for rounding."""
        factor = round(self.columns / level.columns)
        exact = (
            abs(self.columns / factor - level.columns) < 1
            and abs(self.rows / factor - level.rows) < 1
        )
        return factor if exact else None


def pyramid(instances: Sequence[Tiles | None]) -> Pyramid | None:
    """The pyramid of a series; None where no instance is a part of one.

    Instances of one size are one level: a concatenation, or the first of several focal planes and
    optical paths. A level of another shape than the largest shows something else and is left out.
    """
    sizes: dict[tuple[int, int, int, int], list[int]] = {}
    for at, each in enumerate(instances):
        if each is not None and len(each.x):
            size = (each.columns, each.rows, each.tile_columns, each.tile_rows)
            sizes.setdefault(size, []).append(at)
    found: list[Level] = []
    for size in sorted(sizes, key=lambda size: (-size[0] * size[1], size)):
        level = _level(size, [(at, instances[at]) for at in sizes[size]])
        if not found or (_same_shape(found[0], level) and level.columns < found[-1].columns):
            found.append(level)
    return Pyramid(tuple(found)) if found else None


def _level(size: tuple[int, int, int, int], parts: Sequence[tuple[int, Tiles | None]]) -> Level:
    there = [(at, each) for at, each in parts if each is not None]
    x = np.concatenate([each.x for _, each in there])
    y = np.concatenate([each.y for _, each in there])
    frames = np.concatenate([each.frames for _, each in there])
    numbers = np.concatenate([np.full(len(each.x), at, np.int32) for at, each in there])
    _, first = np.unique(np.column_stack((y, x)), axis=0, return_index=True)
    return Level(*size, x[first], y[first], frames[first], numbers[first])


def _same_shape(base: Level, level: Level) -> bool:
    """Whether both have the same proportions, as exactly as the smaller one can say them."""
    expected = base.rows * level.columns / base.columns
    return abs(expected - level.rows) <= 1 + base.rows / base.columns

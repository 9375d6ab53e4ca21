"""A sheet of paper as a value: what is drawn where, in millimetres from its upper left corner."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  # n × 2: x to the right, y down

INK = (0, 0, 0)
FINE = (246, 210, 208)
COARSE = (232, 160, 156)
FINE_MM, COARSE_MM, TRACE_MM = 0.1, 0.2, 0.25  # widths of lines


@dataclass(frozen=True, slots=True)
class Grid:
    """Squares of 1 mm and of 5 mm from (left, top) to (right, bottom), whole multiples of 5 mm."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through the points of each run. `facts`: what it shows, for machines."""

    runs: tuple[Points, ...]
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; (x, y) is where its base line begins. `size`: mm from line to line."""

    x: float
    y: float
    text: str
    size: float = 3.5


@dataclass(frozen=True, slots=True)
class Sheet:
    """`strokes` are clipped to the grid; `height` and `width` in mm."""

    width: int
    height: int
    grid: Grid
    strokes: tuple[Stroke, ...]
    texts: tuple[Text, ...] = field(default=())

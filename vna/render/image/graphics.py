"""Graphics and text of a presentation state on a picture (PS3.3 §C.10.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from vna.dicom.item import Item
from vna.render.image.gray import Levels
from vna.render.image.placement import Placement
from vna.render.image.presentation_state import PresentationState
from vna.render.waveform.lettering import font, legible

_ANNOTATIONS, _LAYERS = 0x00700001, 0x00700060
_LAYER, _ORDER, _GRAY = 0x00700002, 0x00700062, 0x00700066
_TEXTS, _OBJECTS = 0x00700008, 0x00700009
_BOX_UNITS, _ANCHOR_UNITS, _GRAPHIC_UNITS = 0x00700003, 0x00700004, 0x00700005
_TEXT, _BOX_FROM, _BOX_TO, _ANCHOR = 0x00700006, 0x00700010, 0x00700011, 0x00700014
_JUSTIFICATION, _DATA, _TYPE, _FILLED = 0x00700012, 0x00700022, 0x00700023, 0x00700024
_MOST_POINTS = 100_000
_TEXT_SHARE = 40  # of the height of the picture, one line where no box says more
_SEGMENTS = 16  # between two points of an interpolated curve
_WHITE = 255

Point = tuple[float, float]
_Where = Callable[[float, float], Point]


@dataclass(frozen=True, slots=True)
class Layer:
    """`shade`: of what is drawn in it, 0 to 255."""

    name: str
    order: float
    shade: int


def layers_of(item: Item) -> list[Layer]:
    """The graphic layers, the lowest first (§C.10.7)."""
    found = [
        Layer(each.first(_LAYER), each.number(_ORDER) or 0.0, _shade(each.number(_GRAY)))
        for each in item.items(_LAYERS)
    ]
    return sorted(found, key=lambda each: each.order)


def draw(levels: Levels, state: PresentationState, placement: Placement) -> Levels:
    """The picture with every graphic and text of the state; `placement`: of the image on it.

    Raises `NotAcceptable` where a text cannot be written with the letters that there are.
    """
    annotations = list(state.concerning(_ANNOTATIONS))
    if not annotations:
        return levels
    image = Image.fromarray(levels)
    pen = ImageDraw.Draw(image)
    places = {layer.name: place for place, layer in enumerate(layers_of(state.item))}
    shades = {layer.name: layer.shade for layer in layers_of(state.item)}
    for each in sorted(annotations, key=lambda each: places.get(each.first(_LAYER), 0)):
        shade = shades.get(each.first(_LAYER), _WHITE)
        for graphic in each.items(_OBJECTS):
            _graphic(pen, graphic, _units(graphic, _GRAPHIC_UNITS, placement), shade)
        for text in each.items(_TEXTS):
            _text(pen, text, placement, shade)
    return np.asarray(image)


def _shade(value: float | None) -> int:
    return _WHITE if value is None else min(0xFFFF, max(0, int(value))) >> 8


def _units(item: Item, tag: int, placement: Placement) -> _Where:
    """Where a point is: in samples of the image, or in fractions of what is displayed."""
    if item.first(tag).upper() == "PIXEL":
        return placement.point
    return lambda x, y: (x * placement.width, y * placement.height)


def _graphic(pen: ImageDraw.ImageDraw, item: Item, where: _Where, shade: int) -> None:
    numbers = item.numbers(_DATA)[: 2 * _MOST_POINTS]
    points = [where(x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=False)]
    if not points:
        return
    fill = _ink(pen, shade)
    filled = item.first(_FILLED).upper() == "Y"
    match item.first(_TYPE).upper():
        case "POINT":
            x, y = points[0]
            pen.ellipse((x - 1.5, y - 1.5, x + 1.5, y + 1.5), fill=fill)
        case "POLYLINE":
            _line(pen, points, fill, filled)
        case "INTERPOLATED":
            _line(pen, _smooth(points), fill, filled)
        case "CIRCLE" if len(points) >= 2:
            (x, y), (on_x, on_y) = points[:2]
            radius = ((on_x - x) ** 2 + (on_y - y) ** 2) ** 0.5
            box = (x - radius, y - radius, x + radius, y + radius)
            pen.ellipse(box, outline=fill, fill=fill if filled else None)
        case "ELLIPSE" if len(points) >= 4:
            _line(pen, _ellipse(points), fill, filled)


def _line(
    pen: ImageDraw.ImageDraw, points: list[Point], fill: int | tuple[int, int, int], filled: bool
) -> None:
    if len(points) == 1:
        pen.point(points, fill=fill)
    elif filled and len(points) > 2 and points[0] == points[-1]:
        pen.polygon(points, fill=fill, outline=fill)
    else:
        pen.line(points, fill=fill, width=1)


def _smooth(points: list[Point]) -> list[Point]:
    """A Catmull-Rom curve through the points; how to interpolate is left open (§C.10.5.1.2)."""
    if len(points) < 3:
        return points
    closed = points[0] == points[-1]
    around = [points[-2], *points, points[1]] if closed else [points[0], *points, points[-1]]
    places = np.asarray(around, float)
    at = np.linspace(0, 1, _SEGMENTS, endpoint=False)[:, None]
    found: list[Point] = []
    for before, first, second, after in zip(
        places, places[1:], places[2:], places[3:], strict=False
    ):
        curve = 0.5 * (
            2 * first
            + (second - before) * at
            + (2 * before - 5 * first + 4 * second - after) * at**2
            + (3 * first - before - 3 * second + after) * at**3
        )
        found += [(x, y) for x, y in curve.tolist()]
    return [*found, points[-1]]


def _ellipse(points: list[Point]) -> list[Point]:
    """By the ends of its major and of its minor axis."""
    ends = np.asarray(points[:4], float)
    center = ends[:2].mean(axis=0)
    major, minor = (ends[1] - ends[0]) / 2, (ends[3] - ends[2]) / 2
    turn = np.linspace(0, 2 * np.pi, 90)[:, None]
    return [(x, y) for x, y in (center + np.cos(turn) * major + np.sin(turn) * minor).tolist()]


def _text(pen: ImageDraw.ImageDraw, item: Item, placement: Placement, shade: int) -> None:
    lines = [legible(line) for line in item.text(_TEXT).replace("\r", "").split("\n")]
    words = "\n".join(lines)
    if not words.strip():
        return
    box = [item.numbers(tag) for tag in (_BOX_FROM, _BOX_TO)]
    anchor = item.numbers(_ANCHOR)
    height = max(8.0, placement.height / _TEXT_SHARE)
    ink = _ink(pen, shade)
    if all(len(each) == 2 for each in box):
        where = _units(item, _BOX_UNITS, placement)
        (left, top), (right, bottom) = where(*box[0]), where(*box[1])
        left, right = min(left, right), max(left, right)
        top, bottom = min(top, bottom), max(top, bottom)
        height = max(8.0, min(height, (bottom - top) / len(lines) * 0.8))
        across = {"CENTER": 0.5, "RIGHT": 1.0}.get(item.first(_JUSTIFICATION).upper(), 0.0)
        width = pen.multiline_textbbox((0, 0), words, font=font(height))[2]
        pen.multiline_text(
            (left + max(0.0, right - left - width) * across, top),
            words,
            fill=ink,
            font=font(height),
        )
    elif len(anchor) == 2:
        x, y = _units(item, _ANCHOR_UNITS, placement)(anchor[0], anchor[1])
        pen.multiline_text((x, y), words, fill=ink, font=font(height))


def _ink(pen: ImageDraw.ImageDraw, shade: int) -> int | tuple[int, int, int]:
    return (shade, shade, shade) if pen.mode == "RGB" else shade

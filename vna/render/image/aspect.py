"""How much higher than wide a pixel is (PS3.3 §C.7.6.3.1.7, §10.7)."""

from __future__ import annotations

from vna.dicom.item import Item
from vna.render.image.frame_attributes import FrameAttributes

_RATIO, _SPACING = 0x00280034, 0x00280030
_PIXEL_MEASURES = 0x00289110
_OTHER_SPACINGS = (0x00181164, 0x00182010)  # of the imager, of a film scanner
_REGIONS, _SPATIAL_FORMAT, _TISSUE = 0x00186011, 0x00186012, 1
_DELTA_X, _DELTA_Y, _UNITS_X, _UNITS_Y = 0x0018602C, 0x0018602E, 0x00186024, 0x00186026
_SQUARE = 1.001  # less is the rounding of decimal strings
_MOST = 20.0  # more is a mistake of whoever wrote it


def aspect_of_frame(frame: FrameAttributes) -> float:
    """Height of a pixel divided by its width; 1 where nothing else is said."""
    whole = frame.whole
    pairs = [whole.numbers(_RATIO), frame.in_macro(_PIXEL_MEASURES, _SPACING).numbers(_SPACING)]
    pairs += [whole.numbers(tag) for tag in _OTHER_SPACINGS]
    for pair in pairs:
        if len(pair) == 2 and min(pair) > 0:
            return _sane(pair[0] / pair[1])
    return _of_ultrasound(whole)


def aspect_of_pair(pair: list[float]) -> float | None:
    """Of a pair (vertical, horizontal); None where it is none."""
    return _sane(pair[0] / pair[1]) if len(pair) == 2 and min(pair) > 0 else None


def _of_ultrasound(item: Item) -> float:
    """Of the one region that shows tissue; with several scales there is no one ratio."""
    ratios = set()
    for region in item.items(_REGIONS):
        deltas = [region.number(tag) or 0.0 for tag in (_DELTA_Y, _DELTA_X)]
        same = region.integer(_UNITS_X) == region.integer(_UNITS_Y)
        if region.integer(_SPATIAL_FORMAT) == _TISSUE and same and all(deltas):
            ratios.add(_sane(abs(deltas[0] / deltas[1])))
    return ratios.pop() if len(ratios) == 1 else 1.0


def _sane(ratio: float) -> float:
    near = 1 / _SQUARE < ratio < _SQUARE
    return 1.0 if near or not 1 / _MOST <= ratio <= _MOST else ratio

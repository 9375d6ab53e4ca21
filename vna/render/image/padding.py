"""Samples that are no part of the image (PS3.3 §C.7.5.1.1.2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from vna.dicom.item import Item
from vna.pixels.description import DOUBLE_FLOAT_PIXEL_DATA, FLOAT_PIXEL_DATA, PixelDescription
from vna.render.image.lookup import Array

_VALUE, _LIMIT = 0x00280120, 0x00280121
_FLOATS = {FLOAT_PIXEL_DATA: (0x00280122, 0x00280124),
           DOUBLE_FLOAT_PIXEL_DATA: (0x00280123, 0x00280125)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Padding:
    """Stored values from `low` to `high`."""

    low: float
    high: float

    def __call__(self, samples: Array) -> Array:
        """Whether each sample is padding."""
        if self.low == self.high:
            found: Array = samples == self.low
            return found
        return np.logical_and(samples >= self.low, samples <= self.high)


def padding_of(item: Item, description: PixelDescription) -> Padding | None:
    """What an image says, None where it says nothing."""
    if description.floating:
        first, limit = (item.number(tag) for tag in _FLOATS[description.pixel_tag])
    else:
        first, limit = (_stored(item, tag, description) for tag in (_VALUE, _LIMIT))
    if first is None:
        return None
    limit = first if limit is None else limit
    return Padding(min(first, limit), max(first, limit))


def _stored(item: Item, tag: int, description: PixelDescription) -> float | None:
    """A value as the samples have it: its VR is often that of the other sign."""
    found = item.element(tag)
    if found is None or not found.value or len(found.value) not in (2, 4):
        return item.number(tag)
    order = ">" if found.big else "<"
    kind = {2: "h", 4: "i"}[len(found.value)]
    kind = kind if description.signed else kind.upper()
    (value,) = struct.unpack(order + kind, found.value)
    return float(value)

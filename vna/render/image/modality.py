"""Stored values become those of the modality: Hounsfield units, doses (PS3.3 §C.11.1)."""

from __future__ import annotations

from dataclasses import dataclass

from vna.dicom.item import Item
from vna.render.image.frame_attributes import FrameAttributes
from vna.render.image.lookup import Array, LookupTable, lookup_table

PIXEL_VALUE_TRANSFORMATION = 0x00289145
_SEQUENCE, _INTERCEPT, _SLOPE = 0x00283000, 0x00281052, 0x00281053
_DOSE_GRID_SCALING = 0x3004000E


@dataclass(frozen=True, slots=True)
class Modality:
    """`value · slope + intercept`, or a table in their place."""

    slope: float = 1.0
    intercept: float = 0.0
    table: LookupTable | None = None

    @property
    def identity(self) -> bool:
        """Whether values stay what they are."""
        return self.table is None and (self.slope, self.intercept) == (1.0, 0.0)

    def __call__(self, values: Array) -> Array:
        """Values of the modality, as floating point numbers."""
        if self.table is not None:
            return self.table(values).astype(float)
        return values if self.identity else values * self.slope + self.intercept


def modality_of_frame(frame: FrameAttributes, *, signed: bool) -> Modality:
    """What an image says; the dose of RT Dose counts as well. Raises `Undecodable`."""
    macro = frame.macro(PIXEL_VALUE_TRANSFORMATION)
    if macro is not None and macro.has(_SLOPE):
        return modality_of(macro, signed=signed)
    scaling = frame.whole.number(_DOSE_GRID_SCALING)
    return Modality(scaling) if scaling else modality_of(frame.whole, signed=signed)


def modality_of(item: Item, *, signed: bool) -> Modality:
    """What an item says; without anything values stay what they are. Raises `Undecodable`."""
    table = item.item(_SEQUENCE)
    if table is not None:
        return Modality(table=lookup_table(table, signed=signed))
    slope, intercept = item.number(_SLOPE), item.number(_INTERCEPT)
    # A slope of 0 would make one value of all; it is a mistake of whoever wrote it.
    return Modality(slope or 1.0, intercept or 0.0)

"""The values of interest over the whole range of gray (PS3.3 §C.11.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vna.dicom.item import Item
from vna.render.image.frame_attributes import FrameAttributes
from vna.render.image.lookup import Array, LookupTable, lookup_table

FRAME_VOI = 0x00289132
_SEQUENCE, _CENTER, _WIDTH, _FUNCTION = 0x00283010, 0x00281050, 0x00281051, 0x00281056
LINEAR, LINEAR_EXACT, SIGMOID = "LINEAR", "LINEAR_EXACT", "SIGMOID"


@dataclass(frozen=True, slots=True)
class Window:
    """`width` is positive, and at least 1 for LINEAR (§C.11.2.1.2)."""

    center: float
    width: float
    function: str = LINEAR

    def __call__(self, values: Array) -> Array:
        """From 0 to 1."""
        if self.function == SIGMOID:
            with np.errstate(over="ignore"):  # exp of much is infinite, and 1 / inf is 0
                return 1 / (1 + np.exp(-4 * (values - self.center) / self.width))
        if self.function == LINEAR_EXACT:
            return np.clip((values - self.center) / self.width + 0.5, 0, 1)
        if self.width == 1:  # the slope is infinite: the formula's first two cases remain
            return (values > self.center - 0.5).astype(float)
        return np.clip((values - (self.center - 0.5)) / (self.width - 1) + 0.5, 0, 1)


@dataclass(frozen=True, slots=True)
class VoiTable:
    """A VOI LUT (§C.11.2.1.1)."""

    table: LookupTable

    def __call__(self, values: Array) -> Array:
        """From 0 to 1."""
        return self.table(values) / self.table.largest


@dataclass(frozen=True, slots=True)
class Span:
    """Everything from `low`, which is black, to `high`, which is white."""

    low: float
    high: float

    def __call__(self, values: Array) -> Array:
        """From 0 to 1."""
        if self.high <= self.low:
            return np.zeros(np.shape(values))
        return np.clip((values - self.low) / (self.high - self.low), 0, 1)


Voi = Window | VoiTable | Span


def voi_of_frame(frame: FrameAttributes) -> Window | VoiTable | None:
    """What an image says, its first window; None where it says nothing that can be used."""
    macro = frame.macro(FRAME_VOI)
    found = voi_of(macro) if macro is not None else None
    return found or voi_of(frame.whole)


def voi_of(item: Item) -> Window | VoiTable | None:
    """The first window of an item, else its first table. Raises `Undecodable`."""
    center, width = item.number(_CENTER), item.number(_WIDTH)
    if center is not None and width is not None and width > 0:
        function = item.first(_FUNCTION).upper() or LINEAR
        if function not in (LINEAR, LINEAR_EXACT, SIGMOID):
            function = LINEAR
        # Not allowed for LINEAR, but seen where values are fractions: the other formula is meant.
        if function == LINEAR and width < 1:
            function = LINEAR_EXACT
        return Window(center, width, function)
    table = item.item(_SEQUENCE)
    if table is None:
        return None
    # Its input, the output of the modality LUT, is signed only with a rescale (§C.11.2.1.1).
    return VoiTable(lookup_table(table, signed=_signed(table)))


def _signed(table: Item) -> bool:
    """The VR says it: the input's type is that of another stage, which may not be known here."""
    found = table.element(0x00283002)
    return found is not None and found.vr == "SS"

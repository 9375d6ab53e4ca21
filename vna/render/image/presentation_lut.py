"""From values of interest to P-values, which look equally far apart (PS3.3 §C.11.4, §C.11.6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vna.dicom.item import Item
from vna.render.image.lookup import Array, LookupTable, lookup_table

_SEQUENCE, _SHAPE, _PHOTOMETRIC = 0x20500010, 0x20500020, 0x00280004


@dataclass(frozen=True, slots=True)
class PresentationLut:
    """A table over the whole input range, else as it is or `inverse`."""

    inverse: bool = False
    table: LookupTable | None = None

    def __call__(self, values: Array) -> Array:
        """From 0 to 1, of values from 0 to 1."""
        if self.table is not None:
            count = len(self.table.entries)
            places = np.minimum(np.floor(values * count), count - 1).astype(np.intp)
            found: Array = self.table.entries[places] / self.table.largest
            return found
        return 1 - values if self.inverse else values


def presentation_of_image(item: Item) -> PresentationLut:
    """What an image says: MONOCHROME1 and an inverse shape are one and the same wish."""
    shape, photometric = item.first(_SHAPE).upper(), item.first(_PHOTOMETRIC).upper()
    return PresentationLut(inverse=shape == "INVERSE" or photometric == "MONOCHROME1")


def presentation_of(item: Item) -> PresentationLut:
    """What a presentation state says. Raises `Undecodable`."""
    table = item.item(_SEQUENCE)
    if table is not None:
        return PresentationLut(table=lookup_table(table, signed=False))
    return PresentationLut(inverse=item.first(_SHAPE).upper() == "INVERSE")

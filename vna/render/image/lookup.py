"""Lookup tables as data sets have them (PS3.3 §C.11.1.1, §C.11.2.1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vna.dicom.item import Item
from vna.errors import Undecodable

DESCRIPTOR, DATA = 0x00283002, 0x00283006
Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class LookupTable:
    """`entries[0]` is for inputs up to `first`, the last entry for all beyond (§C.11.1.1.1).
    `bits`: of an entry, 1 to 16."""

    first: int
    bits: int
    entries: Array

    def __call__(self, values: Array) -> Array:
        """The entry of each value; fractions are cut off."""
        places = np.clip(np.floor(values) - self.first, 0, len(self.entries) - 1)
        found: Array = self.entries[places.astype(np.intp)]
        return found

    @property
    def largest(self) -> int:
        """The largest number that an entry can be."""
        return (1 << self.bits) - 1


def lookup_table(
    item: Item, *, signed: bool, descriptor: int = DESCRIPTOR, data: int = DATA
) -> LookupTable:
    """The table of two attributes. `signed`: whether its input may be negative.

    Raises `Undecodable` where one is missing or broken.
    """
    count, first, bits = described(item, descriptor, signed=signed)
    found = item.element(data)
    if found is None or not found.value:
        raise Undecodable(f"the lookup table ({data >> 16:04X},{data & 0xFFFF:04X}) is missing")
    return LookupTable(first, bits, entries(found.value, count, bits, big=found.big))


def described(item: Item, tag: int, *, signed: bool) -> tuple[int, int, int]:
    """(number of entries, first value mapped, bits of an entry). Raises `Undecodable`."""
    found = item.element(tag)
    value = found.value if found is not None else None
    if found is None or value is None or len(value) < 6:
        raise Undecodable(f"the LUT descriptor ({tag >> 16:04X},{tag & 0xFFFF:04X}) is missing")
    count, first, bits = np.frombuffer(value[:6], ">u2" if found.big else "<u2").tolist()
    # 0 stands for 65536, which 16 bits cannot say. The VR of the first value is often wrong; the
    # input decides about its sign.
    first = first - 0x10000 if signed and first & 0x8000 else first
    if not 1 <= bits <= 16:
        raise Undecodable(f"a lookup table has entries of {bits} bits")
    return count or 0x10000, first, bits


def entries(value: bytes, count: int, bits: int, *, big: bool) -> Array:
    """The numbers of LUT Data; of 8 bits they come as bytes or as words. Raises `Undecodable`."""
    if len(value) in (count, count + 1) and bits <= 8:
        return np.frombuffer(value, np.uint8, count)
    words = np.frombuffer(value[: len(value) // 2 * 2], ">u2" if big else "<u2").astype(np.uint16)
    if not len(words):
        raise Undecodable("a lookup table is empty")
    found = words[:count]
    return found & ((1 << bits) - 1) if bits < 16 else found

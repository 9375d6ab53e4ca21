"""Data elements back to bytes, little endian; what was cut out stays a stretch of the object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from struct import pack

from vna.dicom.coding import ITEM, ITEM_END, SEQUENCE_END, UNDEFINED
from vna.dicom.dictionary import SHORT_VRS, UNIT
from vna.dicom.elements import Element, Elements
from vna.dicom.values import swapped

PIXEL_DATA = 0x7FE00010
_BITS_ALLOCATED = 0x00280100
_LONGEST_SHORT = 65534  # bytes; a longer value of a VR with a 16-bit length becomes UN
_LONGEST_DEFINED = 0xFFFFFFFE


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bytes of the data set, as it lies in the object or inflated: `length` bytes from `offset`.

    `unit`: bytes to turn around, 1 where they are passed as they are.
    """

    offset: int
    length: int
    unit: int = 1


Part = bytes | Stretch


def size_of(parts: Iterable[Part]) -> int:
    """Bytes that the parts will be."""
    return sum(len(part) if isinstance(part, bytes) else part.length for part in parts)


def write(elements: Elements, *, implicit: bool = False) -> list[Part]:
    """The data set of `elements` in Explicit (or Implicit) VR LE, neighbouring bytes joined.

    Group lengths are left out: they are retired and no longer true (PS3.5 §7.2).  A sequence keeps
    the kind of its length, defined or undefined.
    """
    return _joined(_elements(elements, implicit, bits_allocated(elements)))


def bits_allocated(elements: Elements) -> int:
    """Bits Allocated (0028,0100) of the first level, 0 where absent."""
    for element in elements:
        if element.tag == _BITS_ALLOCATED and element.value:
            return int.from_bytes(element.value[:2], "big" if element.big else "little")
    return 0


def unit_of(element: Element, bits: int) -> int:
    """Bytes that are turned around to make the value little endian, 1 where it is.

    Pixel data of 32 and 64 bits written as OW are turned by their own width, as those who write
    them do, though OW is 16 bits wide (PS3.5 §8.2, §A.3).
    """
    if not element.big or element.undefined:
        return 1
    unit = UNIT.get(element.vr, 1)
    if element.tag == PIXEL_DATA and element.vr == "OW" and bits in (32, 64):
        return bits // 8
    return unit


def _elements(elements: Elements, implicit: bool, bits: int) -> list[Part]:
    parts: list[Part] = []
    for element in elements:
        if not element.tag & 0xFFFF:
            continue
        if element.items is not None:
            parts += _sequence(element, implicit, bits)
            continue
        unit = unit_of(element, bits)
        length = UNDEFINED if element.undefined else element.length
        parts.append(element_head(element.tag, element.vr, length, implicit=implicit))
        if element.value is None:
            parts.append(Stretch(element.offset, element.length, unit))
        else:
            parts.append(swapped(element.value, unit))
    return parts


def _sequence(element: Element, implicit: bool, bits: int) -> list[Part]:
    parts: list[Part] = []
    undefined = element.undefined
    for item in element.items or ():
        inside = _elements(item, implicit, bits)
        length = size_of(inside)
        if undefined or length > _LONGEST_DEFINED:
            parts += [_tag(ITEM, UNDEFINED), *inside, _tag(ITEM_END, 0)]
        else:
            parts += [_tag(ITEM, length), *inside]
    length = size_of(parts)
    if undefined or length > _LONGEST_DEFINED:
        parts.append(_tag(SEQUENCE_END, 0))
        length = UNDEFINED
    return [element_head(element.tag, "SQ", length, implicit=implicit), *parts]


def _tag(tag: int, length: int) -> bytes:
    return pack("<HHI", tag >> 16, tag & 0xFFFF, length)


def element_head(tag: int, vr: str, length: int, *, implicit: bool = False) -> bytes:
    """What stands before a value of `length` bytes."""
    if implicit:
        return _tag(tag, length)
    name = vr.encode("ascii")
    if vr in SHORT_VRS:
        if length <= _LONGEST_SHORT:
            return pack("<HH2sH", tag >> 16, tag & 0xFFFF, name, length)
        name = b"UN"  # PS3.5 §6.2.2
    return pack("<HH2sHI", tag >> 16, tag & 0xFFFF, name, 0, length)


def _joined(parts: list[Part]) -> list[Part]:
    joined: list[Part] = []
    run: list[bytes] = []
    for part in parts:
        if isinstance(part, bytes):
            run.append(part)
            continue
        if run:
            joined.append(b"".join(run))
            run = []
        joined.append(part)
    if run:
        joined.append(b"".join(run))
    return joined

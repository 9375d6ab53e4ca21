"""A Part 10 file made of elements and of values that lie elsewhere.

The values are stretches of one source, in which whoever made the elements has put them; PS3.5 §8.2
and §A.4 say how pixel data are wrapped.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from struct import pack

from vna.dicom.convert import file_meta, uid_of
from vna.dicom.elements import Element, Elements
from vna.dicom.scan import SOP_CLASS, SOP_UID
from vna.dicom.writer import PIXEL_DATA, Part, Stretch, element_head, write
from vna.errors import InvalidValue

LONGEST_FRAGMENT = 0xFFFFFFFE  # bytes of an item, and of a value of defined length (PS3.5 §7.1)
_LAST_OFFSET = 0xFFFFFFFF  # of a Basic Offset Table
_EXTENDED_OFFSETS, _EXTENDED_LENGTHS = 0x7FE00001, 0x7FE00002
_ITEM, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class PixelElement:
    """Pixel Data (7FE0,0010) in the transfer syntax `syntax`: its parts with its head, and the
    elements that belong before it."""

    syntax: str
    parts: Sequence[Part]
    before: Elements


def compose(elements: Elements, syntax: str, pixels: PixelElement | None = None) -> list[Part]:
    """The parts of the file: a file meta of our own, then the elements in ascending order.

    An element without a value is a stretch of as many bytes as it has, padding included.
    """
    if pixels is None:
        parts: list[Part] = write(sorted(elements, key=_tag_of))
    else:
        given = [*elements, *pixels.before]
        first = sorted((each for each in given if each.tag < PIXEL_DATA), key=_tag_of)
        last = sorted((each for each in given if each.tag > PIXEL_DATA), key=_tag_of)
        parts = [*write(first), *pixels.parts, *write(last)]
        syntax = pixels.syntax
    return [file_meta(syntax, uid_of(elements, SOP_CLASS), uid_of(elements, SOP_UID)), *parts]


def native(syntax: str, vr: str, stretches: Sequence[Stretch]) -> PixelElement:
    """Native pixel data of one or more stretches that follow each other without padding."""
    length = sum(each.length for each in stretches)
    if length > LONGEST_FRAGMENT:
        raise InvalidValue("PixelData", str(length), "have less than 4 GiB in native form")
    pad = [b"\0"] if length % 2 else []
    head = element_head(PIXEL_DATA, vr, length + length % 2)
    return PixelElement(syntax, [head, *stretches, *pad], [])


def encapsulated(syntax: str, frames: Sequence[Stretch]) -> PixelElement:
    """A fragment for each frame; more only of one beyond 4 GiB, which must be the only one.

    Several frames get the table of their offsets: the basic one, beyond 4 GiB the extended one.
    """
    items = [piece for frame in frames for piece in _pieces(frame)]
    sizes = [8 + each.length + each.length % 2 for each in items]
    offsets = list(accumulate(sizes[:-1], initial=0))
    if len(frames) > 1 and len(items) > len(frames):
        raise InvalidValue("PixelData", "", "have frames of less than 4 GiB where it has several")
    basic, before = b"", Elements()
    if len(frames) > 1 and offsets[-1] <= _LAST_OFFSET:
        basic = pack(f"<{len(offsets)}I", *offsets)
    elif len(frames) > 1:
        lengths = (size - 8 for size in sizes)
        before = [_table(_EXTENDED_OFFSETS, offsets), _table(_EXTENDED_LENGTHS, lengths)]
    parts: list[Part] = [element_head(PIXEL_DATA, "OB", _UNDEFINED) + _head(_ITEM, len(basic))]
    parts.append(basic)
    for item in items:
        parts += [_head(_ITEM, item.length + item.length % 2), item]
        if item.length % 2:
            parts.append(b"\0")
    parts.append(_head(_SEQUENCE_END, 0))
    return PixelElement(syntax, parts, before)


def _pieces(frame: Stretch) -> Iterable[Stretch]:
    for start in range(0, max(frame.length, 1), LONGEST_FRAGMENT):
        yield Stretch(frame.offset + start, min(LONGEST_FRAGMENT, frame.length - start))


def _table(tag: int, numbers: Iterable[int]) -> Element:
    table = array("Q", numbers)
    value = pack(f"<{len(table)}Q", *table)
    return Element(tag, "OV", value, 0, len(value))


def _head(tag: int, length: int) -> bytes:
    return pack("<HHI", tag >> 16, tag & 0xFFFF, length)


def _tag_of(element: Element) -> int:
    return element.tag

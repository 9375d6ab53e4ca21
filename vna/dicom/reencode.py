"""A data set around other pixel data: what stands before them, what behind, and between frames.

The frames themselves come from elsewhere; PS3.5 §8.2 and §A.4 say how they are wrapped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from struct import pack

from vna.dicom.anatomy import Anatomy
from vna.dicom.convert import fetcher, file_meta, uid_of
from vna.dicom.edit import Correction, apply
from vna.dicom.elements import Element, Elements, read_elements
from vna.dicom.header import Header
from vna.dicom.scan import SOP_CLASS, SOP_UID
from vna.dicom.source import Source
from vna.dicom.transfer_syntax import IMPLICIT_LE
from vna.dicom.writer import PIXEL_DATA, Part, element_head, write
from vna.errors import NotAcceptable

LONGEST_NATIVE = 0xFFFFFFFE  # bytes of a value of defined length; PS3.5 §7.1
_EXTENDED_OFFSETS = (0x7FE00001, 0x7FE00002)
_BITS_ALLOCATED = 0x00280100
_VR = {"00280004": "CS"}  # of what changes with the encoding; the rest is US
_ITEM, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE0DD


@dataclass(frozen=True, slots=True)
class Frame:
    """`before` and `behind`: parts of a Part 10 file, in Explicit VR LE unless it was asked for in
    Implicit VR LE, around the frames."""

    before: tuple[Part, ...]
    behind: tuple[Part, ...]


def around(
    source: Source,
    header: Header,
    anatomy: Anatomy,
    syntax: str,
    changes: Mapping[str, int | str],
    correction: Correction | None = None,
    native_length: int | None = None,
) -> Frame:
    """What surrounds pixel data that are put into `syntax`.

    `changes`: values that the new encoding asks for, by tag ("00280004": "RGB"). `native_length`:
    bytes of native pixel data; None where frames follow as items (`item`). `source` is read only
    where text must be put in another character set for a correction. Raises `NotAcceptable`.
    """
    if header.incomplete:
        raise NotAcceptable("the object's structure is broken: it is only given as it was received")
    elements = read_elements(header)
    if correction is not None:
        elements = apply(elements, correction, fetcher(source, anatomy))
    elements = _changed(elements, changes)
    implicit = syntax == IMPLICIT_LE
    meta = file_meta(syntax, uid_of(elements, SOP_CLASS), uid_of(elements, SOP_UID))
    first = [each for each in elements if each.tag < PIXEL_DATA]
    first = [each for each in first if each.tag not in _EXTENDED_OFFSETS]
    last = [each for each in elements if each.tag > PIXEL_DATA]
    if native_length is None:
        opening = element_head(PIXEL_DATA, "OB", 0xFFFFFFFF) + pack(
            "<HHI", _ITEM >> 16, _ITEM & 0xFFFF, 0
        )
        closing = [pack("<HHI", _SEQUENCE_END >> 16, _SEQUENCE_END & 0xFFFF, 0)]
    else:
        if native_length > LONGEST_NATIVE:
            raise NotAcceptable(f"{native_length} bytes of pixel data do not fit into native form")
        vr = "OB" if _number(elements, _BITS_ALLOCATED) <= 8 else "OW"
        length = native_length + native_length % 2
        opening = element_head(PIXEL_DATA, vr, length, implicit=implicit)
        closing = []
        if native_length % 2:
            closing = [b"\0"]
    before = (meta, *write(first, implicit=implicit), opening)
    return Frame(before, (*closing, *write(last, implicit=implicit)))


def item(frame: bytes) -> bytes:
    """A frame as an item of encapsulated pixel data, of even length."""
    padded = frame + b"\0" * (len(frame) % 2)
    return pack("<HHI", _ITEM >> 16, _ITEM & 0xFFFF, len(padded)) + padded


def _changed(elements: Elements, changes: Mapping[str, int | str]) -> Elements:
    made = {int(tag, 16): _element(tag, value) for tag, value in changes.items()}
    kept = [each for each in elements if each.tag not in made]
    return sorted([*kept, *made.values()], key=lambda each: each.tag)


def _element(tag: str, value: int | str) -> Element:
    if isinstance(value, int):
        data = pack("<H", value)
    else:
        data = value.encode("ascii") + b" " * (len(value) % 2)
    return Element(int(tag, 16), _VR.get(tag, "US"), data, 0, len(data))


def _number(elements: Elements, tag: int) -> int:
    for each in elements:
        if each.tag == tag and each.value:
            return int.from_bytes(each.value[:2], "big" if each.big else "little")
    return 0

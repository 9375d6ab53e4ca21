"""The data set of a stored object as those see it who draw it: corrections in it, values whole."""

from __future__ import annotations

from collections.abc import Collection

from vna.dicom.edit import apply
from vna.dicom.elements import Element, Elements, read_elements
from vna.dicom.header import Header
from vna.dicom.transfer_syntax import Encoding
from vna.dicom.writer import Stretch, write
from vna.errors import NotAcceptable
from vna.services.forms import correction_of
from vna.services.stored import Stored
from vna.services.values import Values

LARGEST = 32 << 20  # bytes of a data set that is drawn; most reports have a few thousand

_DRAWN_APART = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))


def data_set(values: Values, stored: Stored, *, leave: Collection[int] = ()) -> bytes:
    """An encoded header in Explicit VR LE. Only pixel data and the elements `leave` stay cut out;
    their offsets mean nothing any more, their lengths do.

    Raises `NotAcceptable` where the rest has more than `LARGEST` bytes, `Damaged`.
    """
    header = stored.header
    elements = read_elements(header)
    correction = correction_of(stored)
    if correction is not None:
        elements = apply(elements, correction, lambda element: _value(values, element))
    if not header.incomplete:
        room = LARGEST - len(header.data)
        elements = _filled(values, elements, frozenset(leave) | _DRAWN_APART, [room])
    data = bytearray()
    cuts: list[tuple[int, int]] = []
    for part in write(elements):
        if isinstance(part, Stretch):
            cuts.append((len(data), part.length))
        else:
            data += part
    return Header(Encoding.EXPLICIT_LE, bytes(data), tuple(cuts), header.incomplete).encode()


def _filled(values: Values, elements: Elements, leave: frozenset[int], room: list[int]) -> Elements:
    """The elements with the values that were cut out; `room`: bytes that they may still have."""
    made: Elements = []
    for element in elements:
        if element.items is not None:
            items = [_filled(values, item, leave, room) for item in element.items]
            made.append(element._replace(items=items))
        elif element.value is None and element.tag not in leave and not element.undefined:
            room[0] -= element.length
            if room[0] < 0:
                raise NotAcceptable(f"the data set has more than {LARGEST} bytes to be drawn")
            made.append(element._replace(value=_value(values, element)))
        else:
            made.append(element)
    return made


def _value(values: Values, element: Element) -> bytes:
    return b"".join(values.stretch(element.offset, element.length))

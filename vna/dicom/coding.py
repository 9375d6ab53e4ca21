"""How one encoding writes the head of a data element (PS3.5 §7.1): what a parser's loop needs.

Tags are compared as the 32-bit number that the encoding's byte order gives, called a key, so that
the loop does no arithmetic: `coding.key(tag)` and `coding.tag(key)` convert.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from vna.dicom.dictionary import LONG_VRS, SHORT_VRS, vrs_of
from vna.dicom.transfer_syntax import Encoding

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
INVALID, SHORT, LONG = 0, 1, 2


def _turned(tag: int) -> int:
    return (tag >> 16 | tag << 16) & 0xFFFFFFFF


class Coding:
    """One of the three encodings.

    `head(data, position)` gives (key, VR as a number, 16-bit length) in explicit VR and
    (key, 32-bit length) in implicit VR; `kinds[vr]` is SHORT, LONG or INVALID.
    """

    def __init__(self, encoding: Encoding) -> None:
        self.encoding = encoding
        self.implicit = encoding is Encoding.IMPLICIT_LE
        self.order = order = ">" if encoding is Encoding.EXPLICIT_BE else "<"
        self.word = Struct(order + "I").unpack_from
        self.pair = Struct(order + "II").unpack_from
        self.head = self.pair if self.implicit else Struct(order + "IHH").unpack_from
        self.turn = order == "<"
        self.names: dict[int, str] = {}
        kinds = bytearray(65536)
        for vr in SHORT_VRS | LONG_VRS:
            number = int.from_bytes(vr.encode("ascii"), "big" if order == ">" else "little")
            kinds[number] = SHORT if vr in SHORT_VRS else LONG
            self.names[number] = vr
        self.kinds = bytes(kinds)
        self.item, self.item_end = self.key(ITEM), self.key(ITEM_END)
        self.sequence_end = self.key(SEQUENCE_END)

    def key(self, tag: int) -> int:
        """The number that this encoding's byte order reads where `tag` is written."""
        return _turned(tag) if self.turn else tag

    tag = key  # the same turn leads back


class Head(NamedTuple):
    """The head of a data element: its value begins at `value`; `length` may be UNDEFINED.

    `vr` is "" where nothing says what it is: read as implicit, not in the dictionary.
    """

    tag: int
    vr: str
    value: int
    length: int
    implicit: bool


CODINGS = {encoding: Coding(encoding) for encoding in Encoding}
IMPLICIT = CODINGS[Encoding.IMPLICIT_LE]


def head_at(data: bytes | bytearray, position: int, coding: Coding, room: int) -> Head | None:
    """The head at `position`, or None where no head can be; `room`: bytes to the container's end.

    Explicit VR that is not one of PS3.5: two capital letters are a VR of tomorrow, with a 32-bit
    length where that is possible (§6.2.2 note), else with a 16-bit one; anything else is an
    element in implicit VR, as some writers mix them.  Raises `struct.error` past the data's end.
    """
    if coding.implicit:
        key, length = coding.pair(data, position)
        tag = coding.tag(key)
        if tag >> 16 == 0xFFFE or tag == 0:
            return None
        return Head(tag, vrs_of(tag), position + 8, length, True)
    key, number, short = coding.head(data, position)
    kind = coding.kinds[number]
    tag = coding.tag(key)
    if kind == SHORT:
        return Head(tag, coding.names[number], position + 8, short, False)
    if kind == LONG:
        return Head(
            tag, coding.names[number], position + 12, coding.word(data, position + 8)[0], False
        )
    group = tag >> 16
    if group == 0xFFFE or tag == 0:
        return None
    first, second = data[position + 4], data[position + 5]
    if 65 <= first <= 90 and 65 <= second <= 90:
        if data[position + 6 : position + 8] == b"\0\0":
            length = coding.word(data, position + 8)[0]
            if 0 < length <= room - 12:
                return Head(tag, "UN", position + 12, length, False)
        return Head(tag, "UN", position + 8, short, False) if short <= room - 8 else None
    length = coding.word(data, position + 4)[0]
    if length > room - 8 and length != UNDEFINED:
        return None
    return Head(tag, vrs_of(tag), position + 8, length, True)


def inside(data: bytes | bytearray, value: int, head: Head, coding: Coding) -> Coding:
    """How the items of the sequence at `value` are written.

    UN holds implicit VR LE (PS3.5 §6.2.2 note 2), but some writers leave explicit VR in it.
    """
    if head.vr != "UN" or coding.implicit:
        return coding
    vr = data[value + 12 : value + 14]  # of the first element in the first item
    explicit = coding.kinds[int.from_bytes(vr, "big" if coding.order == ">" else "little")]
    return coding if explicit else IMPLICIT


def is_sequence(head: Head) -> bool:
    """Whether the value is a sequence of items: by VR, by the dictionary, or, of undefined length,
    because nothing else may be (pixel data apart, which the caller knows)."""
    if head.vr == "SQ":
        return True
    if head.length == UNDEFINED:
        return not head.vr.startswith("O")
    return head.vr == "UN" and vrs_of(head.tag) == "SQ"

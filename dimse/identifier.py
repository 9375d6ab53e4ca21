"""Identifiers: data sets of C-FIND, C-MOVE, C-GET and N-ACTION as values, and back (PS3.4 §C.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vna.dicom.charset import DEFAULT, UTF_8, Charset, charset_of
from vna.dicom.coding import CODINGS
from vna.dicom.dictionary import keyword_of, matching_vr_of
from vna.dicom.elements import Element, Elements, read_elements
from vna.dicom.from_json import element, texts_of
from vna.dicom.header import Header
from vna.dicom.source import BytesSource
from vna.dicom.transfer_syntax import IMPLICIT_LE, Encoding
from vna.dicom.values import attribute, text_of
from vna.dicom.walk import Declined, Walk
from vna.dicom.writer import write
from vna.errors import InvalidValue

CHARACTER_SET = 0x00080005
LATIN_1 = charset_of(b"ISO_IR 100")
LEVEL = 0x00080052
RETRIEVE_AE = 0x00080054
TIMEZONE = 0x00080201
NOT_KEYS = frozenset((CHARACTER_SET, LEVEL, 0x00080053, RETRIEVE_AE, 0x00080056, TIMEZONE))


class Mismatch(Exception):
    """The identifier does not match the SOP class (A900). `tag`: the offending element."""

    def __init__(self, tag: int, rule: str) -> None:
        self.tag = tag
        super().__init__(f"{keyword_of(tag) or f'{tag:08X}'} must {rule}")


@dataclass(frozen=True, slots=True)
class Identifier:
    """What a peer sent. `elements`: in its order; `charset`: of its text."""

    elements: Elements
    charset: Charset

    def text(self, tag: int) -> str:
        """Text of a first-level value, '' where it is absent, empty or a sequence."""
        found = next((each for each in self.elements if each.tag == tag), None)
        return "" if found is None else text_in(found, self.charset)


def read(data: bytes, syntax: str, character_set: str = "") -> Identifier:
    """The identifier in `data`, written in Explicit or Implicit VR LE. Raises `InvalidValue`.

    `character_set`: of text where it names none.
    """
    encoding = Encoding.IMPLICIT_LE if syntax == IMPLICIT_LE else Encoding.EXPLICIT_LE
    walk = Walk(BytesSource(data), 0, data, CODINGS[encoding])
    try:
        walk.run({})
    except Declined as declined:
        raise InvalidValue("identifier", str(declined), "be a data set") from None
    if walk.oddities or walk.removed:
        raise InvalidValue("identifier", ", ".join(walk.oddities), "be a whole data set of keys")
    elements = read_elements(Header(encoding, bytes(walk.data), ()))
    named = next((each.value for each in elements if each.tag == CHARACTER_SET), None)
    return Identifier(elements, charset_of(named or character_set.encode()))


def text_in(found: Element, charset: Charset) -> str:
    """A value as the text of a key, parts divided by backslashes; numbers are written out."""
    if found.items is not None or not found.value:
        return ""
    vr = matching_vr_of(found.tag) if found.vr == "UN" else found.vr
    made = attribute(vr, found.value, found.big, charset)
    if made is None or "InlineBinary" in made:
        raise Mismatch(found.tag, "be a value that can be matched")
    if vr in ("US", "UL", "SS", "SL", "FD", "FL", "SV", "UV", "AT"):
        return "\\".join(map(str, made.get("Value", ())))
    return text_of(vr, found.value, charset).strip(" ")


def encode(
    attributes: Mapping[str, Mapping[str, Any]], syntax: str, wanted: Charset = DEFAULT
) -> bytes:
    """DICOM JSON attributes as a data set in Explicit or Implicit VR LE.

    In the requestor's character set where that can say all of it, else in UTF-8.
    """
    charset = _charset(attributes.values(), wanted)
    if charset.terms != ("",):
        term = {"vr": "CS", "Value": list(charset.terms)}
        attributes = {**attributes, f"{CHARACTER_SET:08X}": term}
    elements = [element(key, attributes[key], charset) for key in sorted(attributes)]
    parts = write(elements, implicit=syntax == IMPLICIT_LE)
    return b"".join(part for part in parts if isinstance(part, bytes))


def _charset(values: Iterable[Mapping[str, Any]], wanted: Charset) -> Charset:
    texts = [text for value in values for text in texts_of(value)]
    if all(text.isascii() for text in texts):
        return DEFAULT
    # A peer that names no character set is mostly an old one, which knows Latin-1 at the most.
    first = wanted if wanted.known and any(wanted.terms) else LATIN_1
    if all(first.encode(text) is not None for text in texts):
        return first
    return UTF_8

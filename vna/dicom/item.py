"""A data set or an item of a sequence, asked by tag for text, numbers and items."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from struct import error as out_of_data
from struct import iter_unpack

from vna.dicom.charset import DEFAULT, Charset, charset_of
from vna.dicom.dictionary import vr_of
from vna.dicom.elements import Element, Elements, read_elements
from vna.dicom.header import Header
from vna.dicom.values import text_of

_CHARACTER_SET = 0x00080005
_NUMBERS = {
    "FD": "d", "FL": "f", "OD": "d", "OF": "f", "OL": "I", "OW": "H", "SL": "i",
    "SS": "h", "SV": "q", "UL": "I", "US": "H", "UV": "Q",
}  # fmt: skip
_UNDIVIDED = frozenset(("LT", "ST", "UR", "UT"))


@dataclass(frozen=True, slots=True)
class Item:
    """`charset`: of its text; an item inherits that of what holds it (PS3.3 §C.12.1.1.2).

    Of an attribute that stands twice the last counts. What is absent, empty or was cut out of the
    header is empty text, no number and no items.
    """

    elements: Elements
    charset: Charset = DEFAULT

    @classmethod
    def of(cls, elements: Elements, inherited: Charset = DEFAULT) -> Item:
        """The item of `elements`, whose own character set counts before the `inherited` one."""
        found = next((each for each in elements if each.tag == _CHARACTER_SET), None)
        own = found is not None and found.value is not None
        return cls(elements, charset_of(found.value or b"") if own and found else inherited)

    @classmethod
    def decode(cls, encoded: bytes) -> Item:
        """The data set of an encoded header; raises `MalformedObject`."""
        return cls.of(read_elements(Header.decode(encoded)))

    def element(self, tag: int) -> Element | None:
        """The element of `tag`."""
        return next((each for each in reversed(self.elements) if each.tag == tag), None)

    def has(self, tag: int) -> bool:
        """Whether there is a value, a cut one too."""
        found = self.element(tag)
        return found is not None and bool(found.length or found.items)

    def text(self, tag: int) -> str:
        """The text, its values still divided by backslashes."""
        found = self.element(tag)
        if found is None or not found.value:
            return ""
        vr = found.vr if found.vr != "UN" else vr_of(tag)
        if vr == "AT":
            words = iter_unpack(">HH" if found.big else "<HH", found.value[: found.length & ~3])
            return "\\".join(f"{group:04X}{element:04X}" for group, element in words)
        if vr in _NUMBERS:
            return "\\".join(_shown(each) for each in self.numbers(tag))
        text = text_of(vr, found.value, self.charset)
        return text if vr in _UNDIVIDED else text.strip()

    def texts(self, tag: int) -> list[str]:
        """The values as text, trimmed; none where the attribute is empty."""
        text = self.text(tag)
        return [part.strip("\0 ") for part in text.split("\\")] if text else []

    def first(self, tag: int) -> str:
        """The first value as text."""
        return next(iter(self.texts(tag)), "")

    def numbers(self, tag: int) -> list[float]:
        """The values that are finite numbers, whether written as text or in binary."""
        found = self.element(tag)
        if found is None or not found.value:
            return []
        vr = found.vr if found.vr != "UN" else vr_of(tag)
        if vr not in _NUMBERS:
            text = text_of(vr, found.value, self.charset)
            return [each for part in text.split("\\") for each in _number(part)]
        form = (">" if found.big else "<") + _NUMBERS[vr]
        try:
            return [each for (each,) in iter_unpack(form, found.value) if math.isfinite(each)]
        except out_of_data:
            return []

    def number(self, tag: int) -> float | None:
        """The first number, or None."""
        return next(iter(self.numbers(tag)), None)

    def integer(self, tag: int, default: int = 0) -> int:
        """The first number without its fraction."""
        found = self.number(tag)
        return default if found is None else int(found)

    def items(self, tag: int) -> list[Item]:
        """The items of a sequence."""
        found = self.element(tag)
        return [] if found is None else [Item.of(each, self.charset) for each in found.items or ()]

    def item(self, tag: int) -> Item | None:
        """The first item of a sequence, or None."""
        return next(iter(self.items(tag)), None)


def _number(text: str) -> Iterator[float]:
    try:
        found = float(text)
    except ValueError:
        return
    if math.isfinite(found):
        yield found


def _shown(number: float) -> str:
    return str(int(number)) if number == int(number) and abs(number) < 1 << 53 else repr(number)

"""Values of data elements as text and as DICOM JSON (PS3.5 §6.2, PS3.18 §F.2).

JSON keeps what was written: a decimal string becomes a number only where the number prints the
same; what no VR explains becomes UN with its bytes.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Callable
from struct import unpack
from typing import Any

from vna.dicom.charset import DEFAULT, Charset
from vna.dicom.dictionary import BINARY_VRS, BULK_VRS, TEXT_VRS, UNDIVIDED_VRS, UNIT

_PADDING = "\0 "
_EXACT = 1 << 53  # integers beyond are not exact as JSON numbers everywhere
_NUMBERS = {
    "FD": "d",
    "FL": "f",
    "SL": "i",
    "SS": "h",
    "SV": "q",
    "UL": "I",
    "US": "H",
    "UV": "Q",
}
_WIDTH = {"FD": 8, "FL": 4, "SL": 4, "SS": 2, "SV": 8, "UL": 4, "US": 2, "UV": 8, "AT": 4}
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")


def text_of(vr: str, value: bytes, charset: Charset = DEFAULT) -> str:
    """Decoded text of a string VR, padding removed, parts still divided by backslashes."""
    if vr in TEXT_VRS:
        return charset.decode(value, vr).rstrip(_PADDING)
    return value.decode("latin-1").rstrip(_PADDING)


def as_bulk(vr: str) -> dict[str, Any] | None:
    """An attribute whose value is to be fetched; the caller adds the URI.  None where the VR does
    not allow it."""
    return {"vr": vr} if vr in BULK_VRS else None


def attribute(vr: str, value: bytes, big: bool, charset: Charset) -> dict[str, Any] | None:
    """The DICOM JSON attribute of a value that is no sequence.

    None where JSON cannot say it (NaN, infinity: PS3.18 §F has no form for them), so that it must
    become a BulkDataURI.
    """
    if not value:
        return {"vr": vr}
    convert = _CONVERTERS.get(vr)
    if convert is not None:
        return convert(vr, value, charset)
    if vr in BINARY_VRS:
        if big:
            value = swapped(value, UNIT.get(vr, 1))
        return {"vr": vr, "InlineBinary": b64encode(value).decode("ascii")}
    width = _WIDTH.get(vr)
    if width is None or len(value) % width:
        return {"vr": "UN", "InlineBinary": b64encode(value).decode("ascii")}
    if vr == "AT":
        words = unpack(f"{'>' if big else '<'}{len(value) // 2}H", value)
        pairs = zip(words[::2], words[1::2], strict=True)
        return {"vr": vr, "Value": [f"{group:04X}{element:04X}" for group, element in pairs]}
    numbers = list(unpack(f"{'>' if big else '<'}{len(value) // width}{_NUMBERS[vr]}", value))
    if vr in ("FD", "FL"):
        if not all(map(math.isfinite, numbers)):
            return None
    elif width == 8:
        numbers = [n if -_EXACT <= n <= _EXACT else str(n) for n in numbers]
    return {"vr": vr, "Value": numbers}


def swapped(value: bytes, unit: int) -> bytes:
    """`value` with the bytes of each unit turned around; a last part of a unit stays."""
    if unit == 1:
        return value
    whole = len(value) // unit * unit
    out = bytearray(value)
    for at in range(unit):
        out[at:whole:unit] = value[unit - 1 - at : whole : unit]
    return bytes(out)


def _divided(vr: str, text: str) -> dict[str, Any]:
    text = text.rstrip(_PADDING)
    if not text:
        return {"vr": vr}
    if "\\" not in text:
        return {"vr": vr, "Value": [text]}
    return {"vr": vr, "Value": [part.rstrip(_PADDING) or None for part in text.split("\\")]}


def _ascii(vr: str, value: bytes, charset: Charset) -> dict[str, Any]:
    return _divided(vr, value.decode("latin-1"))


def _text(vr: str, value: bytes, charset: Charset) -> dict[str, Any]:
    return _divided(vr, charset.decode(value, vr))


def _undivided(vr: str, value: bytes, charset: Charset) -> dict[str, Any]:
    text = text_of(vr, value, charset)
    return {"vr": vr, "Value": [text]} if text else {"vr": vr}


def _name(vr: str, value: bytes, charset: Charset) -> dict[str, Any]:
    text = charset.decode(value, vr).rstrip(_PADDING)
    if not text:
        return {"vr": vr}
    return {"vr": vr, "Value": [_groups(part) for part in text.split("\\")]}


def _groups(name: str) -> dict[str, str] | None:
    parts = [part.rstrip(_PADDING) for part in name.split("=")]
    groups = {key: part for key, part in zip(_GROUPS, parts, strict=False) if part}
    return groups or None


def _decimals(vr: str, value: bytes, charset: Charset) -> dict[str, Any]:
    text = value.decode("latin-1").strip(_PADDING)
    if not text:
        return {"vr": vr}
    return {"vr": vr, "Value": [number(part.strip(_PADDING)) for part in text.split("\\")]}


def number(text: str) -> int | float | str | None:
    """The JSON number that prints as `text`, else `text` itself; None where it is empty."""
    if not text:
        return None
    try:
        whole = int(text)
        if str(whole) == text and -_EXACT <= whole <= _EXACT:
            return whole
    except ValueError:
        pass
    try:
        real = float(text)
    except ValueError:
        return text
    return real if repr(real) == text and "e" not in text and math.isfinite(real) else text


_CONVERTERS: dict[str, Callable[[str, bytes, Charset], dict[str, Any]]] = {
    **dict.fromkeys(("AE", "AS", "CS", "DA", "DT", "TM", "UI"), _ascii),
    **dict.fromkeys(TEXT_VRS - UNDIVIDED_VRS - {"PN"}, _text),
    **dict.fromkeys(UNDIVIDED_VRS, _undivided),
    **dict.fromkeys(("DS", "IS"), _decimals),
    "PN": _name,
}

"""DICOM JSON attributes back to data elements, little endian (PS3.18 §F.2, PS3.5 §6.2)."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from struct import error as out_of_range
from struct import pack
from typing import Any

from vna.dicom.charset import Charset
from vna.dicom.dictionary import BINARY_VRS, TEXT_VRS, VRS
from vna.dicom.elements import Element
from vna.errors import InvalidValue

_FORMATS = {
    "FD": "d",
    "FL": "f",
    "SL": "i",
    "SS": "h",
    "SV": "q",
    "UL": "I",
    "US": "H",
    "UV": "Q",
}
_CHARACTER_SET = 0x00080005
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
_KEY = re.compile("[0-9A-Fa-f]{8}")

# Where the value of a BulkDataURI lies: offset and length in bytes; told the key, VR and URI.
Fetch = Callable[[str, str, str], tuple[int, int]]


def element(
    key: str,
    attribute: Mapping[str, Any],
    charset: Charset,
    fetch: Fetch | None = None,
) -> Element:
    """The data element of one JSON attribute.  Raises `InvalidValue` for what its VR cannot hold.

    A BulkDataURI becomes an element without its value, which lies where `fetch` says; without
    `fetch` it is refused.  In items a character set of their own is left out: `charset` is theirs.
    """
    if not isinstance(attribute, Mapping):
        raise InvalidValue(key, str(attribute)[:40], "be an attribute with a VR and a value")
    vr = str(attribute.get("vr"))
    uri = attribute.get("BulkDataURI")
    if _KEY.fullmatch(key) is None or vr not in VRS or (uri is not None and fetch is None):
        raise InvalidValue(key, str(attribute)[:40], "be an attribute with a VR and a value")
    tag = int(key, 16)
    if uri is not None and fetch is not None:
        if vr == "SQ" or not isinstance(uri, str) or attribute.keys() & {"Value", "InlineBinary"}:
            raise InvalidValue(key, str(uri)[:40], "have one value, and none that is a sequence")
        offset, length = fetch(key, vr, uri)
        return Element(tag, vr, None, offset, length)
    values = attribute.get("Value", ())
    try:
        if vr == "SQ":
            items = [
                [
                    element(key, item[key], charset, fetch)
                    for key in sorted(item)
                    if int(key, 16) != _CHARACTER_SET
                ]
                for item in values
            ]
            return Element(tag, vr, None, 0, 0, items)
        value = _value(vr, attribute, values, charset)
    except (
        ArithmeticError,
        AttributeError,
        NotBase64,
        TypeError,
        ValueError,
        out_of_range,
    ) as error:
        raise InvalidValue(key, str(values)[:40], f"be a value of VR {vr}") from error
    return Element(tag, vr, value, 0, len(value))


def _value(vr: str, attribute: Mapping[str, Any], values: Any, charset: Charset) -> bytes:
    if vr in BINARY_VRS:
        value = b64decode(attribute.get("InlineBinary", ""), validate=True)
        return value + b"\0" * (len(value) % 2)
    if vr in _FORMATS:
        convert = float if vr in ("FD", "FL") else int
        return pack(f"<{len(values)}{_FORMATS[vr]}", *(convert(value) for value in values))
    if vr == "AT":
        tags = [int(value, 16) for value in values]
        return b"".join(pack("<HH", tag >> 16, tag & 0xFFFF) for tag in tags)
    text = "\\".join(_name(value) if vr == "PN" else _text(value) for value in values)
    encoded = charset.encode(text) if vr in TEXT_VRS else text.encode("ascii")
    if encoded is None:
        raise ValueError("the character set cannot say it")
    return encoded + (b"\0" if vr == "UI" else b" ") * (len(encoded) % 2)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _name(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return "=".join(value.get(group, "") for group in _GROUPS).rstrip("=")


def texts_of(attribute: Mapping[str, Any] | None) -> list[str]:
    """All text in an attribute that Specific Character Set governs, those of its items too."""
    found: list[str] = []
    if attribute is None:
        return found
    vr, values = attribute.get("vr"), attribute.get("Value", ())
    if vr == "SQ":
        for item in values:
            for inner in item.values():
                found += texts_of(inner)
    elif vr in TEXT_VRS:
        found += [_name(value) if vr == "PN" else _text(value) for value in values]
    return found

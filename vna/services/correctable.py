"""Which attributes may be corrected by hand, and what a value of each VR looks like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from vna.dicom import temporal
from vna.dicom.dictionary import BINARY_VRS, UNDIVIDED_VRS, keyword_of, parse_path, vr_of
from vna.dicom.matching import INTEGER_BOUNDS
from vna.errors import Conflict, InvalidValue

# PS3.5 §6.2, characters; PN counts each component group.
LONGEST = {
    "AE": 16,
    "CS": 16,
    "DS": 16,
    "IS": 12,
    "LO": 64,
    "LT": 10240,
    "PN": 64,
    "SH": 16,
    "ST": 1024,
    "UC": 65536,
    "UR": 65536,
    "UT": 65536,
}
PATIENT_TAGS = frozenset((0x00100010, 0x00100020, 0x00100021, 0x00100030, 0x00100040))
# The description of pixels in group 0028; what says how to show them (windows) may be corrected.
_PIXEL_TAGS = frozenset(
    tag
    for first, last in (
        (0x00280002, 0x00280014),  # samples, photometric interpretation, planes, frames, rows, …
        (0x00280034, 0x00280034),  # aspect ratio
        (0x00280100, 0x00280103),  # bits
        (0x00281101, 0x00281103),  # palettes
        (0x00281201, 0x00281223),
        (0x00282110, 0x00282114),  # lossy compression history
    )
    for tag in range(first, last + 1)
)
_PIXEL_GROUPS = frozenset((0x7FE0, 0x5400))  # pixel and waveform data
_OURS = frozenset((0x00080005, 0x04000561))  # character set, original attributes

_STEP = re.compile(r"(?P<name>[^\[\]]+)(?:\[(?P<item>[1-9][0-9]{0,4})\])?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_BUT_LAYOUT = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_FORMS = {
    "AS": (re.compile(r"[0-9]{3}[DWMY]"), "be an age such as 045Y"),
    "AT": (re.compile(r"[0-9A-F]{8}"), "be a tag of 8 hexadecimal digits"),
    "CS": (re.compile(r"[A-Z0-9_ ]*"), "hold capital letters, digits, spaces and underscores only"),
    "UR": (re.compile(r"\S*"), "be a URI"),
}


def path_of(attribute: str) -> str:
    """The overlay path of a dotted name: "RequestAttributesSequence[2].00400009" becomes
    "00400275/2/00400009"; the first item where none is named.

    Raises `UnknownName`, `InvalidValue` for a path that does not run through sequences, `Conflict`
    for what may not be corrected by hand.
    """
    found = [_STEP.fullmatch(step) for step in attribute.split(".")]
    steps = [step for step in found if step is not None]
    if len(steps) != len(found) or steps[-1]["item"]:
        raise InvalidValue("attribute", attribute, "be a dotted path of attributes and [items]")
    tags = [tag for step in steps for tag in parse_path(step["name"])]
    for tag in tags:
        _refuse(tag)
    if len(tags) == 1 and tags[0] in PATIENT_TAGS:
        raise Conflict(f"{_name(tags[0])} belongs to the patient: correct it there")
    if any(vr_of(tag) != "SQ" for tag in tags[:-1]):
        raise InvalidValue("attribute", attribute, "name sequences before its last attribute")
    items = [step["item"] or "1" for step in steps[:-1]]
    return "/".join(
        [f"{tag:08X}/{item}" for tag, item in zip(tags, items, strict=False)] + [f"{tags[-1]:08X}"]
    )


def value_of(path: str, values: Sequence[str] | None) -> dict[str, Any] | None:
    """The DICOM JSON attribute (PS3.18 §F.2.2) that `values` make at `path`; None stays None.

    Raises `InvalidValue` for text that the VR of the attribute does not allow.
    """
    if values is None:
        return None
    tag = int(path.rpartition("/")[2], 16)
    vr = vr_of(tag)
    if vr == "SQ" or vr in BINARY_VRS:
        raise InvalidValue(_name(tag), f"VR {vr}", "be an attribute with text or number values")
    if len(values) > 1 and vr in UNDIVIDED_VRS:
        raise InvalidValue(_name(tag), "\\".join(values), "be one value")
    if not values:
        return {"vr": vr}
    return {"vr": vr, "Value": [_element(_name(tag), vr, text) for text in values]}


def _refuse(tag: int) -> None:
    """Raise `Conflict` for an attribute that nobody corrects by hand."""
    group = tag >> 16
    if group <= 0x0002:
        raise Conflict(f"{_name(tag)} belongs to the file, not to the data set")
    if not tag & 0xFFFF:
        raise Conflict(f"{_name(tag)} is a group length")
    if group & 1:
        raise Conflict(f"{_name(tag)} is private: nobody can tell what its values mean")
    if tag in _PIXEL_TAGS or group in _PIXEL_GROUPS or 0x6000 <= group <= 0x60FF:
        raise Conflict(f"{_name(tag)} describes the pixels")
    if vr_of(tag) == "UI":
        raise Conflict(f"{_name(tag)} is a UID")
    if tag in _OURS:
        raise Conflict(f"{_name(tag)} is written by the archive")


def _element(name: str, vr: str, text: str) -> Any:
    text = text if vr in UNDIVIDED_VRS else text.strip(" ")
    if not text:
        return None  # an empty value among others, PS3.18 §F.2.5
    control = _CONTROL_BUT_LAYOUT if vr in ("LT", "ST", "UT") else _CONTROL
    if control.search(text) or ("\\" in text and vr not in UNDIVIDED_VRS):
        raise InvalidValue(name, text, "hold no control characters, and each value for itself")
    if vr == "PN":
        return _person(name, text)
    if len(text) > LONGEST.get(vr, 64):
        raise InvalidValue(name, text, f"have at most {LONGEST.get(vr, 64)} characters (VR {vr})")
    if vr in INTEGER_BOUNDS:
        return _integer(name, text, *INTEGER_BOUNDS[vr])
    if vr in ("DS", "FL", "FD"):
        return _decimal(name, text)
    if vr in ("DA", "TM", "DT"):
        _moment(name, vr, text)
    elif vr in _FORMS and not _FORMS[vr][0].fullmatch(text):
        raise InvalidValue(name, text, _FORMS[vr][1])
    return text


def _person(name: str, text: str) -> dict[str, str]:
    groups = text.split("=")
    if len(groups) > 3 or any(len(group) > LONGEST["PN"] for group in groups):
        raise InvalidValue(name, text, "have at most three groups of 64 characters")
    if any(group.count("^") > 4 for group in groups):
        raise InvalidValue(name, text, "have at most five components in a group")
    keys = ("Alphabetic", "Ideographic", "Phonetic")
    return {key: group for key, group in zip(keys, groups, strict=False) if group}


def _integer(name: str, text: str, low: int, high: int) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,20}", text) or not low <= int(text) <= high:
        raise InvalidValue(name, text, f"be an integer from {low} to {high}")
    return int(text)


def _decimal(name: str, text: str) -> float | int:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise InvalidValue(name, text, "be a number")
    return int(number) if number == int(number) and abs(number) < 2**53 else float(number)


def _moment(name: str, vr: str, text: str) -> None:
    form, known = {
        "DA": ("YYYYMMDD", temporal.date(text)),
        "TM": ("HHMMSS.FFFFFF", temporal.time(text)),
        "DT": ("YYYYMMDDHHMMSS.FFFFFF&ZZXX", temporal.moment(text)),
    }[vr]
    if known is None or re.search(r"[.:]", text[:6]):  # the ACR-NEMA forms are read, not written
        raise InvalidValue(name, text, f"be {form}")


def _name(tag: int) -> str:
    return keyword_of(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"

"""What a matching key means: the text of a key and its VR become a `Match` (PS3.4 §C.2.2.2).

QIDO-RS, C-FIND and the command line all read keys here, so that the same text means the same.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from vna.dicom import names, temporal
from vna.errors import InvalidValue
from vna.model.query import AnyOf, Empty, Exact, Fuzzy, Match, Range, Universal, Wildcard

WILDCARD_VRS = frozenset(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"))
TEXT_VRS = WILDCARD_VRS
TEMPORAL_VRS = frozenset(("DA", "TM", "DT"))
DECIMAL_VRS = frozenset(("DS", "FL", "FD"))
INTEGER_BOUNDS = {
    "IS": (-(2**31), 2**31 - 1),
    "SS": (-(2**15), 2**15 - 1),
    "US": (0, 2**16 - 1),
    "SL": (-(2**31), 2**31 - 1),
    "UL": (0, 2**32 - 1),
    "SV": (-(2**63), 2**63 - 1),
    "UV": (0, 2**64 - 1),
}

KEY_LENGTH = 1024  # characters; UC and UT have no limit of their own
NAME_LENGTH = 256  # characters; three groups of 64 (PS3.5 §6.2) and some wildcards
LIST_LENGTH = 1000  # UIDs in one list; PostgreSQL and SQLite take more, a request line does not

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_UID = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_AGE = re.compile(r"[0-9]{3}[DWMY]")
_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_OFFSET = re.compile(r"(?:0[0-9]|1[0-4])[0-5][0-9]")


def match_of(vr: str, text: str, *, fuzzy: bool = False, name: str = "") -> Match:
    """The matching that key `text` asks of an attribute of value representation `vr`.

    `fuzzy`: person names match by words. `name` is what the client calls the key, for the error.
    Raises `InvalidValue` where the text is not a key of this VR; nothing is repaired or dropped.
    """
    name = name or f"key of VR {vr}"
    text = text.rstrip(" \x00") if vr == "UI" else text.strip(" ")
    if not text:
        return Universal()
    if text == '""':
        return Empty()
    if vr == "UI":
        return _uids(name, text)
    longest = NAME_LENGTH if vr == "PN" else KEY_LENGTH
    if _CONTROL.search(text) or len(text) > longest:
        raise InvalidValue(name, text, f"have at most {longest} characters and no controls")
    if vr in TEMPORAL_VRS:
        return _temporal(name, vr, text)
    if vr in TEXT_VRS:
        return _text(name, vr, text, fuzzy)
    _check_value(name, vr, text)
    return Exact(text)


def _uids(name: str, text: str) -> Match:
    values = tuple(dict.fromkeys(part.strip(" ") for part in re.split(r"[\\,]", text)))
    if len(values) > LIST_LENGTH:
        raise InvalidValue(name, text, f"list at most {LIST_LENGTH} UIDs")
    for value in values:
        if not _UID.fullmatch(value) or len(value) > 64:
            raise InvalidValue(name, value, "be a UID or a list of UIDs (PS3.5 §9.1)")
    return Exact(values[0]) if len(values) == 1 else AnyOf(values)


def _text(name: str, vr: str, text: str, fuzzy: bool) -> Match:
    # One value was asked for, or several in a way that was not negotiated: PS3.4 leaves `CT\MR`
    # open, and every viewer means either of them. No CS value holds a comma either.
    if vr == "CS" and re.search(r"[\\,]", text):
        values = tuple(dict.fromkeys(part.strip(" ") for part in re.split(r"[\\,]", text)))
        if any(not value or _has_wildcard(value) for value in values):
            raise InvalidValue(name, text, "list values without wildcards")
        return Exact(values[0]) if len(values) == 1 else AnyOf(values)
    if "\\" in text and vr not in ("LT", "ST", "UT", "UR"):
        raise InvalidValue(name, text, "be one value")
    if not text.strip("*"):
        return Universal()
    if vr == "PN" and not names.normalise(text):
        raise InvalidValue(name, text, "hold a name")
    if vr == "PN" and fuzzy:
        return Fuzzy(text)
    return Wildcard(text) if _has_wildcard(text) else Exact(text)


def _has_wildcard(text: str) -> bool:
    return "*" in text or "?" in text


def _temporal(name: str, vr: str, text: str) -> Match:
    if "-" not in text:
        _check_moment(name, vr, text)
        return Exact(text)
    ends = _dt_ends(text) if vr == "DT" else text.split("-")
    if len(ends) != 2 or ends == ["", ""]:
        raise InvalidValue(name, text, f"be one {vr} or a range of two")
    first, last = (end.strip(" ") or None for end in ends)
    for end in (first, last):
        if end is not None:
            _check_moment(name, vr, end)
    if vr == "DT" and first and last and _is_reversed(first, last):
        # most often a single value with a negative offset, which a key cannot have
        raise InvalidValue(name, text, "be a range that begins before it ends")
    return Range(first, last)


def _is_reversed(first: str, last: str) -> bool:
    start, end = temporal.moment(first), temporal.moment(last, end=True)
    return start is not None and end is not None and start.local[:8] > end.local[:8]


def _dt_ends(text: str) -> list[str]:
    """The two ends of a DT range, in which a hyphen may also begin an offset from UTC.

    One hyphen always makes a range (PS3.4 §C.2.2.2.5.3); with more of them, four digits that can
    be an offset and follow a value belong to it.
    """
    parts = text.split("-")
    if len(parts) == 2:
        return parts
    ends = [parts[0]]
    for position, part in enumerate(parts[1:], 1):
        open_end = position == len(parts) - 1 and len(ends) == 1
        if ends[-1] and "-" not in ends[-1] and _OFFSET.fullmatch(part) and not open_end:
            ends[-1] += f"-{part}"
        else:
            ends.append(part)
    return ends


def _check_moment(name: str, vr: str, text: str) -> None:
    form, known = {
        "DA": ("YYYYMMDD", temporal.date(text)),
        "TM": ("HHMMSS.FFFFFF", temporal.time(text)),
        "DT": ("YYYYMMDDHHMMSS.FFFFFF&ZZXX", temporal.moment(text)),
    }[vr]
    if known is None:
        raise InvalidValue(name, text, f"be {form} or a range of them")


def _check_value(name: str, vr: str, text: str) -> None:
    if vr in INTEGER_BOUNDS:
        low, high = INTEGER_BOUNDS[vr]
        if not _INTEGER.fullmatch(text) or len(text) > 21 or not low <= int(text) <= high:
            raise InvalidValue(name, text, f"be an integer from {low} to {high}")
    elif vr in DECIMAL_VRS:
        if not _is_decimal(text):
            raise InvalidValue(name, text, "be a number")
    elif vr == "AS":
        if not _AGE.fullmatch(text):
            raise InvalidValue(name, text, "be an age such as 045Y")
    elif vr == "AT":
        if not _TAG.fullmatch(text):
            raise InvalidValue(name, text, "be a tag of 8 hexadecimal digits")
    else:
        raise InvalidValue(name, text, f"be empty: an attribute of VR {vr} is not matched by value")


def _is_decimal(text: str) -> bool:
    try:
        return Decimal(text).is_finite() and len(text) <= 32
    except InvalidOperation:
        return False

"""Codes, names, dates and times as people read them."""

from __future__ import annotations

import re

from vna.dicom.item import Item

_DATE = re.compile(r"(?a)(\d{4})(?:(\d\d)(?:(\d\d))?)?")
_TIME = re.compile(r"(?a)(\d\d)(?:(\d\d)(?:(\d\d)(\.\d{1,6})?)?)?")
_ZONE = re.compile(r"(?a)(.*\d)([+-]\d{4})")


def code(item: Item | None) -> str:
    """The meaning of a code; its value and scheme where it has no meaning. "" without a code."""
    if item is None:
        return ""
    meaning = item.text(0x00080104)
    if meaning:
        return meaning
    value = item.first(0x00080100) or item.first(0x00080119) or item.first(0x00080120)
    scheme = item.first(0x00080102)
    return f"{value} ({scheme})" if scheme else value


def coded(item: Item) -> str:
    """A code as a value: its meaning with value and scheme."""
    meaning = item.text(0x00080104)
    value = item.first(0x00080100) or item.first(0x00080119) or item.first(0x00080120)
    known = ", ".join(part for part in (value, item.first(0x00080102)) if part)
    return f"{meaning} ({known})" if meaning and known else meaning or code(item)


def name(text: str) -> str:
    """A person name: its components divided by spaces, its groups by a slash."""
    groups = (" ".join(group.replace("^", " ").split()) for group in text.split("="))
    return " / ".join(group for group in groups if group)


def moment(date: str, time: str = "") -> str:
    """DA and TM, or a DT, with dashes and colons; as written where it is neither."""
    zoned = _ZONE.fullmatch(date)
    date, zone = (zoned[1], f" {zoned[2]}") if zoned else (date, "")
    day, clock = (date[:8], date[8:]) if not time else (date, time)
    shown = [_with(_DATE, "-", day), _with(_TIME, ":", clock)]
    return " ".join(part for part in shown if part) + zone


def _with(pattern: re.Pattern[str], mark: str, text: str) -> str:
    found = pattern.fullmatch(text.strip())
    if found is None:
        return text
    whole = mark.join(part for part in found.groups()[:3] if part)
    fraction = found[4] if pattern is _TIME and found[4] else ""
    return whole + fraction

"""Matching in Python, over the DICOM JSON of what the columns left over (architecture decision 7).

The same meaning of every match as in SQL; an attribute of several values matches by any of them.
"""

from __future__ import annotations

import re
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from vna.dicom import names, temporal
from vna.index.intervals import forms_interval
from vna.model.query import (
    AnyOf,
    Empty,
    Exact,
    Fuzzy,
    Key,
    Match,
    Path,
    Range,
    Tag,
    Universal,
    Wildcard,
)

Item = Mapping[str, Any]
Interval = tuple[Tag, Tag, Key, Key]  # date, time and their keys

# Dates and times that have no column, tag of the date to tag of the time.
_PAIRS = {
    0x00080012: 0x00080013,  # instance creation
    0x00080021: 0x00080031,  # series
    0x00080022: 0x00080032,  # acquisition
    0x00080023: 0x00080033,  # content
    0x00400002: 0x00400003,  # scheduled procedure step start
    0x00400244: 0x00400245,  # performed procedure step start
    0x00400250: 0x00400251,  # performed procedure step end
}


def satisfies(entity: Item, keys: Sequence[Key], *, combined: bool) -> bool:
    """Whether `entity` (DICOM JSON) satisfies every key; `combined`: see `Query`."""
    return _item(entity, [(key.path, key) for key in keys], combined)


def matching_items(attribute: Item, tag: Tag, keys: Sequence[Key], *, combined: bool) -> list[Any]:
    """The items of a sequence that satisfy the keys inside it, as C-FIND returns them."""
    inside = [(key.path[1:], key) for key in keys if key.path[0] == tag and len(key.path) > 1]
    items: list[Any] = attribute.get("Value", [])
    return [item for item in items if _item(item or {}, inside, combined)]


def _item(item: Item, keys: Sequence[tuple[Path, Key]], combined: bool) -> bool:
    """All keys within this one item; a sequence without items counts as one empty item."""
    here = [(path[0], key) for path, key in keys if len(path) == 1]
    if combined:
        here, intervals = _intervals(here)
        if not all(_within(item, *interval) for interval in intervals):
            return False
    if not all(_attribute(item.get(f"{tag:08X}"), key) for tag, key in here):
        return False
    below: dict[Tag, list[tuple[Path, Key]]] = defaultdict(list)
    for path, key in keys:
        if len(path) > 1:
            below[path[0]].append((path[1:], key))
    return all(
        any(_item(inner or {}, inside, combined) for inner in _items(item, tag))
        for tag, inside in below.items()
    )


def _items(item: Item, tag: Tag) -> Sequence[Item | None]:
    found: Sequence[Item | None] = item.get(f"{tag:08X}", {}).get("Value") or [{}]
    return found


def _attribute(attribute: Item | None, key: Key) -> bool:
    values = [value for value in (attribute or {}).get("Value", ()) if value not in (None, "", {})]
    if key.vr in ("DA", "TM"):  # as in the columns: what is no date or time counts as absent
        form = temporal.date if key.vr == "DA" else temporal.time
        values = [value for value in values if form(str(value))]
    match key.match:
        case Universal():
            return True
        case Empty():
            return not values and not _is_binary(attribute)
        case _:
            test = _test(key.vr, key.match)
            return any(test(value) for value in values)


def _is_binary(attribute: Item | None) -> bool:
    return attribute is not None and ("BulkDataURI" in attribute or "InlineBinary" in attribute)


def _test(vr: str, match: Match) -> Callable[[Any], bool]:
    if vr == "PN":
        return lambda value: _name(value, match)
    if vr in ("DA", "TM"):
        return lambda value: _moment(vr, value, match)
    if vr == "DT":
        return lambda value: _datetime(str(value), match)
    if vr in ("IS", "DS", "SS", "US", "SL", "UL", "SV", "UV", "FL", "FD"):
        return lambda value: isinstance(match, Exact) and _number(vr, value, match.value)
    return lambda value: _text(str(value).strip(" "), match)


def _text(value: str, match: Match) -> bool:
    match match:
        case Exact(wanted):
            return value == wanted
        case AnyOf(wanted):
            return value in wanted
        case Wildcard(pattern):
            return like(value, pattern)
        case _:
            return False


def like(value: str, pattern: str) -> bool:
    """Wildcard matching in at most `len(value) * len(pattern)` steps, whatever the asterisks."""
    at, place, star, resume = 0, 0, -1, 0
    while at < len(value):
        sign = pattern[place] if place < len(pattern) else ""
        if sign == "*":
            star, resume, place = place, at, place + 1
        elif sign and sign in ("?", value[at]):
            at, place = at + 1, place + 1
        elif star >= 0:
            resume += 1
            at, place = resume, star + 1
        else:
            return False
    return not pattern[place:].strip("*")


def _name(value: Any, match: Match) -> bool:
    said = value if isinstance(value, Mapping) else {"Alphabetic": str(value)}
    parts = [str(said.get(group) or "") for group in ("Alphabetic", "Ideographic", "Phonetic")]
    groups = [names.normalise(part) for part in parts]
    match match:
        case Exact(wanted):
            return _groups(groups, [[names.normalise(part)] for part in wanted.split("=", 2)])
        case Wildcard(pattern):
            return _groups(groups, [names.patterns(part) for part in pattern.split("=", 2)])
        case Fuzzy(wanted):
            literally = Wildcard(wanted) if re.search(r"[*?]", wanted) else Exact(wanted)
            asked = names.words(re.sub(r"[*?]", " ", wanted)).split()
            stored = names.words("=".join(parts))
            return _name(value, literally) or (
                bool(asked) and all(f" {word}" in stored for word in asked)
            )
        case _:
            return False


def _groups(groups: Sequence[str], parts: Sequence[Sequence[str]]) -> bool:
    if len(parts) == 1:
        return any(group and _any(group, parts[0]) for group in groups)
    pairs = zip(groups, parts, strict=False)
    return all(_any(group, part) for group, part in pairs if list(part) not in ([""], ["*"]))


def _any(group: str, patterns: Iterable[str]) -> bool:
    return any(like(group, pattern) for pattern in patterns)


def _moment(vr: str, value: Any, match: Match) -> bool:
    form = temporal.date if vr == "DA" else temporal.time
    stored = form(str(value))
    if stored is None:
        return False
    match match:
        case Exact(wanted):
            return stored == form(wanted)
        case Range(first, last):
            after = not first or (form(first) or "") <= stored
            return after and (not last or stored <= (form(last) or ""))
        case _:
            return False


def _datetime(value: str, match: Match) -> bool:
    stored = temporal.moment(value)
    if stored is None:
        return False
    match match:
        case Exact(wanted):
            return _compare(stored, temporal.moment(wanted)) == 0
        case Range(first, last):
            after = not first or _compare(stored, temporal.moment(first)) >= 0
            return after and (not last or _compare(stored, temporal.moment(last, end=True)) <= 0)
        case _:
            return False


def _compare(one: temporal.Moment, other: temporal.Moment | None) -> int:
    """By UTC where both say theirs, else by what the clock on the wall read."""
    assert other is not None  # match_of has read it before
    in_utc = one.utc is not None and other.utc is not None
    left, right = (one.utc, other.utc) if in_utc else (one.local, other.local)
    assert left is not None
    assert right is not None
    return (left > right) - (left < right)


def _number(vr: str, value: Any, wanted: str) -> bool:
    if vr in ("FL", "FD"):
        form = "<f" if vr == "FL" else "<d"
        try:
            return struct.pack(form, float(value)) == struct.pack(form, float(wanted))
        except (ValueError, OverflowError):
            return False
    try:
        return Decimal(str(value).strip(" ")) == Decimal(wanted)
    except InvalidOperation:
        return False


def _intervals(here: list[tuple[Tag, Key]]) -> tuple[list[tuple[Tag, Key]], list[Interval]]:
    """The keys that stand alone, and the pairs of date and time that form an interval."""
    found = []
    for date, time in _PAIRS.items():
        dates = [key for tag, key in here if tag == date]
        times = [key for tag, key in here if tag == time]
        if len(dates) == len(times) == 1 and forms_interval(dates[0].match, times[0].match):
            here = [(tag, key) for tag, key in here if tag not in (date, time)]
            found.append((date, time, dates[0], times[0]))
    return here, found


def _within(item: Item, date_tag: Tag, time_tag: Tag, date: Key, time: Key) -> bool:
    """On the first and last day the time counts, between them it does not (see intervals.py)."""
    assert isinstance(date.match, Range)
    assert isinstance(time.match, Range)
    if not _attribute(item.get(f"{date_tag:08X}"), date):
        return False
    said = temporal.date(str(item[f"{date_tag:08X}"]["Value"][0]))
    clock = item.get(f"{time_tag:08X}")
    for day, end in (
        (date.match.first, Range(time.match.first, None)),
        (date.match.last, Range(None, time.match.last)),
    ):
        if day is None or temporal.date(day) != said or not (end.first or end.last):
            continue
        if not _attribute(clock, Key(time.path, time.vr, end)):
            return False
    return True

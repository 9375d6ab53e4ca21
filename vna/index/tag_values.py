"""What a made-searchable attribute is found by: values in a form of their own, and conditions.

The form is coarser than matching: a condition may be true of an entity that does not match, never
false of one that does. What it leaves is matched in full (vna/index/residual.py).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_

from vna.dicom import names, temporal
from vna.dicom.dictionary import matching_vr_of
from vna.index.conditions import Condition, can_be_stored, like
from vna.index.keys import LONGEST_INDEXED
from vna.model.query import AnyOf, Exact, Fuzzy, Match, Path, Range, Wildcard

# The first character tells what a value is; the order of the characters bounds ranges.
VALUE, WORDS, LONG = "=", "w", "~"
_AFTER_VALUE = ">"
NUMBERS = frozenset(("IS", "DS", "SS", "US", "SL", "UL", "SV", "UV", "FL", "FD"))
_FLOATS = {"FL": "<f", "FD": "<d"}
_DAY = "%Y%m%d"
_APART = timedelta(days=2)  # the most that one moment's date differs between two clocks


def values_of(entity: Mapping[str, Any], path: Path) -> set[str]:
    """The forms of all values at `path` in DICOM JSON, in every item of its sequences."""
    vr = matching_vr_of(path[-1])
    return {form for value in _values(entity, path) for form in _forms(vr, value)}


def _values(item: Mapping[str, Any], path: Path) -> Iterator[Any]:
    found = item.get(f"{path[0]:08X}", {}).get("Value") or ()
    if len(path) == 1:
        yield from (value for value in found if value not in (None, "", {}))
        return
    for inner in found:
        yield from _values(inner or {}, path[1:])


def _forms(vr: str, value: Any) -> Iterator[str]:
    if vr == "PN":
        said = value if isinstance(value, Mapping) else {"Alphabetic": str(value)}
        parts = [str(said.get(group) or "") for group in ("Alphabetic", "Ideographic", "Phonetic")]
        yield from (_text(names.normalise(part)) for part in parts if part)
        yield _short(WORDS + names.words("=".join(parts)))
    elif vr in ("DA", "TM"):
        form = (temporal.date if vr == "DA" else temporal.time)(str(value))
        if form:
            yield VALUE + form
    elif vr == "DT":
        moment = temporal.moment(str(value))
        if moment is not None:
            yield VALUE + moment.local[:8]
    elif vr in NUMBERS:
        number = _number(vr, value)
        if number is not None:
            yield VALUE + number
    else:
        yield _text(str(value).strip(" "))


def _text(value: str) -> str:
    return _short(VALUE + value)


def _short(form: str) -> str:
    """Too long for an index: found by every key, and matched in full."""
    form = form.replace("\0", "")
    return form if len(form) <= LONGEST_INDEXED else LONG


def narrowed(column: ColumnElement[str], vr: str, match: Match) -> Condition | None:
    """What is true of `column` for at least one value of every entity that matches; None where
    nothing can be said, as for what is absent."""
    found = _narrowed(column, vr, match)
    return None if found is None else or_(found, column == LONG)


def _narrowed(column: ColumnElement[str], vr: str, match: Match) -> Condition | None:
    if vr == "PN":
        return _name(column, match)
    if vr in ("DA", "TM"):
        return _moment(column, vr, match)
    if vr == "DT":
        return _around(column, match)
    if vr in NUMBERS:
        number = _number(vr, match.value) if isinstance(match, Exact) else None
        return None if number is None else column == VALUE + number
    match match:
        case Exact(wanted):
            return _any(column, [wanted])
        case AnyOf(values):
            return _any(column, values)
        case Wildcard(pattern):
            return like(column, VALUE + pattern)
        case _:
            return None


def _any(column: ColumnElement[str], wanted: Iterable[str]) -> Condition:
    return column.in_([VALUE + each for each in wanted if can_be_stored(each)])


def _name(column: ColumnElement[str], match: Match) -> Condition | None:
    match match:
        case Exact(wanted):
            parts = [[names.normalise(part)] for part in wanted.split("=", 2)]
        case Wildcard(pattern):
            parts = [names.patterns(part) for part in pattern.split("=", 2)]
        case Fuzzy(wanted):
            literally = Wildcard(wanted) if re.search(r"[*?]", wanted) else Exact(wanted)
            found = names.words(re.sub(r"[*?]", " ", wanted)).split()
            same = _name(column, literally)
            by_words = and_(*(like(column, f"{WORDS}* {word}*") for word in found))
            return same if same is None or not found else or_(same, by_words)
        case _:
            return None
    asked = [part for part in parts if part not in ([""], ["*"])]
    if not asked:
        return None
    return or_(false(), *(like(column, VALUE + pattern) for pattern in asked[0]))


def _moment(column: ColumnElement[str], vr: str, match: Match) -> Condition | None:
    form = temporal.date if vr == "DA" else temporal.time
    match match:
        case Exact(wanted):
            return column == f"{VALUE}{form(wanted)}"
        case Range(first, last) if vr == "DA":  # a time may belong to a date's interval
            lower = column >= VALUE + (form(first) or "" if first else "")
            end = form(last) if last else None
            return and_(lower, column <= VALUE + end if end else column < _AFTER_VALUE)
        case _:
            return None


def _around(column: ColumnElement[str], match: Match) -> Condition | None:
    """By the days around a moment, whatever clock it was read from."""
    first, last = (
        (match.first, match.last)
        if isinstance(match, Range)
        else (match.value, match.value)
        if isinstance(match, Exact)
        else (None, None)
    )
    if first is None and last is None:
        return None
    lower, upper = _day(first, -_APART), _day(last, _APART, end=True)
    return and_(column >= VALUE + lower, column <= VALUE + upper if upper else column < "w")


def _day(text: str | None, shift: timedelta, *, end: bool = False) -> str:
    moment = temporal.moment(text, end=end) if text else None
    if moment is None:
        return ""
    try:
        day = datetime.strptime(moment.local[:8], _DAY) + shift
    except OverflowError:
        return ""
    return f"{day.year:04}{day.month:02}{day.day:02}"


def _number(vr: str, value: Any) -> str | None:
    """One text for equal numbers, None where it is none."""
    try:
        if vr in _FLOATS:
            return struct.pack(_FLOATS[vr], float(value)).hex()
        number = Decimal(str(value).strip(" "))
        return "0" if number == 0 else str(number.normalize())
    except (InvalidOperation, OverflowError, ValueError):
        return None

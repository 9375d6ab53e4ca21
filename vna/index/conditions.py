"""One matching key over one column: a `Match` becomes conditions that both databases read alike.

Every condition is false for an absent value unless the match says otherwise, and none is NULL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import ColumnElement, and_, false, literal_column, or_, true

from vna.dicom import names, temporal
from vna.errors import InvalidValue
from vna.index.searchable import (
    AnyColumn,
    CountColumn,
    MomentColumn,
    NameColumns,
    NumberColumn,
    TextColumn,
)
from vna.model.query import AnyOf, Empty, Exact, Fuzzy, Match, Range, Universal, Wildcard

Condition = ColumnElement[bool]

# Written into the statement, not bound: only so does a partial index apply.
_NOTHING: ColumnElement[str] = literal_column("''")
_UNSTORABLE = re.compile("[\\0\ud800-\udfff]")


def text(target: TextColumn, match: Match) -> Condition:
    """Text by code point: single value, list, wildcard or empty."""
    column = target.column
    match match:
        case Universal():
            return true()
        case Empty():
            return column == ""
        case Exact(value):
            return column == value if can_be_stored(value) else false()
        case AnyOf(values):
            return column.in_([value for value in values if can_be_stored(value)])
        case Wildcard(pattern):
            return like(column, pattern)
        case _:
            raise _unsupported(match)


def can_be_stored(value: str) -> bool:
    """Whether text of a client can be compared at all: no database holds NUL or half a character.

    Keys are checked when they are read (vna/dicom/matching.py); the path of a URL is not.
    """
    return _UNSTORABLE.search(value) is None


def moment(target: MomentColumn, match: Match) -> Condition:
    """A date or time: single value, range or empty. An absent value is in no range."""
    column = target.column
    match match:
        case Universal():
            return true()
        case Empty():
            return column == ""
        case Exact(value):
            return column == moment_text(value)
        case Range(first, last):
            lower = column >= moment_text(first) if first else column != ""
            return and_(lower, column <= moment_text(last)) if last else lower
        case _:
            raise _unsupported(match)


def moment_text(value: str) -> str:
    """A DA or TM key in the form of the columns; the two have different lengths or punctuation."""
    form = temporal.date(value) or temporal.time(value)
    if form is None:
        raise InvalidValue("date or time", value, "be YYYYMMDD or HHMMSS.FFFFFF")
    return form


def number(target: NumberColumn, match: Match) -> Condition:
    """An integer string by its value: 007 is 7."""
    match match:
        case Universal():
            return true()
        case Empty():
            return target.text == ""
        case Exact(value):
            return and_(target.order == int(value), target.text != "")
        case _:
            raise _unsupported(match)


def count(target: CountColumn, match: Match) -> Condition:
    """A number of the archive's own, which is never absent."""
    match match:
        case Universal():
            return true()
        case Empty():
            return false()
        case Exact(value):
            return target.column == int(value)
        case _:
            raise _unsupported(match)


def name(target: NameColumns, match: Match) -> Condition:
    """A person name, without case and accents; a key of one group matches any of the three."""
    match match:
        case Universal():
            return true()
        case Empty():
            return and_(
                target.alphabetic == "", target.ideographic == _NOTHING, target.phonetic == _NOTHING
            )
        case Exact(value):
            return _by_group(target, [[names.normalise(part)] for part in value.split("=", 2)])
        case Wildcard(pattern):
            return _by_group(target, [names.patterns(part) for part in pattern.split("=", 2)])
        case Fuzzy(value):
            literally = Wildcard(value) if re.search(r"[*?]", value) else Exact(value)
            found = names.words(re.sub(r"[*?]", " ", value)).split()
            return or_(name(target, literally), _by_words(target.words, found))
        case _:
            raise _unsupported(match)


def like(column: AnyColumn, pattern: str) -> Condition:
    """`column LIKE` the wildcard pattern, and between the bounds of what it begins with.

    The bounds are for the index: neither database uses one for LIKE with a bound pattern.
    """
    beginning = re.split(r"[*?]", pattern, maxsplit=1)[0]
    escaped = re.sub(r"([%_\\])", r"\\\1", re.sub(r"\*+", "*", pattern))
    condition: Condition = column.like(escaped.replace("*", "%").replace("?", "_"), escape="\\")
    return and_(*_bounds(column, beginning), condition)


def _bounds(column: AnyColumn, beginning: str) -> Iterable[Condition]:
    if beginning:
        yield column >= beginning
        # Surrogates and the end of Unicode have no simple successor; the lower bound is enough.
        if (after := ord(beginning[-1]) + 1) < 0xD800:
            yield column < beginning[:-1] + chr(after)


def _by_words(column: AnyColumn, found: list[str]) -> Condition:
    if not found:
        return false()
    return and_(*(like(column, f"* {word}*") for word in found))


def _by_group(target: NameColumns, parts: list[list[str]]) -> Condition:
    columns = (target.alphabetic, target.ideographic, target.phonetic)
    if len(parts) == 1:
        # Few names have the other groups: an index over those alone keeps this a look-up.
        others = (and_(_one_group(column, parts[0]), column != _NOTHING) for column in columns[1:])
        return or_(_one_group(columns[0], parts[0]), *others)
    asked = [pair for pair in zip(columns, parts, strict=False) if pair[1] not in ([""], ["*"])]
    named = or_(*(column != "" for column in columns))
    return and_(named, *(_one_group(column, part) for column, part in asked))


def _one_group(column: AnyColumn, patterns: list[str]) -> Condition:
    return or_(false(), *(_one_pattern(column, pattern) for pattern in patterns if pattern))


def _one_pattern(column: AnyColumn, pattern: str) -> Condition:
    if pattern == "*":
        return column != ""
    return like(column, pattern) if re.search(r"[*?]", pattern) else column == pattern


def _unsupported(match: Match) -> InvalidValue:
    return InvalidValue("matching", type(match).__name__, "be one that the attribute's VR allows")

"""Ranges of a date and of its time that together are one interval.

PS3.18 §8.3.4.1.1 makes it the rule for QIDO-RS; C-FIND negotiates it (PS3.4 §C.2.2.2.5.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from vna.index import searchable
from vna.index.conditions import Condition, moment, moment_text
from vna.index.searchable import INDEXED, MomentColumn
from vna.model.query import Key, Match, Path, Range

PAIRS = (
    ((searchable.STUDY_DATE,), (searchable.STUDY_TIME,)),
    ((searchable.STEP_DATE,), (searchable.STEP_TIME,)),
)


def combined(keys: Sequence[Key]) -> tuple[list[Key], list[Condition]]:
    """The keys that stand alone, and one condition for each pair that forms an interval."""
    left, intervals = list(keys), []
    for date_path, time_path in PAIRS:
        dates = [key for key in left if key.path == date_path]
        times = [key for key in left if key.path == time_path]
        if len(dates) == len(times) == 1 and forms_interval(dates[0].match, times[0].match):
            left = [key for key in left if key not in (dates[0], times[0])]
            intervals.append(_interval(date_path, time_path, dates[0].match, times[0].match))
    return left, intervals


def forms_interval(dates: Match, times: Match) -> bool:
    """Whether a date and a time key are the ends of one interval.

    Both are ranges, and no end of the time lacks its date: `20240701-` with `1000-1800` has no day
    for the 18:00 to fall on, so there each day has its window and no filter is lost.
    """
    if not isinstance(dates, Range) or not isinstance(times, Range):
        return False
    return not (times.first and not dates.first) and not (times.last and not dates.last)


def _interval(date_path: Path, time_path: Path, dates: Match, times: Match) -> Condition:
    """From the first time on the first day to the last time on the last day.

    On those two days a time must be known; on the days between them any will do.
    """
    assert isinstance(dates, Range)
    assert isinstance(times, Range)
    day, clock = _column(date_path), _column(time_path)
    parts = [moment(MomentColumn(day), dates)]
    if times.first and dates.first:
        first = moment_text(dates.first)
        after = moment(MomentColumn(clock), replace(times, last=None))
        parts.append(or_(day > first, after))
    if times.last and dates.last:
        last = moment_text(dates.last)
        before = moment(MomentColumn(clock), replace(times, first=None))
        parts.append(or_(day < last, before))
    return and_(*parts)


def _column(path: Path) -> ColumnElement[Any]:
    comparison = INDEXED[path].comparison
    assert isinstance(comparison, MomentColumn)
    return comparison.column

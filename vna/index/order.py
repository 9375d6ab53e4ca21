"""The one order of each level, total and the same in both databases, and where a page goes on.

Studies: StudyDate, StudyTime, StudyInstanceUID, all descending, so that the newest come first and
one index read backwards gives them. Series: by their study, then SeriesNumber and
SeriesInstanceUID ascending. Instances: by their series, then InstanceNumber and SOPInstanceUID.
An absent date sorts as the oldest, an absent number as the highest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, tuple_

from vna.errors import InvalidValue
from vna.index.conditions import Condition
from vna.index.tables import instance, series, study
from vna.model.query import Cursor, Level

Columns = tuple[ColumnElement[Any], ...]

_DESCENDING: Columns = (study.c.study_date, study.c.study_time, study.c.uid)
_ASCENDING: dict[Level, Columns] = {
    Level.STUDY: (),
    Level.SERIES: (series.c.number_order, series.c.uid),
    Level.INSTANCE: (
        series.c.number_order,
        series.c.uid,
        instance.c.number_order,
        instance.c.uid,
    ),
}


def sort_columns(level: Level) -> Columns:
    """The columns whose values are the sort key of a row, and so its cursor."""
    return _DESCENDING + _ASCENDING[level]


def order_by(level: Level, columns: Sequence[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    """`columns`, which stand for `sort_columns(level)`, with their directions."""
    turn = len(_DESCENDING)
    return [column.desc() for column in columns[:turn]] + [
        column.asc() for column in columns[turn:]
    ]


def order_of_search(level: Level) -> list[ColumnElement[Any]]:
    """The same order over the tables themselves.

    Keys of the rows above stand where those are complete. They change nothing, since a UID comes
    once; but they tell SQLite that the indexes of one table inside the other give this order, so
    that the first page of all instances needs no sort of them.
    """
    found = order_by(Level.STUDY, _DESCENDING)
    if level >= Level.SERIES:
        found += [study.c.pk.desc(), series.c.number_order, series.c.uid]
    if level >= Level.INSTANCE:
        found += [series.c.pk, instance.c.number_order, instance.c.uid]
    return found


def beyond(level: Level, cursor: Cursor) -> Condition:
    """What sorts after `cursor`; raises `InvalidValue` for a cursor of another level."""
    turn, columns = len(_DESCENDING), sort_columns(level)
    _check(columns, cursor)
    older = tuple_(*columns[:turn]) < tuple_(*cursor.values[:turn])
    if len(columns) == turn:
        return older
    same = tuple_(*columns[:turn]) == tuple_(*cursor.values[:turn])
    further = tuple_(*columns[turn:]) > tuple_(*cursor.values[turn:])
    # The first condition follows from the others; it lets the index over dates start there.
    return and_(
        tuple_(*columns[:turn]) <= tuple_(*cursor.values[:turn]), or_(older, and_(same, further))
    )


def _check(columns: Columns, cursor: Cursor) -> None:
    types = [column.type.python_type for column in columns]
    if [type(value) for value in cursor.values] != types:
        raise InvalidValue("cursor", repr(cursor.values), "come from a page of the same query")

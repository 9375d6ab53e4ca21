"""The statement of a search by plain values, put together once for each shape of query.

Putting a statement together takes five times as long as running it. Where every key is a single
value that goes into the statement as it is, two queries of one shape differ in these values only:
the statement is made once, with marks in their places, by the same code as any other.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import RowMapping, Select
from sqlalchemy.engine.interfaces import Dialect

from vna.index import searchable
from vna.index.conditions import can_be_stored
from vna.index.engine import Session
from vna.index.searchable import INDEXED
from vna.index.wanted import Answer
from vna.model.caller import Caller
from vna.model.query import Exact, Query, Universal

SHAPES = 512  # statements kept; clients ask in few ways, and a stranger can not fill memory

_PLAIN = (searchable.TextColumn, searchable.UidColumn, searchable.Below)
_MARK = "\ue000{}\ue000"  # private use: no client's value, and nothing changes it on the way

Build = Callable[[Query], tuple[Answer, Select[Any]]]


@dataclass(frozen=True)
class Prepared:
    """A statement as text. `parameters`: by name, a value or the place of a query's own value."""

    answer: Answer
    sql: str
    order: Sequence[str] | None  # of the names, where the driver counts parameters
    fixed: dict[str, Any]
    own: dict[str, int]

    def rows(self, session: Session, values: Sequence[str]) -> list[RowMapping]:
        """Run it with the values of one query."""
        named = self.fixed | {name: values[place] for name, place in self.own.items()}
        given = named if self.order is None else tuple(named[name] for name in self.order)
        return list(session.connection.exec_driver_sql(self.sql, given).mappings())


_made: dict[Hashable, Prepared | None] = {}


def prepared(
    session: Session, query: Query, caller: Caller, build: Build
) -> tuple[Prepared, list[str]] | None:
    """The statement for queries of this shape and the values of this one.

    None where a key is anything but a plain value, or the caller sees only some organisations.
    """
    if caller.organisations is not None or query.after is not None:
        return None
    values: list[str] = []
    marked = []
    for key in query.keys:
        if isinstance(key.match, Universal):
            marked.append(key)
            continue
        found = INDEXED.get(key.path)
        if not isinstance(key.match, Exact) or found is None or key.path == (searchable.SOP_UID,):
            return None
        value = key.match.value
        if not isinstance(found.comparison, _PLAIN) or not value or not can_be_stored(value):
            return None
        marked.append(replace(key, match=Exact(_MARK.format(len(values)))))
        values.append(value)
    shape = replace(query, keys=tuple(marked))
    name = (shape, caller.partition, session.postgresql)
    if name not in _made:
        if len(_made) >= SHAPES:
            _made.clear()
        answer, statement = build(shape)
        _made[name] = _prepare(answer, statement, session.connection.dialect, len(values))
    made = _made[name]
    return None if made is None else (made, values)


def _prepare(
    answer: Answer, statement: Select[Any], dialect: Dialect, values: int
) -> Prepared | None:
    compiled = statement.compile(dialect=dialect)
    marks = {_MARK.format(place): place for place in range(values)}
    own = {name: marks[value] for name, value in compiled.params.items() if value in marks}
    if set(own.values()) != set(range(values)):
        return None  # a value is transformed on its way into the statement
    fixed = {name: value for name, value in compiled.params.items() if name not in own}
    order = compiled.positiontup if getattr(compiled, "positional", False) else None
    return Prepared(answer, str(compiled), order, fixed, own)

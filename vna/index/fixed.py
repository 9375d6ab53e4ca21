"""Statements that never change, put together once and then run by the driver alone.

SQLAlchemy takes 130 µs to run a statement that SQLite runs in 10; a batch of one object needs
twenty of them. A `Fixed` is compiled by SQLAlchemy when it is first used, once for each database
and number of values, and is text from then on.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, ClauseElement, Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import visitors

Row = Mapping[str, Any]
_SHAPES = 256  # texts kept of one statement


@dataclass(frozen=True, slots=True)
class _Text:
    """`order`: names of positional parameters, None where the driver takes them by name.
    `constants`: values that stand in the statement. `lists`: names that stand for the values of a
    list, each with the names of its places."""

    sql: str
    order: Sequence[str] | None
    constants: Row
    lists: Mapping[str, Sequence[str]]
    row: Callable[[Any], Any]  # of the result

    def arguments(self, parameters: Row) -> Any:
        if not self.lists and not self.constants:
            return parameters if self.order is None else [parameters[name] for name in self.order]
        given: dict[str, Any] = {**self.constants, **parameters}
        for name, places in self.lists.items():
            values = given.pop(name)
            given.update(dict.fromkeys(places, values[-1] if values else None))
            given.update(zip(places, values, strict=False))
        return given if self.order is None else [given[name] for name in self.order]


class Fixed:
    """A statement whose values are all bound parameters, and lists of values expanding ones.

    Values go to the driver as they are, so that only columns of numbers, text and bytes may occur.
    """

    def __init__(self, statement: ClauseElement) -> None:
        self._statement: Any = statement
        self._lists = sorted(
            {
                each.key
                for each in visitors.iterate(self._statement)
                if isinstance(each, BindParameter) and each.expanding and not each.unique
            }
        )
        self._texts: dict[tuple[object, ...], _Text] = {}

    def fetch(self, connection: Connection, parameters: Row) -> list[Any]:
        """Its rows, as named tuples."""
        text = self._for(connection, parameters)
        with _Cursor(connection) as cursor:
            cursor.execute(text.sql, text.arguments(parameters))
            return list(map(text.row, cursor.fetchall()))

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Run it for each of `rows`, which name the same parameters."""
        text = self._for(connection, rows[0])
        with _Cursor(connection) as cursor:
            if len(rows) == 1:
                cursor.execute(text.sql, text.arguments(rows[0]))
            else:
                cursor.executemany(text.sql, [text.arguments(row) for row in rows])

    def returned(self, connection: Connection, rows: Sequence[Row]) -> list[Any]:
        """Run it for each of `rows`; the first value that each returned, in their order."""
        text = self._for(connection, rows[0])
        arguments = [text.arguments(row) for row in rows]
        with _Cursor(connection) as cursor:
            if len(rows) > 1 and connection.dialect.name == "postgresql":
                return _in_one_trip(cursor, text.sql, arguments)
            found = []
            for each in arguments:
                cursor.execute(text.sql, each)
                found += [row[0] for row in cursor.fetchall()]
            return found

    def _for(self, connection: Connection, parameters: Row) -> _Text:
        counts = [_places(len(parameters[name])) for name in self._lists]
        key = (connection.dialect.name, *parameters, *counts)
        found = self._texts.get(key)
        if found is None:
            if len(self._texts) >= _SHAPES:
                self._texts.clear()
            found = self._texts[key] = self._make(connection.dialect, list(parameters), counts)
        return found

    def _make(self, dialect: Dialect, names: Sequence[str], counts: Sequence[int]) -> _Text:
        compiled = self._statement.compile(dialect=dialect, column_keys=list(names))
        lists = dict(zip(self._lists, ([0] * count for count in counts), strict=True))
        state = compiled.construct_expanded_state(
            dict(compiled.params) | dict.fromkeys(names) | lists
        )
        places = {name: tuple(state.parameter_expansion.get(name, ())) for name in lists}
        own = {*names, *(place for some in places.values() for place in some)}
        described = [each.keyname for each in compiled._result_columns]
        named: Any = namedtuple  # of names that are known when it runs
        return _Text(
            state.statement,
            state.positiontup,
            {name: value for name, value in state.parameters.items() if name not in own},
            places,
            named("Row", described, rename=True)._make if described else tuple,
        )


class _Cursor:
    """A cursor of the driver, whose errors come out as SQLAlchemy's."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cursor: Any = connection.connection.cursor()

    def __enter__(self) -> Any:
        return self._cursor

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        dialect = self._connection.dialect
        driver: Any = dialect.dbapi
        if not isinstance(error, driver.Error):
            self._cursor.close()
            return
        if dialect.is_disconnect(error, self._connection.connection.driver_connection, None):
            self._connection.invalidate(error)
        raise DBAPIError.instance(
            None, None, error, driver.Error, hide_parameters=True, dialect=dialect
        ) from error


def _places(values: int) -> int:
    """Places of a list: the next power of two, filled with its last value, so that lists of any
    length make few texts."""
    return 1 << (values - 1).bit_length() if values else 0


def _in_one_trip(cursor: Any, sql: str, arguments: Sequence[Any]) -> list[Any]:
    cursor.executemany(sql, arguments, returning=True)
    found = []
    while True:
        found += [row[0] for row in cursor.fetchall()]
        if not cursor.nextset():
            return found

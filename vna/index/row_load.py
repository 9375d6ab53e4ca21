"""Rows of the log become an index again.

Frames are folded first, in a file beside: of each row the last one counts. What is left is then
loaded in one transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson
from sqlalchemy import Connection, Table, delete, insert, text, update

from vna.errors import Conflict
from vna.index import copies, jobs, row_log
from vna.index.bulk import BATCH, filling, opened, set_sequences, transaction
from vna.index.copies import KnownStore
from vna.index.engine import Session
from vna.index.row_log import LOGGED, Head, Rows
from vna.index.tables import metadata, tag_index

Tell = Callable[[str, int], None]


class Folded:
    """Rows by table and key, the last of each; in a temporary file, not in memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.unlink(missing_ok=True)  # of a process that died
        self._database = sqlite3.connect(path, isolation_level=None)
        for statement in (
            "PRAGMA journal_mode=OFF",
            "PRAGMA synchronous=OFF",
            "CREATE TABLE kept (name TEXT, key TEXT, columns INTEGER, row BLOB, "
            "PRIMARY KEY (name, key)) WITHOUT ROWID",
            "CREATE TABLE columns (pk INTEGER PRIMARY KEY, names TEXT UNIQUE)",
            "BEGIN",
        ):
            self._database.execute(statement)

    def __enter__(self) -> Folded:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()
        self._path.unlink(missing_ok=True)

    def add(self, lines: Iterable[bytes]) -> None:
        """The lines of a frame, which follows those that were added before."""
        for line in lines:
            rows = Rows(**orjson.loads(line))
            table = metadata.tables.get(rows.table)
            if table is None:
                continue  # a later release has no such table
            columns = self._columns(rows)
            self._database.executemany(
                "INSERT OR REPLACE INTO kept VALUES (?, ?, ?, NULL)",
                [(rows.table, key, columns) for key in rows.gone],
            )
            self._database.executemany(
                "INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)",
                [
                    (
                        rows.table,
                        row_log.key_of(table, dict(zip(rows.columns, row, strict=True))),
                        columns,
                        orjson.dumps(row),
                    )
                    for row in rows.rows
                ],
            )

    def rows(self, table: Table) -> Iterator[list[dict[str, Any]]]:
        """The rows of a table as the database takes them, some at a time."""
        names = dict(self._database.execute("SELECT pk, names FROM columns"))
        for pk, columns in names.items():
            found = self._database.execute(
                "SELECT row FROM kept WHERE name = ? AND columns = ? AND row IS NOT NULL",
                (table.name, pk),
            )
            while some := found.fetchmany(BATCH):
                rows = [orjson.loads(row) for (row,) in some]
                yield row_log.values(table, Rows(table.name, columns.split(" "), rows, ()))

    def keys(self, table: Table) -> Iterator[list[str]]:
        """The keys of all rows of a table that were written or removed, some at a time."""
        found = self._database.execute("SELECT key FROM kept WHERE name = ?", (table.name,))
        while some := found.fetchmany(row_log.KEYS_AT_ONCE):
            yield [key for (key,) in some]

    def _columns(self, rows: Rows) -> int:
        names = " ".join(rows.columns)
        self._database.execute("INSERT OR IGNORE INTO columns (names) VALUES (?)", (names,))
        (pk,) = self._database.execute(
            "SELECT pk FROM columns WHERE names = ?", (names,)
        ).fetchone()
        return int(pk)


ADOPT = "adopt"  # a job until what came after the last frame is taken in; subject: its time


def load(
    url: str,
    folded: Folded,
    head: Head,
    at: int,
    tell: Tell = lambda table, rows: None,
    only_in: KnownStore | None = None,
) -> int:
    """Fill an empty index, in one transaction; returns how many rows. `tell` hears of each table.
    `at`: time of the last frame, ms since 1970 UTC; what came after it is then to be taken in.

    `only_in`: the one store that holds the bytes now, whatever the log says. Values made from
    others are to be made again: tags made searchable are filled anew. Raises `Conflict` where the
    index holds something.
    """
    with opened(url) as connection, filling(connection):
        rows = _insert(connection, folded, tell)
        connection.execute(update(tag_index).values(position=0, filled=0))
        row_log.begin_again(connection, head)
        set_sequences(connection)
        row_log.install(connection)
        jobs.put(Session(connection), ADOPT, [str(at)], after=0)
        if only_in is not None:
            copies.only_in(Session(connection), only_in)
    return rows


def lay_over(url: str, folded: Folded, old: Head, head: Head, at: int) -> int:
    """Bring an index that is behind the log up to it, in one transaction; returns how many rows.

    Nobody may be writing to it: what is in the log counts. Caches stay; they know of which state
    they are. `old`: the last frame that it knows; `at`: as of `load`. Raises `Conflict` where it
    has come to know another one.
    """
    with opened(url) as connection, transaction(connection):
        if row_log.head(Session(connection), lock=True) != old:
            raise Conflict("the index is in use: stop every node first")
        row_log.remove(connection)
        with _checked_at_the_end(connection):
            for table in LOGGED:
                for keys in folded.keys(table):
                    connection.execute(delete(table).where(row_log.among(table, keys)))
            rows = _insert(connection, folded, lambda table, rows: None)
        connection.execute(update(tag_index).values(position=0, filled=0))
        row_log.begin_again(connection, head)
        set_sequences(connection)
        row_log.install(connection)
        jobs.put(Session(connection), ADOPT, [str(at)], after=0)
    return rows


def _insert(connection: Connection, folded: Folded, tell: Tell) -> int:
    rows = 0
    for table in LOGGED:
        of_table = 0
        for some in folded.rows(table):
            connection.execute(insert(table), some)
            of_table += len(some)
        tell(table.name, of_table)
        rows += of_table
    return rows


@contextmanager
def _checked_at_the_end(connection: Connection) -> Iterator[None]:
    """References between rows may be broken inside the block, not after it."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        yield
        return
    keys = [
        (table.name, each.name)
        for table in metadata.sorted_tables
        for each in table.foreign_key_constraints
    ]
    for table, name in keys:
        connection.execute(text(f'ALTER TABLE "{table}" ALTER CONSTRAINT {name} DEFERRABLE'))
    connection.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    yield
    connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    for table, name in keys:
        connection.execute(text(f'ALTER TABLE "{table}" ALTER CONSTRAINT {name} NOT DEFERRABLE'))

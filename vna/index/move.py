"""An index moved from one database to another, every key as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Table, insert, select
from sqlalchemy.exc import DBAPIError, OperationalError

from vna.errors import Conflict, IndexUnavailable, InvalidConfiguration
from vna.index import dialect, row_log
from vna.index.bulk import BATCH, filling, opened, set_sequences
from vna.index.migrate import migrate, states
from vna.index.tables import metadata

Tell = Callable[[str, int], None]


def move(source: str, target: str, tell: Tell = lambda table, rows: None) -> int:
    """Copy every table to an empty database in one transaction; returns how many rows.

    Each table is read back from the target and compared before it is committed, so that an
    interruption leaves it empty. Nobody may have the source open: what was stored meanwhile would
    be missing. `tell` hears of each table. Raises `Conflict` for a target that holds something, a
    source that is in use, or a copy that differs; `InvalidConfiguration` for another schema.
    """
    present, wanted = states(source)
    if present != wanted:
        raise InvalidConfiguration(
            f"the database has schema {present}, this program wants {wanted}: run vna db upgrade"
        )
    migrate(target)
    try:
        with _alone(source) as old, opened(target) as new, filling(new):
            rows = 0
            for table in metadata.sorted_tables:
                rows += _copied(old, new, table, tell)
            set_sequences(new)
            row_log.install(new)
            return rows
    except OperationalError as error:
        raise IndexUnavailable(f"the database failed: {type(error.orig).__name__}") from error


def _copied(old: Connection, new: Connection, table: Table, tell: Tell) -> int:
    rows, sent = 0, hashlib.sha256()
    for batch in _batches(old, table):
        new.execute(insert(table), [dict(row._mapping) for row in batch])
        rows += len(batch)
        _digest(sent, batch)
    kept = hashlib.sha256()
    for batch in _batches(new, table):
        _digest(kept, batch)
    if sent.digest() != kept.digest():
        raise Conflict(f"the copy of table {table.name} differs; the target was left empty")
    tell(table.name, rows)
    return rows


def _batches(connection: Connection, table: Table) -> Iterator[Sequence[Any]]:
    """All rows in the order of the key, some at a time."""
    keys = list(table.primary_key.columns) or list(table.columns)
    wanted = select(table).order_by(*keys).execution_options(stream_results=True)
    found = connection.execute(wanted)
    yield from found.partitions(BATCH)


def _digest(digest: Any, batch: Sequence[Any]) -> None:
    for row in batch:
        values = (bytes(each) if isinstance(each, memoryview) else each for each in row)
        digest.update(repr(tuple(values)).encode())


@contextmanager
def _alone(url: str) -> Iterator[Connection]:
    """A consistent read of a database that nobody else has open."""
    with opened(url) as connection:
        if connection.dialect.name == "sqlite":
            try:
                connection.exec_driver_sql("PRAGMA busy_timeout=0")
                connection.exec_driver_sql("PRAGMA locking_mode=EXCLUSIVE")
                connection.exec_driver_sql("BEGIN EXCLUSIVE")
            except DBAPIError:
                raise Conflict("the archive is in use: stop the server first") from None
            try:
                yield connection
            finally:
                connection.exec_driver_sql("ROLLBACK")
                connection.exec_driver_sql("PRAGMA locking_mode=NORMAL")
            return
        connection.exec_driver_sql(dialect.POSTGRESQL_SNAPSHOT)
        others = connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).scalar_one()
        if others:
            raise Conflict("the archive is in use: stop every node first")
        yield connection
        connection.rollback()

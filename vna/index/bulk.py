"""What writes a whole database has in common: an empty target, one transaction, its sequences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import BigInteger, Connection, Integer, func, select, text

from vna.errors import Conflict
from vna.index import dialect, row_log
from vna.index.tables import (
    authority,
    feed_head,
    log_head,
    metadata,
    organisation,
    store,
    unlogged,
)

BATCH = 2000  # rows in memory at once
SEEDS = {authority, feed_head, log_head, organisation, store}  # have rows in an empty archive


@contextmanager
def filling(connection: Connection) -> Iterator[None]:
    """Begin with no row at all and no trigger; everything is committed at the end, or nothing.

    Whoever fills it sets sequences and triggers. Raises `Conflict` where it holds more than an
    empty archive does.
    """
    with transaction(connection):
        if (table := filled_table(connection)) is not None:
            raise Conflict(f"the target holds something already: table {table} has rows")
        row_log.remove(connection)
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
        yield


def filled_table(connection: Connection) -> str | None:
    """A table that holds more than in an empty archive; None where there is none."""
    for table in metadata.sorted_tables:
        if table is unlogged:
            continue
        most = 1 if table in SEEDS else 0
        if connection.execute(select(func.count()).select_from(table)).scalar_one() > most:
            return table.name
    return None


def set_sequences(new: Connection) -> None:
    """Have new keys follow those that are there."""
    if new.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        keys = list(table.primary_key.columns)
        if len(keys) != 1 or keys[0].autoincrement is False:
            continue
        (key,) = keys
        if not isinstance(key.type, (Integer, BigInteger)):
            continue
        named = new.execute(
            text("SELECT pg_get_serial_sequence(:table, :key)"),
            {"table": f'"{table.name}"', "key": key.name},
        ).scalar()
        if named is not None:
            last = new.execute(select(func.max(key))).scalar()
            new.execute(
                text("SELECT setval(CAST(:name AS regclass), :last, :used)"),
                {"name": named, "last": last or 1, "used": last is not None},
            )


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """All or nothing; the driver of SQLite is in autocommit mode (vna/index/dialect.py)."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")
        return
    with connection.begin():
        yield


@contextmanager
def opened(url: str) -> Iterator[Connection]:
    """A connection to a database, and no other."""
    engine = dialect.engine(url)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()

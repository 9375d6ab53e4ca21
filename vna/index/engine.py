"""One door to the database: short reads, and write transactions that are retried or reported."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import orjson
from sqlalchemy import (
    Connection,
    CursorResult,
    Engine,
    Executable,
    bindparam,
    event,
    insert,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from storage_backends.prompt import TakesTime, must_be_prompt, takes_time
from vna.errors import IndexUnavailable
from vna.index import dialect
from vna.index.fixed import Fixed, Row
from vna.index.tables import change, feed_head
from vna.index.turn import Turns

T = TypeVar("T")

ATTEMPTS = 8  # of a transaction that lost a race; each waits a little longer

_TAKE_NUMBERS = Fixed(
    update(feed_head).values(last=feed_head.c.last + bindparam("count")).returning(feed_head.c.last)
)
_ADD_CHANGES = Fixed(insert(change))
_NOW = {True: Fixed(text(dialect.POSTGRESQL_NOW)), False: Fixed(text(dialect.SQLITE_NOW))}


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the change feed; its number is given at commit. `detail` is JSON or None."""

    kind: str
    item_fk: int | None = None
    study_uid: str = ""
    series_uid: str = ""
    sop_uid: str = ""
    detail: Mapping[str, Any] | None = None


class Session:
    """A transaction in progress. `changes` are numbered and written last, just before COMMIT."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.changes: list[Change] = []
        self._now: int | None = None

    @property
    def postgresql(self) -> bool:
        """Whether the database is PostgreSQL; otherwise it is SQLite."""
        return self.connection.dialect.name == "postgresql"

    def execute(
        self, statement: Executable, parameters: Sequence[Row] | Row | None = None
    ) -> CursorResult[Any]:
        """Run one statement, or one for many rows of parameters."""
        result: CursorResult[Any] = self.connection.execute(statement, parameters)
        return result

    def fetch(self, statement: Fixed, parameters: Row) -> list[Any]:
        """The rows of a fixed statement, named tuples."""
        return statement.fetch(self.connection, parameters)

    def run(self, statement: Fixed, rows: Sequence[Row]) -> None:
        """Run a fixed statement for each of `rows`, which name the same parameters."""
        if rows:
            statement.run(self.connection, rows)

    def now(self) -> int:
        """Milliseconds since 1970 UTC by the database's clock, the same within a transaction."""
        if self._now is None:
            ((now,),) = self.fetch(_NOW[self.postgresql], {})
            self._now = int(now)
        return self._now

    @contextmanager
    def isolated(self) -> Iterator[None]:
        """A savepoint: what fails inside is undone alone, and its queued changes with it."""
        queued = len(self.changes)
        with self.connection.begin_nested():
            try:
                yield
            except BaseException:
                del self.changes[queued:]
                raise

    def publish(self) -> None:
        """Number the queued changes in commit order; must be the last step before COMMIT.

        The row lock of `feed_head` is what makes the order of numbers the order of commits and
        leaves no gap when a transaction rolls back (architecture decision 10).
        """
        if not self.changes:
            return
        count = len(self.changes)
        at = self.now()
        ((taken,),) = self.fetch(_TAKE_NUMBERS, {"count": count})
        rows = [
            {
                "seq": taken - count + number,
                "at": at,
                "kind": each.kind,
                "item_fk": each.item_fk,
                "study_uid": each.study_uid,
                "series_uid": each.series_uid,
                "sop_uid": each.sop_uid,
                "detail": orjson.dumps(each.detail) if each.detail is not None else None,
            }
            for number, each in enumerate(self.changes, start=1)
        ]
        self.run(_ADD_CHANGES, rows)
        self.changes.clear()


def nothing() -> None:
    """What is done about another database where nobody says."""


class Index:
    """The metadata index. Opened after the fork: no connection crosses one."""

    def __init__(
        self, engine: Engine, history: str = "", replaced: Callable[[], None] = nothing
    ) -> None:
        self._engine = engine
        self._history, self._replaced = history, replaced
        if engine.dialect.name == "postgresql":
            event.listen(engine, "connect", self._connected)
        self._process = os.getpid()
        self._turns = None if self.postgresql else Turns(Path(engine.url.database or ""))

    @classmethod
    def open(cls, url: str, *, history: str = "", replaced: Callable[[], None] = nothing) -> Index:
        """Connect to `sqlite:////path` or `postgresql+psycopg://…`; the schema must be there.

        A connection that meets another history of the database than `history` (see `history`) is
        not used: the index may be behind what was acknowledged. `replaced` is told each time. ''
        takes what the first connection meets.
        Raises `IndexUnavailable` when the database cannot be reached, `InvalidConfiguration` when
        an SQLite file would lie on a network file system.
        """
        return cls(dialect.engine(url), history, replaced)

    def history(self) -> str:
        """Which database it is, and which of its histories: another one after a fail-over or a
        restore; '' for SQLite. Raises `IndexUnavailable`."""
        with self.reading():
            return self._history

    @property
    def postgresql(self) -> bool:
        """Whether the database is PostgreSQL; otherwise it is SQLite."""
        return self._engine.dialect.name == "postgresql"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A short read. Fetch all that is wanted before the block ends."""
        with self._translated(), self._connect() as connection:
            yield Session(connection)
            connection.rollback()

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """A read whose statements all see one state of the database."""
        with self._translated(), self._connect() as connection, connection.begin():
            if self.postgresql:
                connection.execute(text(dialect.POSTGRESQL_SNAPSHOT))
            else:
                connection.exec_driver_sql("BEGIN")
            yield Session(connection)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One write transaction: committed when the block ends, rolled back when it raises."""
        with self._translated(), self._transaction() as session:
            yield session

    def transact(self, work: Callable[[Session], T]) -> T:
        """Run `work` in a write transaction; a lost race (deadlock, serialization, busy, two first
        inserts) runs it again from the start. Durable when it returns.

        Raises `IndexUnavailable` where the database is at fault; what it says of the statement
        itself comes out as it is.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._transaction() as session:
                    return work(session)
            except DBAPIError as error:
                raced = dialect.lost_race(error)
                if not raced and not dialect.failed(error):
                    raise
                if not raced or attempt == ATTEMPTS:
                    raise _unavailable(error) from error
                time.sleep(random.uniform(0, 0.02 * attempt))
            except PoolTimeout as error:
                raise _unavailable(error) from error
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close every connection of this process."""
        self._engine.dispose()
        if self._turns:
            self._turns.close()

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        takes_time()
        turn = self._turns.mine() if self._turns else nullcontext()
        # Begun by name: SQLAlchemy does not see what a fixed statement begins.
        with turn, self._connect() as connection, connection.begin():
            if self._turns:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            session = Session(connection)
            yield session
            session.publish()

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        if os.getpid() != self._process:
            raise RuntimeError("an index that was opened before a fork is used after it")
        if must_be_prompt() and not self._at_hand():
            raise TakesTime
        with self._engine.connect() as connection:
            yield connection

    def _at_hand(self) -> bool:
        """Whether SQLite can be asked at once, by a connection that is open and idle."""
        pool = self._engine.pool
        return not self.postgresql and isinstance(pool, QueuePool) and pool.checkedin() > 0

    def _connected(self, connection: Any, _record: object) -> None:
        """Refuse a new connection to a database that somebody else's promotion has made."""
        try:
            found = dialect.history(connection)
        except IndexUnavailable:
            connection.close()
            raise
        self._history = self._history or found
        if found != self._history:
            connection.close()
            self._replaced()
            raise IndexUnavailable("another database has taken over: what it lacks is looked up")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if not (dialect.failed(error) or dialect.met_a_lock(error)):
                raise
            raise _unavailable(error) from error
        except PoolTimeout as error:
            raise _unavailable(error) from error


def _unavailable(error: Exception) -> IndexUnavailable:
    cause = getattr(error, "orig", None) or error
    return IndexUnavailable(f"the database failed: {type(cause).__name__}")

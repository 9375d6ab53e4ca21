"""Bring a database to the schema of this program; run by the supervisor before it forks."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError, OperationalError

from vna.errors import IndexUnavailable, InvalidConfiguration
from vna.index import dialect

LOCK = 0x564E41  # of pg_advisory_lock
ATTEMPTS = 50
LOCK_MILLISECONDS = 300  # less than PostgreSQL's deadlock_timeout, a second
MORE_PATIENT = 10  # attempts, after which each waits that much longer


def migrate(url: str) -> None:
    """Upgrade the database to the newest revision; nothing to do is quick.

    Raises `InvalidConfiguration` where the database has a revision this program does not know
    (a newer release wrote it), `IndexUnavailable` where it cannot be reached.
    """
    with alone(url) as connection:
        present, known = revision(connection), _known()
        if present is not None and present not in known:
            raise InvalidConfiguration(
                f"the database has schema {present}, which a newer release wrote; "
                f"this one knows up to {known[-1]}: start the newer release"
            )
        if present != known[-1]:
            undisturbed(connection, _upgrade)


def undisturbed(connection: Connection, work: Callable[[Connection], None]) -> None:
    """Do `work` in one transaction; again from the start where nodes that serve meanwhile hold a
    lock that it waits for. It gives up its own before one of them would be broken off; only where
    they are so busy that forty attempts failed, one of them may be, and does its work again."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            if connection.dialect.name == "postgresql":
                patience = LOCK_MILLISECONDS * (1 + attempt // MORE_PATIENT)
                connection.execute(text(f"SET LOCAL lock_timeout = {patience}"))
            work(connection)
            connection.commit()
        except DBAPIError as error:
            connection.rollback()
            if attempt == ATTEMPTS or not dialect.met_a_lock(error):
                raise
            time.sleep(random.uniform(0, 0.1 * attempt))
        else:
            return


@contextmanager
def alone(url: str) -> Iterator[Connection]:
    """A connection, while no other node is inside such a block: two that start at once prepare the
    database one after the other. Raises `IndexUnavailable`."""
    engine = dialect.engine(url)
    several = engine.dialect.name == "postgresql"
    try:
        with engine.connect() as connection:
            if several:
                connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})
                connection.commit()
            try:
                yield connection
            finally:
                if several:
                    connection.rollback()
                    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK})
                    connection.commit()
    except OperationalError as error:
        raise IndexUnavailable(f"the database failed: {type(error.orig).__name__}") from error
    finally:
        engine.dispose()


def revision(connection: Connection) -> str | None:
    """The schema revision of the database, or None before its first migration."""
    if not inspect(connection).has_table("alembic_version"):
        connection.rollback()
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    connection.rollback()
    return None if found is None else str(found)


def states(url: str) -> tuple[str | None, str]:
    """The revision the database has (None = empty) and the one this program wants."""
    engine = dialect.engine(url)
    try:
        with engine.connect() as connection:
            return revision(connection), newest()
    except OperationalError as error:
        raise IndexUnavailable(f"the database failed: {type(error.orig).__name__}") from error
    finally:
        engine.dispose()


def newest() -> str:
    """The revision that this program wants."""
    return _known()[-1]


def _upgrade(connection: Connection) -> None:
    from alembic import command  # slow to load, and only needed here
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_scripts()))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _known() -> list[str]:
    """The revisions of this program, the newest last: what the names of their files begin with."""
    return sorted(each.name[:4] for each in (_scripts() / "versions").glob("[0-9]*.py"))


def _scripts() -> Path:
    """Inside an installed wheel the folder lies beside this module, in a checkout at its root."""
    installed = Path(__file__).parent / "migrations"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "migrations"

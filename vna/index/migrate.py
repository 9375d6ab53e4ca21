"""Bring a database to the schema of this program; run by the supervisor before it forks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from vna.errors import IndexUnavailable, InvalidConfiguration
from vna.index import dialect

if TYPE_CHECKING:
    from alembic.config import Config

LOCK = 0x564E41  # of pg_advisory_lock: two nodes that start at once migrate one after the other


def migrate(url: str) -> None:
    """Upgrade the database to the newest revision; nothing to do is quick.

    Raises `InvalidConfiguration` where the database has a revision this program does not know
    (a newer release wrote it), `IndexUnavailable` where it cannot be reached.
    """
    from alembic import command

    engine = dialect.engine(url)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK})
                connection.commit()
            try:
                config, newest, known = _alembic(connection)
                present = revision(connection)
                if present is not None and present not in known:
                    raise InvalidConfiguration(
                        f"the database has schema {present}, which a newer release wrote; "
                        f"this one knows up to {newest}: start the newer release"
                    )
                if present != newest:
                    command.upgrade(config, "head")
                    connection.commit()
            finally:
                if engine.dialect.name == "postgresql":
                    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK})
                    connection.commit()
    except OperationalError as error:
        raise IndexUnavailable(f"the database failed: {type(error.orig).__name__}") from error
    finally:
        engine.dispose()


def revision(connection: Connection) -> str | None:
    """The schema revision of the database, or None before its first migration."""
    from alembic.runtime.migration import MigrationContext

    found = MigrationContext.configure(connection).get_current_revision()
    connection.rollback()
    return found


def states(url: str) -> tuple[str | None, str]:
    """The revision the database has (None = empty) and the one this program wants."""
    engine = dialect.engine(url)
    try:
        with engine.connect() as connection:
            _, newest, _ = _alembic(connection)
            return revision(connection), newest
    except OperationalError as error:
        raise IndexUnavailable(f"the database failed: {type(error.orig).__name__}") from error
    finally:
        engine.dispose()


def _alembic(connection: Connection) -> tuple[Config, str, set[str]]:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_scripts()))
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    newest = scripts.get_current_head() or ""
    return config, newest, {each.revision for each in scripts.walk_revisions()}


def _scripts() -> Path:
    """Inside an installed wheel the folder lies beside this module, in a checkout at its root."""
    installed = Path(__file__).parent / "migrations"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "migrations"

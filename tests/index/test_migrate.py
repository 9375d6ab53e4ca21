"""Revisions of the schema: told by their files, reached one after the other."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from vna.errors import InvalidConfiguration
from vna.index.migrate import alone, migrate, newest, states, undisturbed


def test_the_newest_file_is_the_head_of_the_chain() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[2] / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [newest()]
    for each in scripts.walk_revisions():
        assert Path(each.path).name.startswith(each.revision)


def test_an_empty_database_has_no_revision_and_then_the_newest(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/index.db"
    assert states(url) == (None, newest())
    migrate(url)
    assert states(url) == (newest(), newest())
    migrate(url)
    assert states(url) == (newest(), newest())


def test_a_database_of_a_newer_release_is_refused(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(InvalidConfiguration, match="newer release"):
        migrate(database_url)


def test_a_migration_gives_way_to_those_who_serve(postgresql_url: str) -> None:
    """One that waited with locks in its hands would have a reader broken off after a second."""
    engine = create_engine(postgresql_url)
    tried: list[int] = []
    began = threading.Event()

    def work(connection: Connection) -> None:
        tried.append(1)
        connection.execute(text("ALTER TABLE study ADD COLUMN next_release integer"))
        began.set()
        connection.execute(text("ALTER TABLE series ADD COLUMN next_release integer"))

    with engine.connect() as reader, alone(postgresql_url) as connection:
        reader.execute(text("SELECT 1 FROM series"))
        migration = threading.Thread(target=undisturbed, args=(connection, work))
        migration.start()
        assert began.wait(10)
        reader.execute(text("SELECT 1 FROM study"))  # what the migration holds: no deadlock
        reader.rollback()
        migration.join(30)
        assert not migration.is_alive()
    assert len(tried) > 1
    with engine.connect() as found:
        found.execute(text("SELECT next_release FROM study JOIN series USING (next_release)"))
    engine.dispose()

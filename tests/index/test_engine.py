"""The door to the database: what it refuses, retries and translates."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import insert, select, text

from tests.peers import postgres
from tests.peers.postgres import Cluster
from vna.errors import IndexUnavailable, InvalidConfiguration
from vna.index import dialect
from vna.index.engine import Index, Session
from vna.index.migrate import migrate, states
from vna.index.tables import authority


def test_what_raises_leaves_nothing_behind(index: Index) -> None:
    def work(session: Session) -> None:
        session.execute(insert(authority).values(name="H1"))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        index.transact(work)

    with index.reading() as session:
        assert session.execute(select(authority.c.name)).scalars().all() == [""]


def test_text_orders_by_code_point_on_both_databases(index: Index) -> None:
    names = ["", "B", "a", "Á", "ñ", "n", "_", "10", "9"]
    index.transact(
        lambda s: s.execute(insert(authority), [{"name": n} for n in names if n]).rowcount
    )

    with index.reading() as session:
        ordered = session.execute(select(authority.c.name).order_by(authority.c.name)).scalars()
        assert list(ordered) == sorted(names)


def test_sqlite_is_durable_and_checks_references(sqlite_url: str) -> None:
    index = Index.open(sqlite_url)
    with index.reading() as session:
        pragma = {
            name: session.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    index.close()

    assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_an_index_does_not_cross_a_fork(sqlite_url: str) -> None:
    index = Index.open(sqlite_url)
    child = multiprocessing.get_context("fork").Process(target=_use, args=(index,))
    child.start()
    child.join()
    index.close()

    assert child.exitcode == 7


def _use(index: Index) -> None:
    try:
        with index.reading():
            pass
    except RuntimeError:
        raise SystemExit(7) from None


def test_sqlite_on_a_network_file_system_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = dialect._file_system_type(tmp_path)
    monkeypatch.setitem(dialect.NETWORK_FILE_SYSTEMS, here, "NFS")

    with pytest.raises(InvalidConfiguration, match="NFS"):
        Index.open(f"sqlite:///{tmp_path}/index.db")


def test_an_unknown_database_is_refused_by_name() -> None:
    with pytest.raises(InvalidConfiguration, match="mysql"):
        Index.open("mysql://127.0.0.1/x")


def test_a_database_out_of_reach_is_unavailable() -> None:
    index = Index.open("postgresql+psycopg://postgres@127.0.0.1:1/x")

    with pytest.raises(IndexUnavailable), index.reading():
        pass


def test_migrating_again_changes_nothing(database_url: str) -> None:
    migrate(database_url)

    present, newest = states(database_url)
    assert present == newest


def test_a_database_of_the_first_revision_gets_what_came_later(database_url: str) -> None:
    index = Index.open(database_url)
    for statement in (
        "DROP TABLE commitment",
        "UPDATE alembic_version SET version_num = '0001'",
        "INSERT INTO organisation (code, name, default_authority) VALUES ('kept', '', '')",
    ):
        index.transact(lambda s, sql=statement: s.execute(text(sql)).rowcount)  # type: ignore[misc]
    index.close()

    migrate(database_url)

    index = Index.open(database_url)
    with index.reading() as session:
        assert session.execute(text("SELECT count(*) FROM commitment")).scalar() == 0
        kept = text("SELECT count(*) FROM organisation WHERE code = 'kept'")
        assert session.execute(kept).scalar() == 1
    index.close()


def test_a_newer_schema_is_refused_in_clear_words(database_url: str) -> None:
    index = Index.open(database_url)
    index.transact(
        lambda s: s.execute(text("UPDATE alembic_version SET version_num = '9'")).rowcount
    )
    index.close()

    with pytest.raises(InvalidConfiguration, match="newer release"):
        migrate(database_url)


def test_a_role_without_privileges_can_ask_which_database_it_is(
    postgresql: Cluster, postgresql_url: str
) -> None:
    postgresql.execute("DROP ROLE IF EXISTS plain")
    postgresql.execute("CREATE ROLE plain LOGIN")
    index = Index.open(postgresql_url.replace("postgres@", "plain@"))
    as_owner = Index.open(postgresql_url)
    assert index.history() == as_owner.history() != ""
    for each in (index, as_owner):
        each.close()


def test_a_connection_to_another_database_is_refused_and_told(postgresql_url: str) -> None:
    told: list[int] = []
    index = Index.open(postgresql_url, history="1/00000001", replaced=lambda: told.append(1))
    for _ in range(2):
        with pytest.raises(IndexUnavailable, match="taken over"), index.reading():
            pass
    assert len(told) == 2
    index.close()


def test_a_standby_is_no_database_to_work_with(postgresql: Cluster, postgresql_url: str) -> None:
    with (
        TemporaryDirectory(prefix="vna-postgresql-") as folder,
        postgres.standby(Path(folder), postgresql) as standby,
    ):
        index = Index.open(postgresql_url.replace(f":{postgresql.port}/", f":{standby.port}/"))
        with pytest.raises(IndexUnavailable), index.reading():
            pass
        index.close()

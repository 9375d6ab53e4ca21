"""Fixtures that many tests share: both databases, empty and migrated."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.peers import ceph, postgres
from tests.peers.require import require
from vna.index.engine import Index
from vna.index.migrate import migrate

# Servers under test run beside each other; those that are to speak DIMSE say where.
os.environ.setdefault("VNA_DIMSE", "off")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty, migrated SQLite file to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql() -> Iterator[postgres.Cluster]:
    """One PostgreSQL cluster for the session, with a migrated template database.

    Not below pytest's folder: every run of pytest closes that to other users, also to the server.
    """
    require(postgres.missing())
    with (
        TemporaryDirectory(prefix="vna-postgresql-") as folder,
        postgres.running(Path(folder)) as cluster,
    ):
        cluster.execute("CREATE DATABASE template_vna TEMPLATE template0 ENCODING 'UTF8'")
        migrate(cluster.url("template_vna"))
        yield cluster


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[ceph.Ceph]:
    """One Ceph with its S3 gateway for all workers of the run."""
    require(ceph.missing())
    base = tmp_path_factory.getbasetemp()
    with ceph.shared(base if worker_id == "master" else base.parent) as service:
        yield service


@pytest.fixture
def postgresql_url(postgresql: postgres.Cluster) -> Iterator[str]:
    """The URL of a PostgreSQL database of the test's own, migrated and empty."""
    url = postgresql.database("template_vna")
    yield url
    postgresql.drop(url)


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of an SQLite database of the test's own, migrated and empty."""
    path = tmp_path / "index.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each database in turn, migrated and empty."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def index(database_url: str) -> Iterator[Index]:
    """An opened index over each database in turn."""
    opened = Index.open(database_url)
    yield opened
    opened.close()

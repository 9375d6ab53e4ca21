"""A real PostgreSQL cluster on loopback, as an unprivileged user where root is refused."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

PACKAGES = "postgresql"


def programs() -> Path | None:
    """The folder of the newest server's programs, or None where none is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return found[-1].parent if found else None


def missing() -> str | None:
    """The apt line that installs the peer, or None where it is installed."""
    return None if programs() else f"apt-get install {PACKAGES}"


@dataclass(slots=True)
class Cluster:
    """A running cluster; `database()` gives the URL of a new one."""

    port: int
    _control: tuple[str, ...] = ()
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def database(self, template: str = "template0") -> str:
        """Create a database, as a copy of `template`, and return its URL."""
        name = f"vna_{os.getpid()}_{next(self._numbers)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" ENCODING \'UTF8\'')
        return self.url(name)

    def url(self, name: str) -> str:
        """The URL of a database of this cluster."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def drop(self, url: str) -> None:
        """Drop the database that `database` returned, with whoever is still connected."""
        self.execute(f'DROP DATABASE IF EXISTS "{url.rsplit("/", 1)[1]}" WITH (FORCE)')

    def restart(self) -> None:
        """Stop the server at once, as if it had died, and start it again as it was."""
        _run([*self._control, "-m", "immediate", "restart"])

    def kill(self) -> None:
        """Stop the server at once, as if its machine had died."""
        _run([*self._control, "-m", "immediate", "stop"])

    def promote(self) -> None:
        """Make a standby the primary; returns when it takes writes."""
        _run([*self._control, "promote"])

    def execute(self, statement: str) -> None:
        """Run one statement as the owner, outside a transaction."""
        import psycopg

        with psycopg.connect(
            f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres", autocommit=True
        ) as connection:
            connection.execute(statement)


@contextmanager
def running(folder: Path, *, durable: bool = False) -> Iterator[Cluster]:
    """A cluster in `folder` until the block ends; without syncs, for speed, unless `durable`."""
    data, as_user = _prepared(folder)
    _run([*as_user, _program("initdb"), "-D", str(data), "-U", "postgres", "-A", "trust",
          "-E", "UTF8", "--locale=C", "--no-sync"])  # fmt: skip
    with _started(data, as_user, durable=durable) as cluster:
        yield cluster


@contextmanager
def standby(folder: Path, primary: Cluster) -> Iterator[Cluster]:
    """A streaming standby of `primary` until the block ends."""
    data, as_user = _prepared(folder)
    _run([*as_user, _program("pg_basebackup"), "-h", "127.0.0.1", "-p", str(primary.port),
          "-U", "postgres", "-D", str(data), "-R", "-c", "fast", "--no-sync"])  # fmt: skip
    with _started(data, as_user) as cluster:
        yield cluster


def _prepared(folder: Path) -> tuple[Path, list[str]]:
    """Where the data of a cluster go, and what stands before a program that its user runs."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return folder / "data", []
    shutil.chown(folder, "postgres", "postgres")
    _open_to_others(folder)
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    return folder / "data", as_user


def _program(name: str) -> str:
    found = programs()
    assert found is not None, missing()
    return str(found / name)


@contextmanager
def _started(data: Path, as_user: list[str], *, durable: bool = False) -> Iterator[Cluster]:
    port = _free_port()
    options = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "fsync": "on" if durable else "off",
        "full_page_writes": "on" if durable else "off",
        "max_connections": 300,
        "shared_buffers": "64MB",
    }
    words = " ".join(f"-c {name}={value!r}" for name, value in options.items())
    control = [*as_user, _program("pg_ctl"), "-D", str(data), "-w", "-t", "60"]
    _run([*control, "-l", str(data / "log"), "-o", words, "start"])
    again = (*control, "-l", str(data / "log"), "-o", words)
    try:
        yield Cluster(port, again)
    finally:
        if (data / "postmaster.pid").exists():
            _run([*control, "-m", "immediate", "stop"])


def _run(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
    if result.returncode:
        raise RuntimeError(f"{command} ended with {result.returncode}: {result.stderr[-2000:]}")


def _open_to_others(folder: Path) -> None:
    """Let another user walk down to `folder`: pytest makes its folders for one user only."""
    for each in folder.parents:
        if each.stat().st_uid == os.geteuid() and each != Path("/"):
            each.chmod(each.stat().st_mode | 0o011)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""The one place where SQLite and PostgreSQL differ."""

from __future__ import annotations

import os
import sqlite3
import struct
from ctypes import CDLL, create_string_buffer, get_errno
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from vna.errors import IndexUnavailable, InvalidConfiguration

SQLITE_NOW = "SELECT CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER)"
POSTGRESQL_NOW = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"
# Another one after a fail-over or a restore: which cluster it is, and which history of it.
POSTGRESQL_HISTORY = (
    "SELECT (SELECT system_identifier FROM pg_control_system()) || '/' || "
    "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
)
POSTGRESQL_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"

BUSY_MILLISECONDS = 30_000
CACHE_KIB = 64 * 1024

# statfs(2) f_type of file systems on which SQLite's locks or syncs cannot be relied on.
NETWORK_FILE_SYSTEMS = {
    0x6969: "NFS",
    0x517B: "SMB",
    0xFF534D42: "CIFS",
    0xFE534D42: "SMB2",
    0x01021997: "9P",
    0x00C36400: "Ceph",
    0x5346414F: "AFS",
}

# SQLSTATE: unique_violation (two first inserts), serialization_failure, deadlock_detected.
RACES = {"23505", "40001", "40P01"}

# Classes of SQLSTATE that blame the server and not the statement: connection, resources, a lock
# that was not to be had, operator intervention, system.
FAILURES = {"08", "53", "55", "57", "58"}


def engine(url: str) -> Engine:
    """An engine with the pragmas and session settings that the archive relies on.

    SQLite: WAL, synchronous=FULL, foreign keys, case-sensitive LIKE, transactions begun by us.
    PostgreSQL: READ COMMITTED, synchronous_commit on, UTC.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        _refuse_network_file_system(Path(parsed.database or ""))
        made = create_engine(
            parsed,
            connect_args={"timeout": BUSY_MILLISECONDS / 1000},
            hide_parameters=True,  # they are patient data and must not reach a log
        )
        event.listen(made, "connect", _prepare_sqlite)
        return made
    if parsed.drivername != "postgresql+psycopg":
        raise InvalidConfiguration(
            f"the database URL begins with {parsed.drivername!r}; "
            "it must begin with sqlite:// or postgresql+psycopg://"
        )
    options = "-c synchronous_commit=on -c timezone=UTC"
    return create_engine(
        parsed,
        isolation_level="READ COMMITTED",
        connect_args={"options": options, "connect_timeout": 5},
        pool_size=8,
        max_overflow=8,
        pool_timeout=10,
        pool_pre_ping=True,
        hide_parameters=True,
    )


# Primary result codes of a disk that fails; one that cannot be read is told as a corrupt file.
UNREADABLE = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def history(connection: Any) -> str:
    """Which cluster a new connection of PostgreSQL's driver leads to, and which timeline it writes.

    Raises `IndexUnavailable`, where it is a standby, too.
    """
    import psycopg  # not before somebody uses PostgreSQL

    try:
        with connection.cursor() as cursor:
            cursor.execute(POSTGRESQL_HISTORY)
            found = str(cursor.fetchone()[0])
        connection.rollback()
    except psycopg.Error as error:
        raise IndexUnavailable(f"the database failed: {type(error).__name__}") from error
    return found


def lost_race(error: DBAPIError) -> bool:
    """Whether the same transaction may succeed when it is run again."""
    cause = error.orig
    if isinstance(cause, sqlite3.OperationalError):
        return "locked" in str(cause) or "busy" in str(cause)
    if isinstance(cause, sqlite3.IntegrityError):
        return cause.sqlite_errorcode in (
            sqlite3.SQLITE_CONSTRAINT_UNIQUE,
            sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
        )
    return getattr(cause, "sqlstate", None) in RACES


def met_a_lock(error: DBAPIError) -> bool:
    """Whether others held what was wanted: a deadlock, a serialization failure, a lock that was not
    to be had in time."""
    return getattr(error.orig, "sqlstate", None) in {"40001", "40P01", "55P03"}


def failed(error: DBAPIError) -> bool:
    """Whether the database is at fault, so that the same statement may succeed later."""
    if isinstance(error.orig, sqlite3.DatabaseError):
        code = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_OK)
        if code & 0xFF in UNREADABLE:
            return True
    if not isinstance(error, (InterfaceError, OperationalError)):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return state is None or state[:2] in FAILURES


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # Autocommit in the driver: BEGIN IMMEDIATE and COMMIT are ours, so that a write takes its
    # lock at once and a read never upgrades.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "case_sensitive_like=ON",
        f"busy_timeout={BUSY_MILLISECONDS}",
        f"cache_size=-{CACHE_KIB}",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _refuse_network_file_system(path: Path) -> None:
    folder = path.parent if path.parent != Path() else Path.cwd()
    if not folder.exists():
        return
    kind = NETWORK_FILE_SYSTEMS.get(_file_system_type(folder))
    if kind:
        raise InvalidConfiguration(
            f"the index would lie on {kind} at {folder}; SQLite needs a local disk, "
            "several machines need PostgreSQL"
        )


def _file_system_type(folder: Path) -> int:
    """`f_type` of statfs(2): the first word of the structure on Linux."""
    buffer = create_string_buffer(256)
    if CDLL(None, use_errno=True).statfs(os.fsencode(folder), buffer) != 0:
        raise OSError(get_errno(), "statfs", str(folder))
    return int(struct.unpack_from("=l", buffer)[0]) & 0xFFFFFFFF

"""Turns at writing an SQLite database: a queue in the kernel instead of polling.

SQLite's own busy handler sleeps between tries, up to 100 ms; with several processes that write in
turn, the disk would idle. The lock is advice only: correctness rests on SQLite's own locks.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Turns:
    """Writers of one database file, over all processes of this machine and their threads."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}.turn")
        self._thread = threading.Lock()
        self._file: int | None = None

    @contextmanager
    def mine(self) -> Iterator[None]:
        """Wait for this writer's turn, and give it up when the block ends."""
        with self._thread:
            if self._file is None:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the lock file."""
        with self._thread:
            if self._file is not None:
                os.close(self._file)
                self._file = None

"""Reads, written to a local file whose lines are chained by their digests.

One line for each caller, item and purpose in a minute; the database is not touched. A line is in
the operating system's hands at once and on the disk before its minute ends.

Line: a JSON object with `at` (ms since 1970 UTC), `caller`, `origin`, `action`, `target` and
`previous`, the SHA-256 of the line before it without its line feed; the first line's is the SHA-256
of nothing (docs/formats.md).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from storage_backends.prompt import takes_time
from vna.errors import StorageUnavailable
from vna.model.caller import Caller

WINDOW_MS = 60_000
SYNC_BEFORE_MS = 10_000  # before the window ends: room for a slow disk


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class ReadAudit:
    """The audit file of reads of one process. Thread-safe; make it after the fork.

    `path` must not exist: each process writes a file of its own. It is made at the first read.
    """

    def __init__(self, path: Path, now_ms: Callable[[], int] = _now_ms) -> None:
        self._path, self._now = path, now_ms
        self._lock = threading.Lock()
        self._file: int | None = None
        self._previous = hashlib.sha256().hexdigest()
        self._window = -1
        self._seen: set[tuple[str, str, str, str]] = set()
        self._unsynced = False
        self._failed: str | None = None  # a file whose sync failed is never trusted again
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def read(self, caller: Caller, target: str, purpose: str) -> None:
        """Note that `caller` reads `target` (a UID). Raises `StorageUnavailable`: what cannot be
        audited is not shown."""
        at = self._now()
        key = (caller.name, caller.origin, target, purpose)
        # In this order, as they change in the other one.
        if at // WINDOW_MS == self._window and key in self._seen and self._failed is None:
            return
        takes_time()
        with self._lock:
            if self._failed is not None:
                raise StorageUnavailable(self._failed)
            if at // WINDOW_MS != self._window:
                self._sync()
                self._seen = set()
                self._window = at // WINDOW_MS
            if key in self._seen:
                return
            self._append(
                {
                    "at": at,
                    "caller": caller.name,
                    "origin": caller.origin,
                    "action": purpose,
                    "target": target,
                    "previous": self._previous,
                }
            )
            self._seen.add(key)

    def sync(self) -> None:
        """Everything noted so far is on the disk when this returns."""
        with self._lock:
            self._sync()

    def close(self) -> None:
        """Sync and close; nothing may be read afterwards."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            self._sync()
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _append(self, entry: dict[str, object]) -> None:
        line = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode()
        try:
            if self._file is None:
                self._open()
            assert self._file is not None
            if os.write(self._file, line + b"\n") != len(line) + 1:
                raise OSError("short write")
        except OSError as error:
            self._failed = f"the audit file cannot be written: {error}"
            raise StorageUnavailable(self._failed) from error
        self._previous = hashlib.sha256(line).hexdigest()
        self._unsynced = True

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(self._path, flags, 0o600)
        directory = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        self._thread = threading.Thread(target=self._keep_synced, name="audit-sync", daemon=True)
        self._thread.start()

    def _sync(self) -> None:
        if self._unsynced and self._file is not None:
            try:
                os.fdatasync(self._file)
            except OSError as error:
                self._failed = f"the audit file cannot be synced: {error}"
                raise StorageUnavailable(self._failed) from error
            finally:
                self._unsynced = False

    def _keep_synced(self) -> None:
        while not self._closing.is_set():
            left = WINDOW_MS - self._now() % WINDOW_MS - SYNC_BEFORE_MS
            if left <= 0:
                left += WINDOW_MS
            if self._closing.wait(left / 1000):
                return
            with contextlib.suppress(StorageUnavailable):  # the next read raises it
                self.sync()


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """A line that does not follow from the one before it. `line` counts from 1."""

    line: int
    reason: str


def verify_chain(path: Path) -> tuple[int, list[ChainBreak]]:
    """Count the lines of an audit file and list what is wrong with its chain.

    A last line without its line feed was cut off by a crash and is reported as "torn".
    """
    previous = hashlib.sha256().hexdigest()
    breaks: list[ChainBreak] = []
    number = 0
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            text = line.rstrip(b"\n")
            if text == line:
                breaks.append(ChainBreak(number, "torn"))
                break
            try:
                claimed = json.loads(text)["previous"]
            except (ValueError, KeyError, TypeError):
                breaks.append(ChainBreak(number, "not an audit entry"))
                claimed = previous
            if claimed != previous:
                breaks.append(ChainBreak(number, "does not follow from the line before it"))
            previous = hashlib.sha256(text).hexdigest()
    return number, breaks

"""The contract of a storage backend; its tests are `tests/storage_backends/contract.py`.

A key is one or more names joined by `/`; a name is letters, digits, `-`, `_` and `.`, and does not
begin with a dot. Anything else is a `ValueError`.

    BackendError
    ├── KeyExists       a new key is already taken
    ├── KeyMissing      there is no such key
    ├── BackendFull     no space, quota or inodes left; works again once there is
    └── WriterPoisoned  the writer failed before; nothing more can be said about its last bytes
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

Buffer = bytes | bytearray | memoryview

_NAME = r"[A-Za-z0-9_-][A-Za-z0-9._-]*"
_KEY = re.compile(rf"{_NAME}(/{_NAME})*")


class BackendError(Exception):
    """The store could not do it. `key` names what it was about; the cause is chained."""

    def __init__(self, key: str, reason: str) -> None:
        self.key, self.reason = key, reason
        super().__init__(f"{key}: {reason}")


class KeyExists(BackendError):
    """A new key is already taken."""

    def __init__(self, key: str) -> None:
        super().__init__(key, "exists already")


class KeyMissing(BackendError):
    """There is no such key."""

    def __init__(self, key: str) -> None:
        super().__init__(key, "does not exist")


class BackendFull(BackendError):
    """No space, quota or inodes left."""


class WriterPoisoned(BackendError):
    """The writer failed before and is never used again."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a backend can do.

    `append`: `Writer.sync` makes bytes durable while the writer stays open; without it (S3) only
    `seal` does. `recall_seconds`: the usual wait before a key can be read; 0 is online.
    `retention_lock`: keys can be made undeletable until a date.
    """

    append: bool
    recall_seconds: int = 0
    retention_lock: bool = False


@dataclass(frozen=True, slots=True, order=True)
class StoredKey:
    """One key as listed; `size` in bytes."""

    key: str
    size: int


class Writer(Protocol):
    """One new key, growing at its end. Used by one thread at a time.

    After any method has raised, the writer is poisoned: `append`, `sync` and `seal` raise
    `WriterPoisoned` and touch nothing. A sync is never retried, because after a failed one the
    operating system may have dropped the bytes and report success (bytes synced before stay good).
    """

    key: str

    @property
    def size(self) -> int:
        """Bytes appended so far."""

    def append(self, buffers: Sequence[Buffer]) -> int:
        """Add the buffers at the end; returns the offset of the first byte. Not yet durable."""

    def sync(self) -> None:
        """Make everything appended, and the key itself, durable."""

    def seal(self) -> None:
        """Sync and close. The key never changes again."""

    def abandon(self) -> None:
        """Close without a promise; what was synced stays. Never raises; may follow anything."""


class Reader(Protocol):
    """One key, open for reading. Used by any number of threads at once."""

    def size(self) -> int:
        """Bytes that can be read now; grows while a writer appends."""

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes at `offset`, or fewer only where the key ends.

        Raises `TakesTime` where it must be prompt and would wait (`storage_backends.prompt`).
        """

    def close(self) -> None:
        """Give the resources back; no read may be under way."""


class Backend(Protocol):
    """Durable bytes under keys: a `sync`, `seal` or `put_new` that has returned survives a power
    cut. Used by any number of threads and processes at once. Every method may raise `BackendError`.
    """

    capabilities: Capabilities

    def create(self, key: str) -> Writer:
        """Begin a new key, visible at once or when synced; raises `KeyExists`, never overwrites."""

    def put_new(self, key: str, buffers: Sequence[Buffer]) -> None:
        """Store a small key at once: after a crash it is there as a whole or not at all.

        Raises `KeyExists` rather than overwrite; of two that race, exactly one succeeds. After
        another error the key may be there or not.
        """

    def open(self, key: str) -> Reader:
        """Open a key for reading; raises `KeyMissing`."""

    def delete(self, key: str) -> None:
        """Remove a key, durably; raises `KeyMissing`. Open readers may or may not go on reading."""

    def free(self) -> int | None:
        """Bytes that still fit in; None where no limit is known."""

    def list(self, prefix: str = "") -> Iterator[StoredKey]:
        """Every key below `prefix` (whole names, no trailing slash; "" is everything), in order."""


def is_key(key: str) -> bool:
    """Whether `key` is well formed."""
    return _KEY.fullmatch(key) is not None


def check_key(key: str) -> str:
    """Return `key` if it is well formed; raises `ValueError`."""
    if not is_key(key):
        raise ValueError(f"not a storage key: {key!r}")
    return key

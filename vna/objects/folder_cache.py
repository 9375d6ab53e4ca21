"""Bytes that can be had again, kept in a folder for the next who asks.

All processes of a machine may share the folder. Nothing here is needed: what is missing or torn is
fetched or made again, so that nothing is ever synced.

File (docs/formats.md): xxh3-128 of all that follows; the bytes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import xxhash

from storage_backends.base import Buffer
from storage_backends.prompt import takes_time
from vna.objects.ulid import new_ulid

_DIGEST = 16
_FRESH_SECONDS = 60  # a file used so recently need not be marked as used again
_LARGEST_SHARE = 8  # one entry takes at most this part of the limit
_SWEEP_SHARE = 16  # swept after writing this part of the limit
_LEFT_SHARE = 0.75  # of the limit, after a sweep


class FolderCache:
    """At most about `limit` bytes in `folder`; the least recently used go first. 0: keep nothing.

    Thread-safe, and beside other processes. A full or failing disk is no error.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder, self._limit = folder, limit
        self._written = limit // _SWEEP_SHARE  # since the last sweep: the first is due at once
        self._lock = threading.Lock()

    def get(self, name: bytes) -> memoryview | None:
        """What was put under that name, None where it is not kept."""
        if not self._limit:
            return None
        takes_time()
        path = self._path(name)
        try:
            with path.open("rb") as file:
                content = file.read()
                used = os.fstat(file.fileno()).st_mtime
        except OSError:
            return None
        body = memoryview(content)[_DIGEST:]
        if xxhash.xxh3_128_digest(body) != content[:_DIGEST]:
            with suppress(OSError):
                path.unlink()
            return None
        if time.time() - used > _FRESH_SECONDS:
            with suppress(OSError):
                os.utime(path)
        return body

    def put(self, name: bytes, buffers: Sequence[Buffer]) -> None:
        """Keep the buffers, put in a row, under a name; what is too large is not kept."""
        size = _DIGEST + sum(memoryview(each).nbytes for each in buffers)
        if size > self._limit // _LARGEST_SHARE:
            return
        digest = xxhash.xxh3_128()
        for each in buffers:
            digest.update(each)
        path = self._path(name)
        unfinished = path.with_name(f"{path.name}.{new_ulid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb", buffering=0) as file:
                os.writev(file.fileno(), (digest.digest(), *buffers))
            unfinished.replace(path)
        except OSError:
            with suppress(OSError):
                unfinished.unlink()
            return
        with self._lock:
            self._written += size
            due = self._written >= self._limit // _SWEEP_SHARE
            if due:
                self._written = 0
        if due:
            with suppress(OSError):
                self._sweep()

    def _path(self, name: bytes) -> Path:
        digest = hashlib.sha256(name).hexdigest()
        return self._folder / digest[:2] / digest[2:]

    def _sweep(self) -> None:
        """Remove the least recently used, unless another process is doing so."""
        with (self._folder / "sweep").open("w") as turn:
            try:
                fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return
            found = sorted(_files(self._folder))
            total = sum(size for _, size, _ in found)
            if total <= self._limit - self._limit // _SWEEP_SHARE:
                return
            for _, size, path in found:
                if total <= self._limit * _LEFT_SHARE:
                    return
                with suppress(OSError):
                    os.unlink(path)
                total -= size


def _files(folder: Path) -> Iterator[tuple[float, int, str]]:
    """(last used, bytes, path) of every file below the folders of `folder`."""
    for inner in os.scandir(folder):
        if len(inner.name) != 2 or not inner.is_dir():  # none of ours, such as lost+found
            continue
        for each in os.scandir(inner.path):
            with suppress(OSError):
                found = each.stat()
                yield found.st_mtime, found.st_size, each.path

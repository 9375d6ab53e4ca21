"""Made things, kept for the next who asks: transcoded frames, rendered pictures.

Files of a folder that all processes of a machine share. Nothing here is needed: what is missing,
torn or from an older release is made again, so that nothing is ever synced.

File (docs/formats.md): xxh3-128 of all that follows; bytes of the facts, u32 LE; facts, JSON; data.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
import xxhash

from vna.objects.ulid import new_ulid

_LENGTH = struct.Struct("<I")
_DIGEST = 16
_FRESH_SECONDS = 60  # a file used so recently need not be marked as used again
_LARGEST_SHARE = 8  # one rendition takes at most this part of the limit
_SWEEP_SHARE = 16  # swept after writing this part of the limit
_LEFT_SHARE = 0.75  # of the limit, after a sweep

# What a rendition depends on beside its sources: the code that made it.
MAKERS = ",".join(
    f"{name}-{version(name)}" for name in ("regional-vna", "imagecodecs", "pillow", "numpy")
)


@dataclass(frozen=True, slots=True)
class Rendition:
    """Bytes, and JSON-able facts about them."""

    facts: Mapping[str, Any]
    data: bytes


class Renditions:
    """At most about `limit` bytes in `folder`; the least recently used go first. 0: keep nothing.

    Thread-safe, and beside other processes.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder, self._limit = folder, limit
        self._written = 0  # bytes since the last sweep
        self._lock = threading.Lock()

    def get(self, key: Mapping[str, Any], make: Callable[[], Rendition]) -> Rendition:
        """The rendition of `key`, from `make` where it is not kept.

        `key`: JSON-able, everything that the result depends on: digests of sources, stamps of
        corrections, parameters. Raises what `make` raises; a full or failing disk is no error.
        """
        if not self._limit:
            return make()
        path = self._path(key)
        found = self._read(path)
        if found is None:
            found = make()
            self._keep(path, found)
        return found

    def _path(self, key: Mapping[str, Any]) -> Path:
        said = orjson.dumps([MAKERS, key], option=orjson.OPT_SORT_KEYS)
        name = hashlib.sha256(said).hexdigest()
        return self._folder / name[:2] / name[2:]

    def _read(self, path: Path) -> Rendition | None:
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
        (length,) = _LENGTH.unpack_from(body)
        at = _LENGTH.size + length
        return Rendition(orjson.loads(body[_LENGTH.size : at]), bytes(body[at:]))

    def _keep(self, path: Path, rendition: Rendition) -> None:
        facts = orjson.dumps(dict(rendition.facts))
        size = _DIGEST + _LENGTH.size + len(facts) + len(rendition.data)
        if size > self._limit // _LARGEST_SHARE:
            return
        digest = xxhash.xxh3_128(_LENGTH.pack(len(facts)))
        digest.update(facts)
        digest.update(rendition.data)
        unfinished = path.with_name(f"{path.name}.{new_ulid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb", buffering=0) as file:
                head = digest.digest() + _LENGTH.pack(len(facts)) + facts
                os.writev(file.fileno(), (head, rendition.data))
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
            self._sweep()

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
        if not inner.is_dir():
            continue
        for each in os.scandir(inner.path):
            with suppress(OSError):
                found = each.stat()
                yield found.st_mtime, found.st_size, each.path

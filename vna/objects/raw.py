"""Raw files: objects of 8 MiB and more, streamed straight to a file of their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from storage_backends.base import Backend, BackendError, Buffer, KeyMissing, StoredKey
from vna.model.archive import Place
from vna.objects.group import storage_unavailable
from vna.objects.layout import RAW_FILES, meta_key, raw_key, ulid_of
from vna.objects.record import RecordHeader, RecordNames, RecordType
from vna.objects.ulid import new_ulid

RAW_BYTES = 8 * 1024**2  # from here an object gets a file of its own (docs/formats.md)
SYNC_EVERY = 128 * 1024**2  # bytes; so that the last sync of a large object does not take minutes


class RawObject:
    """One large object on its way in. Its file is the payload and nothing else.

    Any method but `abort` raises `StorageUnavailable` when the store fails; then only `abort`
    is left to do. Calls may come from different threads.
    """

    def __init__(self, backend: Backend) -> None:
        self.segment = new_ulid()
        self._backend = backend
        self._lock = threading.Lock()
        self._unsynced = 0
        try:
            self._writer = backend.create(raw_key(self.segment))
        except BackendError as error:
            raise storage_unavailable(error) from error

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._writer.size

    def write(self, chunk: Buffer) -> None:
        """Add bytes at the end."""
        with self._lock:
            try:
                self._writer.append([chunk])
                self._unsynced += len(chunk)
                if self._unsynced >= SYNC_EVERY:
                    self._writer.sync()
                    self._unsynced = 0
            except BackendError as error:
                raise storage_unavailable(error) from error

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes of what was written so far, or fewer only at the end."""
        try:
            reader = self._backend.open(raw_key(self.segment))
            try:
                return reader.read(offset, length)
            finally:
                reader.close()
        except BackendError as error:
            raise storage_unavailable(error) from error

    def finish(self, sha256: bytes, xxh3: bytes, names: RecordNames) -> Place:
        """Make the object durable: its bytes, their name, then the header that belongs to them.

        `sha256` and `xxh3` are of all bytes written. What is returned can be committed.
        """
        with self._lock:
            length = self._writer.size
            header = RecordHeader(
                RecordType.OBJECT,
                self.segment,
                time.time_ns() // 1000,
                length,
                length,
                sha256,
                xxh3,
                names,
            )
            try:
                self._writer.seal()
                self._backend.put_new(meta_key(self.segment), [header.encode()])
            except BackendError as error:
                raise storage_unavailable(error) from error
            return Place(self.segment, 0, length, raw=True)

    def abort(self) -> None:
        """Remove what was written, also after a failed or a finished `finish`. Never raises."""
        with self._lock:
            self._writer.abandon()
            with suppress(BackendError):
                remove_raw(self._backend, self.segment)


@dataclass(frozen=True, slots=True)
class Stray:
    """A raw file without its header: still being written, or left by a process that died.

    The time of its beginning is in the ULID: `vna.objects.ulid.made_at(segment)`.
    """

    segment: str
    size: int


def strays(backend: Backend) -> Iterator[Stray]:
    """Every raw file that was not finished."""
    body: StoredKey | None = None  # its header, if there is one, is the next key
    for found in backend.list(RAW_FILES):
        stem, _, extension = found.key.rpartition(".")
        if body is not None and body.key != stem + ".bin":
            yield from _stray(body)
            body = None
        if extension == "bin":
            body = found
        elif extension == "meta":
            body = None
    if body is not None:
        yield from _stray(body)


def _stray(found: StoredKey) -> Iterator[Stray]:
    with suppress(ValueError):  # a file of that kind of name that is none of ours
        yield Stray(ulid_of(found.key), found.size)


def remove_raw(backend: Backend, segment: str) -> None:
    """Remove a raw file and its header, those that are there; durable when it returns.

    The header goes first: what an interruption leaves is a stray.
    """
    for key in (meta_key(segment), raw_key(segment)):
        with suppress(KeyMissing):
            backend.delete(key)

"""Raw files: objects of 8 MiB and more, streamed straight to a file of their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from storage_backends.base import Backend, BackendError, Buffer, KeyMissing, StoredKey
from vna.errors import StorageUnavailable
from vna.model.archive import Place
from vna.objects.blocks import BlockSums
from vna.objects.copying import copy_key
from vna.objects.layout import RAW_FILES, meta_key, raw_key, ulid_of
from vna.objects.record import RecordHeader, RecordNames, RecordType
from vna.objects.targets import FULL, Target, Targets, storage_unavailable
from vna.objects.ulid import new_ulid

RAW_BYTES = 8 * 1024**2  # from here an object gets a file of its own (docs/formats.md)
SYNC_EVERY = 128 * 1024**2  # bytes; so that the last sync of a large object does not take minutes


class RawObject:
    """One large object on its way in. Its file is the payload and nothing else.

    It grows in the first of the chosen stores, or in `spool` where that one keeps nothing that is
    not whole (S3); the others get their copies at the end. Any method but `abort` raises
    `StorageUnavailable` when a store fails; then only `abort` is left to do. Calls may come from
    different threads.
    """

    def __init__(self, targets: Targets, spool: Backend | None = None) -> None:
        self.segment = new_ulid()
        self._all = targets
        self._targets = targets.chosen(RAW_BYTES)
        self._first = self._targets[0]
        if spool is not None and not self._first.backend.capabilities.append:
            self._first = Target("spool", spool)
        self._lock = threading.Lock()
        self._unsynced = 0
        self._sums = BlockSums()
        try:
            self._writer = self._first.backend.create(raw_key(self.segment))
        except BackendError as error:
            raise self._failed(self._first, error) from error

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._writer.size

    def write(self, chunk: Buffer) -> None:
        """Add bytes at the end."""
        with self._lock:
            try:
                self._writer.append([chunk])
                self._sums.update(chunk)
                self._unsynced += len(chunk)
                if self._unsynced >= SYNC_EVERY:
                    self._writer.sync()
                    self._unsynced = 0
            except BackendError as error:
                raise self._failed(self._first, error) from error
            if not self._all.fit([each.name for each in self._targets], len(chunk)):
                raise StorageUnavailable(FULL)

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes of what was written so far, or fewer only at the end."""
        try:
            reader = self._first.backend.open(raw_key(self.segment))
            try:
                return reader.read(offset, length)
            finally:
                reader.close()
        except BackendError as error:
            raise self._failed(self._first, error) from error

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
            meta = header.encode() + self._sums.encode()
            try:
                self._writer.seal()
            except BackendError as error:
                raise self._failed(self._first, error) from error
            for target in self._targets:
                self._keep(target, meta)
            if self._first not in self._targets:
                with suppress(BackendError):
                    remove_raw(self._first.backend, self.segment)
            stores = tuple(each.name for each in self._targets)
            return Place(self.segment, 0, length, raw=True, stores=stores)

    def abort(self) -> None:
        """Remove what was written, also after a failed or a finished `finish`. Never raises."""
        with self._lock:
            self._writer.abandon()
            for target in {self._first, *self._targets}:
                with suppress(BackendError):
                    remove_raw(target.backend, self.segment)

    def _keep(self, target: Target, meta: bytes) -> None:
        try:
            if target != self._first:
                copy_key(self._first.backend, target.backend, raw_key(self.segment))
            target.backend.put_new(meta_key(self.segment), [meta])
        except BackendError as error:
            raise self._failed(target, error) from error

    def _failed(self, target: Target, error: BackendError) -> Exception:
        self._all.failed(target.name, error)
        return storage_unavailable(error)


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

"""The content-addressed store as its users see it: objects by place."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

import xxhash

from storage_backends.base import Backend, BackendError, KeyMissing, Reader
from vna.errors import Damaged, InvalidConfiguration, StorageUnavailable
from vna.model.archive import Place
from vna.objects.group import storage_unavailable
from vna.objects.layout import meta_key, raw_key, segment_key
from vna.objects.marker import open_marker, read_marker
from vna.objects.raw import RawObject, Stray, remove_raw, strays
from vna.objects.readers import Readers
from vna.objects.record import (
    LONGEST_HEADER,
    BadRecord,
    RecordHeader,
    decode,
    decode_before,
)

CHUNK_BYTES = 1024 * 1024
OPEN_FILES = 256
GAP_BYTES = 16 * 1024  # reading this much for nothing costs less than another read
UNKNOWN = "of unknown SHA-256"


class ObjectStore:
    """Read objects by place, begin raw ones. Used by any number of threads at once.

    Every method may raise `StorageUnavailable`. `Damaged` means: the store answers, but the bytes
    are missing or wrong. A whole object is checked against its record (XXH3-128) while it is read;
    a part of one is not. `sha256`, where given, is checked against the record too.
    """

    def __init__(self, backend: Backend, *, open_files: int = OPEN_FILES) -> None:
        """Open the store; raises `InvalidConfiguration` if it is not one that we can read."""
        self.backend = backend
        self.identity = open_marker(backend).store
        self._readers = Readers(backend, open_files)

    def close(self) -> None:
        """Close the files that were kept open."""
        self._readers.close()

    def create_raw(self) -> RawObject:
        """Begin an object that gets a file of its own."""
        return RawObject(self.backend)

    def strays(self) -> list[Stray]:
        """Raw files that were not finished: still being written, or left by a dead process."""
        try:
            return list(strays(self.backend))
        except BackendError as error:
            raise storage_unavailable(error) from error

    def remove_raw(self, segment: str) -> None:
        """Remove a raw file, whole or a stray, durably; nothing happens if it is gone already.

        For what nothing refers to any more, and for strays whose writer is known to be gone.
        """
        if not self._is_here():  # a file on a disk that is away is not gone
            raise StorageUnavailable("the store is not there")
        try:
            remove_raw(self.backend, segment)
        except BackendError as error:
            raise storage_unavailable(error) from error
        finally:
            for key in (raw_key(segment), meta_key(segment)):
                self._readers.forget(key)

    def read(
        self, place: Place, start: int = 0, length: int | None = None, *, sha256: bytes = b""
    ) -> bytes:
        """The payload, or `length` bytes of it from `start` (fewer only where it ends)."""
        stop = place.length if length is None else min(start + length, place.length)
        if start == 0 and stop == place.length:
            return b"".join(self.stream(place, sha256=sha256))
        return self._part(place, start, max(stop - start, 0), sha256)

    def checked(self, place: Place, *, sha256: bytes, xxh3: bytes) -> bytes:
        """All of the payload in one read, compared with the digest that the caller knows of it.

        Raises `Damaged`. What its record says is not read.
        """
        data = self._part(place, 0, place.length, sha256)
        if xxhash.xxh3_128_digest(data) != xxh3:
            raise Damaged(sha256.hex(), "its bytes differ from their checksum")
        return data

    def stream(
        self,
        place: Place,
        ranges: Sequence[tuple[int, int]] | None = None,
        chunk_bytes: int = CHUNK_BYTES,
        *,
        sha256: bytes = b"",
    ) -> Iterator[bytes]:
        """The bytes of `ranges` ((offset, length) in the payload), or of all of it, in chunks.

        Neighbouring ranges are read at once. Of a whole object the last chunk is withheld until
        the digest is right, so nobody ever has all of a damaged one.
        """
        if ranges is None or _is_whole(ranges, place.length):
            return self._whole(place, chunk_bytes, sha256)
        return self._ranges(place, ranges, chunk_bytes, sha256)

    def source(self, place: Place, *, sha256: bytes = b"") -> StoredSource:
        """Random access to the payload, as `vna.dicom` wants it."""
        return StoredSource(self, place, sha256)

    def header(self, place: Place, *, sha256: bytes = b"") -> RecordHeader:
        """What the record says of its payload."""
        with self._reading(place, sha256):
            return self._header(place, sha256)

    def verify(self, place: Place, sha256: bytes, xxh3: bytes) -> None:
        """Read all of an object and compare both digests and the record; raises `Damaged`."""
        digest = hashlib.sha256()
        for chunk in self._whole(place, CHUNK_BYTES, sha256, xxh3):
            digest.update(chunk)
        if digest.digest() != sha256:
            raise Damaged(sha256.hex(), "its SHA-256 is another")

    def _whole(
        self, place: Place, chunk_bytes: int, sha256: bytes, xxh3: bytes = b""
    ) -> Iterator[bytes]:
        with self._reading(place, sha256):
            header = self._header(place, sha256)
        name = header.sha256.hex()
        if xxh3 and xxh3 != header.xxh3:
            raise Damaged(name, "its record states another checksum")
        digest = xxhash.xxh3_128()
        held = b""
        for start in range(0, place.length, chunk_bytes):
            if held:
                yield held
            held = self._part(place, start, min(chunk_bytes, place.length - start), header.sha256)
            digest.update(held)
        if digest.digest() != header.xxh3:
            raise Damaged(name, "its bytes differ from their checksum")
        if held:
            yield held

    def _ranges(
        self, place: Place, ranges: Sequence[tuple[int, int]], chunk_bytes: int, sha256: bytes
    ) -> Iterator[bytes]:
        for start, stop, wanted in _coalesced(ranges, chunk_bytes):
            data = self._part(place, start, stop - start, sha256)
            if len(wanted) == 1:
                yield data
            else:
                yield b"".join(data[a - start : a - start + n] for a, n in wanted)

    def _part(self, place: Place, start: int, length: int, sha256: bytes) -> bytes:
        if not 0 <= start <= start + length <= place.length:
            raise ValueError(f"bytes {start}+{length} of an object of {place.length}")
        with self._reading(place, sha256), self._readers.lease(_key(place)) as reader:
            data = reader.read(place.offset + start, length)
        if len(data) != length:
            raise Damaged(sha256.hex() or UNKNOWN, "its file ends too early")
        return data

    def _header(self, place: Place, sha256: bytes) -> RecordHeader:
        key = meta_key(place.segment) if place.raw else segment_key(place.segment)
        try:
            with self._readers.lease(key) as reader:
                found = _meta_header(reader) if place.raw else _header_before(reader, place.offset)
        except BadRecord as error:
            raise Damaged(sha256.hex() or UNKNOWN, f"its record: {error}") from error
        if (found.segment, found.length) != (place.segment, place.length):
            raise Damaged(sha256.hex() or UNKNOWN, "another record lies in its place")
        if sha256 and found.sha256 != sha256:
            raise Damaged(sha256.hex(), "its record names another object")
        return found

    @contextmanager
    def _reading(self, place: Place, sha256: bytes) -> Iterator[None]:
        try:
            yield
        except KeyMissing as error:
            self._missing(place, sha256, error)
        except BackendError as error:
            raise storage_unavailable(error) from error

    def _missing(self, place: Place, sha256: bytes, error: KeyMissing) -> NoReturn:
        """A file is not there: damage if the store itself is there, else the store is away."""
        if not self._is_here():
            raise StorageUnavailable("the store is not there") from error
        raise Damaged(sha256.hex() or UNKNOWN, f"segment {place.segment} is missing") from error

    def _is_here(self) -> bool:
        try:
            marker = read_marker(self.backend)
        except (BackendError, InvalidConfiguration):
            return False
        return marker is not None and marker.store == self.identity


class StoredSource:
    """A stored payload as a `vna.dicom` source: `size`, and ranged reads."""

    def __init__(self, store: ObjectStore, place: Place, sha256: bytes) -> None:
        self.size = place.length
        self._store, self._place, self._sha256 = store, place, sha256

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes, or fewer only where the payload ends."""
        if offset >= self.size:
            return b""
        return self._store.read(self._place, offset, length, sha256=self._sha256)


def _key(place: Place) -> str:
    return raw_key(place.segment) if place.raw else segment_key(place.segment)


def _meta_header(reader: Reader) -> RecordHeader:
    return decode(reader.read(0, LONGEST_HEADER))[0]


def _header_before(reader: Reader, offset: int) -> RecordHeader:
    for length in (512, LONGEST_HEADER):  # nearly all headers are about 300 bytes
        first = max(offset - length, 0)
        try:
            return decode_before(reader.read(first, offset - first))[0]
        except BadRecord:
            if first == 0 or length == LONGEST_HEADER:
                raise
    raise AssertionError("the loop returns or raises")


def _is_whole(ranges: Sequence[tuple[int, int]], size: int) -> bool:
    end = 0
    for offset, length in ranges:
        if offset != end:
            return False
        end += length
    return end == size


def _coalesced(
    ranges: Sequence[tuple[int, int]], limit: int
) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Reads of at most `limit` bytes: first, end and the wanted ranges inside, in their order."""
    first = end = 0
    wanted: list[tuple[int, int]] = []
    for offset, length in _cut(ranges, limit):
        near = wanted and end <= offset <= end + GAP_BYTES
        if near and offset + length - first <= limit:
            adjacent = offset == end
        else:
            if wanted:
                yield first, end, wanted
            first, wanted, adjacent = offset, [], False
        if adjacent:
            start, so_far = wanted.pop()
            wanted.append((start, so_far + length))
        else:
            wanted.append((offset, length))
        end = offset + length
    if wanted:
        yield first, end, wanted


def _cut(ranges: Sequence[tuple[int, int]], limit: int) -> Iterator[tuple[int, int]]:
    for offset, length in ranges:
        for start in range(offset, offset + length, limit):
            yield start, min(limit, offset + length - start)

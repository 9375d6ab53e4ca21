"""One store as this process has it: whose it is, and checked reads of what lies in it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import xxhash

from storage_backends.base import Backend, BackendError, Buffer, KeyMissing, Reader
from vna.errors import Damaged, InvalidConfiguration, StorageUnavailable
from vna.model.archive import Place
from vna.objects.blocks import BLOCK_BYTES, decode_blocks, is_block
from vna.objects.folder_cache import FolderCache
from vna.objects.layout import meta_key, raw_key, segment_key
from vna.objects.marker import open_marker, read_marker
from vna.objects.readers import Readers
from vna.objects.record import LONGEST_HEADER, BadRecord, RecordHeader, decode, decode_before
from vna.objects.targets import Target, storage_unavailable

OPEN_FILES = 256
KNOWN_RAW = 64  # raw files whose header and block sums are remembered
USUAL_HEADER = 512  # bytes; nearly all headers are about 300
UNKNOWN = "of unknown SHA-256"


class MountedStore:
    """A store and its checked reads. Used by any number of threads at once.

    Every read raises `StorageUnavailable` where the store does not answer, and `Damaged` where it
    does but the bytes are missing or wrong. Nothing that was not checked is returned, but parts of
    raw files that have no block sums.
    """

    def __init__(
        self,
        name: str,
        backend: Backend,
        *,
        tier: str = "hot",
        domain: str = "",
        identity: str = "",
        open_files: int = OPEN_FILES,
        cache: FolderCache | None = None,
    ) -> None:
        """`identity`: of the store that it must be; '' makes a marker where there is none. `cache`:
        where what was read and found good is kept; whoever looks after copies reads `backend`.

        Raises `InvalidConfiguration` if it is not one that we can read, `StorageUnavailable`; with
        an identity the store may be away.
        """
        self.name, self.backend, self.tier, self.domain = name, backend, tier, domain
        self.identity = identity or open_marker(backend).store
        self._readers = Readers(backend, open_files)
        self._cache = cache
        self._raw: OrderedDict[str, tuple[RecordHeader, bytes | None]] = OrderedDict()

    @property
    def target(self) -> Target:
        """It as one to write to."""
        return Target(self.name, self.backend, self.domain, self.identity, self.is_here)

    def is_here(self) -> bool:
        """Whether it answers and is the store that it should be."""
        try:
            marker = read_marker(self.backend)
        except (BackendError, InvalidConfiguration):
            return False
        return marker is not None and marker.store == self.identity

    def close(self) -> None:
        """Close the files that were kept open."""
        self._readers.close()

    def forget(self, segment: str) -> None:
        """Close the files of a segment that was removed or replaced."""
        self._raw.pop(segment, None)
        for key in (segment_key(segment), raw_key(segment), meta_key(segment)):
            self._readers.forget(key)

    def header(self, place: Place, sha256: bytes) -> RecordHeader:
        """What the record says of its payload; `sha256`, where given, must be the one it names."""
        return self._raw_facts(place, sha256)[0] if place.raw else self._packed(place, sha256)[0]

    def payload(self, place: Place, sha256: bytes, xxh3: bytes = b"") -> bytes:
        """All of a payload that is no raw file. With `xxh3` its record is not read, and it may come
        from the cache."""
        cacheable = bool(xxh3)
        if cacheable:
            kept = self._kept(place, place.offset)
            if kept is not None and xxhash.xxh3_128_digest(kept) == xxh3:
                return bytes(kept)
            data = self._read(segment_key(place.segment), place, place.offset, place.length, sha256)
        else:
            header, data = self._packed(place, sha256)
            sha256, xxh3 = header.sha256, header.xxh3
        if xxhash.xxh3_128_digest(data) != xxh3:
            raise Damaged(sha256.hex(), "its bytes differ from their checksum")
        if cacheable:
            self._keep(place, place.offset, data)
        return data

    def part(
        self, place: Place, start: int, length: int, sha256: bytes, *, fresh: bool = False
    ) -> bytes:
        """Bytes [start, start + length) of a raw file, read and checked by whole blocks. `fresh`:
        from the store, whatever the cache has."""
        header, sums = self._raw_facts(place, sha256)
        sha256 = header.sha256
        key = raw_key(place.segment)
        if sums is None:
            return self._read(key, place, start, length, sha256)
        first, last = start // BLOCK_BYTES, -(-(start + length) // BLOCK_BYTES)
        found = None if fresh else self._kept_blocks(place, first, last, sums)
        if found is None:
            end = min(last * BLOCK_BYTES, place.length)
            found = self._read(key, place, first * BLOCK_BYTES, end - first * BLOCK_BYTES, sha256)
            for number in range(first, last):
                block = memoryview(found)[(number - first) * BLOCK_BYTES :][:BLOCK_BYTES]
                if not is_block(block, sums, number):
                    raise Damaged(sha256.hex(), "its bytes differ from their checksum")
                if not fresh:
                    self._keep(place, number * BLOCK_BYTES, block)
        return found[start - first * BLOCK_BYTES :][:length]

    def _kept_blocks(self, place: Place, first: int, last: int, sums: bytes) -> bytes | None:
        """Blocks of a raw file, if all of them are kept."""
        blocks = []
        for number in range(first, last):
            block = self._kept(place, number * BLOCK_BYTES)
            if block is None or not is_block(block, sums, number):
                return None
            blocks.append(block)
        return b"".join(blocks)

    def _kept(self, place: Place, offset: int) -> memoryview | None:
        if self._cache is None:
            return None
        return self._cache.get(f"{self.identity} {place.segment} {offset}".encode())

    def _keep(self, place: Place, offset: int, data: Buffer) -> None:
        if self._cache is not None:
            self._cache.put(f"{self.identity} {place.segment} {offset}".encode(), (data,))

    def _packed(self, place: Place, sha256: bytes) -> tuple[RecordHeader, bytes]:
        """The header and the payload behind it, in one read."""
        key = segment_key(place.segment)
        for before in (USUAL_HEADER, LONGEST_HEADER):
            first = max(place.offset - before, 0)
            with self._reading(place, sha256), self._readers.lease(key) as reader:
                data = reader.read(first, place.offset - first + place.length)
            split = place.offset - first
            try:
                found = decode_before(data[:split])[0]
            except BadRecord as error:
                if first == 0 or before == LONGEST_HEADER:
                    raise Damaged(sha256.hex() or UNKNOWN, f"its record: {error}") from error
            else:
                self._check(found, place, sha256)
                if len(data) != split + place.length:
                    raise Damaged(found.sha256.hex(), "its file ends too early")
                return found, data[split:]
        raise AssertionError("the loop returns or raises")

    def _raw_facts(self, place: Place, sha256: bytes) -> tuple[RecordHeader, bytes | None]:
        known = self._raw.get(place.segment)
        if known is None:
            with self._reading(place, sha256), self._readers.lease(meta_key(place.segment)) as meta:
                data = _all(meta)
            try:
                header, length = decode(data)
            except BadRecord as error:
                raise Damaged(sha256.hex() or UNKNOWN, f"its record: {error}") from error
            known = header, decode_blocks(data[length:], place.length)
            self._raw[place.segment] = known
            if len(self._raw) > KNOWN_RAW:
                self._raw.popitem(last=False)
        self._check(known[0], place, sha256)
        return known

    def _check(self, found: RecordHeader, place: Place, sha256: bytes) -> None:
        if (found.segment, found.length) != (place.segment, place.length):
            raise Damaged(sha256.hex() or UNKNOWN, "another record lies in its place")
        if sha256 and found.sha256 != sha256:
            raise Damaged(sha256.hex(), "its record names another object")

    def _read(self, key: str, place: Place, start: int, length: int, sha256: bytes) -> bytes:
        with self._reading(place, sha256), self._readers.lease(key) as reader:
            data = reader.read(start, length)
        if len(data) != length:
            raise Damaged(sha256.hex() or UNKNOWN, "its file ends too early")
        return data

    @contextmanager
    def _reading(self, place: Place, sha256: bytes) -> Iterator[None]:
        try:
            yield
        except KeyMissing as error:
            self.forget(place.segment)
            self._missing(place, sha256, error)
        except BackendError as error:
            raise storage_unavailable(error) from error

    def _missing(self, place: Place, sha256: bytes, error: KeyMissing) -> NoReturn:
        """A file is not there: damage if the store itself is there, else the store is away."""
        if not self.is_here():
            raise StorageUnavailable(f"the store {self.name} is not there") from error
        raise Damaged(sha256.hex() or UNKNOWN, f"segment {place.segment} is missing") from error


def _all(reader: Reader) -> bytes:
    return reader.read(0, reader.size())

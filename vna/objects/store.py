"""The content-addressed store as its users see it: objects by place, from a copy that is good."""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

import xxhash

from storage_backends.base import Backend, BackendError
from vna.errors import Damaged, StorageUnavailable, VnaError
from vna.model.archive import Place
from vna.objects.mounted import MountedStore
from vna.objects.raw import RawObject, Stray, remove_raw, strays
from vna.objects.record import RecordHeader
from vna.objects.targets import Targets, storage_unavailable

log = logging.getLogger("vna.stores")

T = TypeVar("T")

CHUNK_BYTES = 1024 * 1024
GAP_BYTES = 16 * 1024  # reading this much for nothing costs less than another read
KNOWN_SEGMENTS = 100_000  # whose stores are remembered

Whereabouts = Callable[[str], Mapping[str, int]]
Notice = Callable[[str, str, VnaError], None]


class ObjectStore:
    """Read objects by place, begin raw ones. Used by any number of threads at once.

    Every method may raise `StorageUnavailable`. `Damaged` means: all stores that should hold it
    answer, but the bytes are missing or wrong. What is returned has been checked against a digest
    (raw files block by block); `sha256`, where given, is checked against the record too. Where one
    copy is wrong twice, or away, the next is read, and `notice` is told: segment, store, error.
    """

    def __init__(
        self,
        stores: Sequence[MountedStore],
        *,
        copies: int = 1,
        whereabouts: Whereabouts | None = None,
        notice: Notice = lambda segment, store, error: None,
        spool: Backend | None = None,
        reserve: int = 0,
    ) -> None:
        """`stores`: in the order in which they are read; the hot ones take new objects, `copies` of
        them each. `whereabouts`: the stores that hold a segment, those of the lowest number read
        first; without it, all may.
        `spool`: where large objects grow that are on their way to a store that cannot append.
        `reserve`: see `Targets`.
        """
        self.stores = {each.name: each for each in stores}
        hot = [each.target for each in stores if each.tier == "hot"]
        self.targets = Targets(hot, copies, reserve=reserve)
        self.spool = spool
        self._whereabouts = whereabouts if len(stores) > 1 else None
        self._notice = notice
        self._known: OrderedDict[str, tuple[MountedStore, ...]] = OrderedDict()

    @classmethod
    def of(cls, backend: Backend, name: str = "main") -> ObjectStore:
        """One store and no other; raises as `MountedStore`."""
        return cls([MountedStore(name, backend)])

    def close(self) -> None:
        """Close the files that were kept open."""
        for store in self.stores.values():
            store.close()
        self.targets.close()

    def create_raw(self) -> RawObject:
        """Begin an object that gets a file of its own."""
        return RawObject(self.targets, self.spool)

    def strays(self) -> list[Stray]:
        """Raw files that were not finished: still being written, or left by a dead process."""
        try:
            return [each for backend in self._backends() for each in strays(backend)]
        except BackendError as error:
            raise storage_unavailable(error) from error

    def remove_raw(self, segment: str) -> None:
        """Remove a raw file, whole or a stray, from every store, durably; it may be gone already.

        For what nothing refers to any more, and for strays whose writer is known to be gone.
        """
        if not all(each.is_here() for each in self.stores.values()):
            raise StorageUnavailable("a store is not there")  # a file on a disk away is not gone
        try:
            for backend in self._backends():
                remove_raw(backend, segment)
        except BackendError as error:
            raise storage_unavailable(error) from error
        finally:
            for store in self.stores.values():
                store.forget(segment)

    def read(
        self, place: Place, start: int = 0, length: int | None = None, *, sha256: bytes = b""
    ) -> bytes:
        """The payload, or `length` bytes of it from `start` (fewer only where it ends)."""
        stop = place.length if length is None else min(start + length, place.length)
        if start == 0 and stop == place.length:
            return b"".join(self.stream(place, sha256=sha256))
        return self._part(place, start, max(stop - start, 0), sha256)

    def checked(self, place: Place, *, sha256: bytes, xxh3: bytes) -> bytes:
        """All of the payload, compared with the digest that the caller knows of it.

        Raises `Damaged`. What its record says is not read.
        """
        if place.raw:
            data = self._part(place, 0, place.length, sha256)
            if xxhash.xxh3_128_digest(data) != xxh3:
                raise Damaged(sha256.hex(), "its bytes differ from their checksum")
            return data
        return self._first_good(place, sha256, lambda store: store.payload(place, sha256, xxh3))

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
        return self._first_good(place, sha256, lambda store: store.header(place, sha256))

    def verify(self, place: Place, sha256: bytes, xxh3: bytes) -> None:
        """Read all of an object, from no cache, and compare both digests and the record; raises
        `Damaged`.

        One good copy is enough; `notice` hears of one that is not.
        """
        if self.header(place, sha256=sha256).xxh3 != xxh3:
            raise Damaged(sha256.hex(), "its record states another checksum")
        digest = hashlib.sha256()
        for chunk in self._whole(place, CHUNK_BYTES, sha256, fresh=True):
            digest.update(chunk)
        if digest.digest() != sha256:
            raise Damaged(sha256.hex(), "its SHA-256 is another")

    def forget(self, segment: str) -> None:
        """Look up anew where a segment lies."""
        self._known.pop(segment, None)
        for store in self.stores.values():
            store.forget(segment)

    def _whole(
        self, place: Place, chunk_bytes: int, sha256: bytes, *, fresh: bool = False
    ) -> Iterator[bytes]:
        if not place.raw:
            data = self._first_good(place, sha256, lambda store: store.payload(place, sha256))
            for start in range(0, len(data), chunk_bytes):
                yield data[start : start + chunk_bytes]
            return
        header = self.header(place, sha256=sha256)
        digest = xxhash.xxh3_128()
        held = b""
        for start in range(0, place.length, chunk_bytes):
            if held:
                yield held
            length = min(chunk_bytes, place.length - start)
            held = self._part(place, start, length, header.sha256, fresh=fresh)
            digest.update(held)
        if digest.digest() != header.xxh3:
            raise Damaged(header.sha256.hex(), "its bytes differ from their checksum")
        if held:
            yield held

    def _ranges(
        self, place: Place, ranges: Sequence[tuple[int, int]], chunk_bytes: int, sha256: bytes
    ) -> Iterator[bytes]:
        source = self.source(place, sha256=sha256)
        for start, stop, wanted in _coalesced(ranges, chunk_bytes):
            if stop > place.length:
                raise ValueError(f"bytes {start} to {stop} of an object of {place.length}")
            data = source.read(start, stop - start)
            if len(wanted) == 1:
                yield data
            else:
                yield b"".join(data[a - start : a - start + n] for a, n in wanted)

    def _part(
        self, place: Place, start: int, length: int, sha256: bytes, *, fresh: bool = False
    ) -> bytes:
        if not 0 <= start <= start + length <= place.length:
            raise ValueError(f"bytes {start}+{length} of an object of {place.length}")
        if place.raw:
            return self._first_good(
                place,
                sha256,
                lambda store: store.part(place, start, length, sha256, fresh=fresh),
            )
        data = self._first_good(place, sha256, lambda store: store.payload(place, sha256))
        return data[start : start + length]

    def _first_good(self, place: Place, sha256: bytes, read: Callable[[MountedStore], T]) -> T:
        """What the first store gives whose copy is good; where all remembered fail, asks anew."""
        tried: set[str] = set()
        errors: list[VnaError] = []
        for ask in (self._holding, self._looked_up):
            for store in ask(place.segment):
                if store.name in tried:
                    continue
                tried.add(store.name)
                try:
                    try:
                        return read(store)
                    except Damaged:  # on its way, perhaps, and not where it lies
                        return read(store)
                except (Damaged, StorageUnavailable) as error:
                    errors.append(error)
                    self._notice(place.segment, store.name, error)
        away = [error for error in errors if isinstance(error, StorageUnavailable)]
        raise (away or errors or [StorageUnavailable("no store at hand holds it")])[0]

    def _holding(self, segment: str) -> Sequence[MountedStore]:
        found = self._known.get(segment)
        return self._looked_up(segment) if found is None else found

    def _looked_up(self, segment: str) -> Sequence[MountedStore]:
        if self._whereabouts is None:
            return tuple(self.stores.values())
        names = self._whereabouts(segment)
        here = [each for each in self.stores.values() if each.name in names]
        found = tuple(sorted(here, key=lambda each: names[each.name]))  # stable: else in order
        self._known[segment] = found
        if len(self._known) > KNOWN_SEGMENTS:
            self._known.popitem(last=False)
        return found

    def _backends(self) -> list[Backend]:
        found = [each.backend for each in self.stores.values()]
        return found if self.spool is None else [*found, self.spool]


class StoredSource:
    """A stored payload as a `vna.dicom` source: `size`, and ranged reads.

    What is no raw file is read once, as a whole, and kept as long as the source.
    """

    def __init__(self, store: ObjectStore, place: Place, sha256: bytes) -> None:
        self.size = place.length
        self._store, self._place, self._sha256 = store, place, sha256
        self._data: bytes | None = None

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes, or fewer only where the payload ends."""
        if offset >= self.size:
            return b""
        if self._place.raw:
            return self._store.read(self._place, offset, length, sha256=self._sha256)
        if self._data is None:
            self._data = self._store.read(self._place, sha256=self._sha256)
        return self._data[offset : offset + length]


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

"""Bytes of stored objects, checked before they leave wherever they can be."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

import xxhash

from storage_backends.prompt import takes_time
from vna.dicom.source import BytesSource, Source
from vna.errors import Damaged
from vna.model.archive import Place
from vna.objects import RAW_BYTES, ObjectStore
from vna.services.payload import CHUNK

# Bytes. An object up to this size is read as a whole and checked before its first byte leaves, even
# where only a part is wanted: at 6 GB/s that costs less than another request.
CHECKED_WHOLE = RAW_BYTES

Ranges = Sequence[tuple[int, int]]


class Recent:
    """Whole objects read a moment ago: a client that takes an object frame by frame reads it once.

    Thread-safe; at most `limit` bytes.
    """

    def __init__(self, limit: int = 4 * CHECKED_WHOLE) -> None:
        self._limit = limit
        self._size = 0
        self._found: OrderedDict[Place, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, place: Place, read: Callable[[], bytes]) -> bytes:
        """The object at `place`, from `read` where it is not remembered."""
        with self._lock:
            if (known := self._found.get(place)) is not None:
                self._found.move_to_end(place)
                return known
        data = read()
        with self._lock:
            if place not in self._found:
                self._found[place] = data
                self._size += len(data)
            while self._size > self._limit:
                self._size -= len(self._found.popitem(last=False)[1])
        return data


class ObjectReader:
    """One stored object, also a source for `vna.dicom`. `xxh3`: of its bytes; `sha256` names it in
    errors. Keeps no bytes itself."""

    def __init__(
        self, objects: ObjectStore, recent: Recent, place: Place, sha256: bytes, xxh3: bytes
    ) -> None:
        self._objects, self._recent, self._place = objects, recent, place
        self._sha256, self._xxh3 = sha256, xxh3

    @property
    def sha256(self) -> bytes:
        """Of the object."""
        return self._sha256

    @property
    def size(self) -> int:
        """Bytes of the object."""
        return self._place.length

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes, or fewer only where the object ends."""
        if self.size <= CHECKED_WHOLE:
            return self._recently()[offset : offset + length]
        length = max(0, min(length, self.size - offset))
        return self._objects.read(self._place, offset, length, sha256=self._sha256)

    def all(self) -> Iterator[bytes]:
        """Yield the object; the last piece only when its digest is right (`Damaged`)."""
        if self.size <= CHECKED_WHOLE:
            yield self._checked()
        else:
            yield from self._objects.stream(self._place, sha256=self._sha256)

    def ranges(self, ranges: Ranges) -> Iterator[bytes]:
        """Yield the bytes of (offset, length) ranges. Of a large object they are not checked."""
        for offset, length in ranges:
            if offset + length > self.size:
                raise self._damaged("it ends before what it should hold")
        if self.size <= CHECKED_WHOLE:
            data = self._recently()
            for offset, length in ranges:
                yield data[offset : offset + length]
        else:
            yield from self._objects.stream(self._place, ranges, CHUNK, sha256=self._sha256)

    def checked(self, pieces: Callable[[Source], Iterator[bytes]]) -> Iterator[bytes]:
        """Yield what `pieces` makes of the object, reading it forward; the last piece is withheld
        until all of the object has been read and its digest is right (`Damaged`)."""
        takes_time()
        if self.size <= CHECKED_WHOLE:
            yield from pieces(BytesSource(self._checked()))
            return
        source = _HashingSource(self._objects.source(self._place, sha256=self._sha256))
        held = b""
        for piece in pieces(source):
            if held:
                yield held
            held = piece
        if source.finish() != self._xxh3:
            raise self._damaged("its bytes differ from their checksum")
        yield held

    def _recently(self) -> bytes:
        return self._recent.get(self._place, self._checked)

    def _checked(self) -> bytes:
        return self._objects.checked(self._place, sha256=self._sha256, xxh3=self._xxh3)

    def _damaged(self, reason: str) -> Damaged:
        return Damaged(self._sha256.hex(), reason)


class _HashingSource:
    """A source whose bytes are digested in order, the skipped ones too."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._digest = xxhash.xxh3_128()
        self._position = 0

    @property
    def size(self) -> int:
        return self._source.size

    def read(self, offset: int, length: int) -> bytes:
        self._skip(offset)
        data = self._source.read(offset, length)
        fresh = data[self._position - offset :]
        self._digest.update(fresh)
        self._position += len(fresh)
        return data

    def finish(self) -> bytes:
        """The digest of all bytes."""
        self._skip(self.size)
        return self._digest.digest()

    def _skip(self, offset: int) -> None:
        while self._position < offset:
            data = self._source.read(self._position, min(CHUNK, offset - self._position))
            if not data:
                return
            self._digest.update(data)
            self._position += len(data)


def clipped(ranges: Ranges, start: int, length: int | None) -> list[tuple[int, int]]:
    """The part [start, start + length) of ranges put in a row."""
    end = sum(each for _, each in ranges) if length is None else start + length
    found, at = [], 0
    for offset, size in ranges:
        first, last = max(start, at), min(end, at + size)
        if first < last:
            found.append((offset + first - at, last - first))
        at += size
    return found


def sliced(pieces: Iterator[bytes], start: int, length: int | None) -> Iterator[bytes]:
    """The part [start, start + length) of pieces put in a row."""
    end = None if length is None else start + length
    at = 0
    for piece in pieces:
        first = max(start - at, 0)
        last = len(piece) if end is None else min(len(piece), end - at)
        if first == 0 and last == len(piece):
            yield piece
        elif first < last:
            yield piece[first:last]
        at += len(piece)

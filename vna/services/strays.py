"""What processes left that ended in the middle: unfinished raw files, segments without a record."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from storage_backends.base import BackendError, KeyMissing, StoredKey
from vna.index import copies
from vna.index.engine import Index
from vna.objects import MountedStore, ObjectStore
from vna.objects.layout import SEGMENTS, segment_key, ulid_of
from vna.objects.record import LONGEST_HEADER
from vna.objects.segment import is_empty
from vna.objects.targets import storage_unavailable
from vna.objects.ulid import made_at

# No upload takes so long: 5 GB in a day is 0.5 Mbit/s, and servers cut idle connections.
GIVEN_UP = timedelta(days=1)
UNCHANGED_SECONDS = 1800.0


class Strays:
    """Removes unfinished raw files and empty segments.

    Only what was begun more than a day ago by the database's clock, and has not grown since this
    process saw it half an hour before: the clock of the one who writes it may be wrong, and ours.
    What was acknowledged is never among them: a raw file has its header beside it, a segment is
    known to the index.
    """

    def __init__(
        self,
        index: Index,
        objects: ObjectStore,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._index, self._objects, self._clock = index, objects, clock
        self._seen: dict[tuple[str, int], float] = {}  # name and size → when first

    def remove(self) -> int:
        """How many there were. Raises `StorageUnavailable`, `IndexUnavailable`."""
        with self._index.reading() as session:
            before = datetime.fromtimestamp(session.now() / 1000, UTC) - GIVEN_UP
        seen: dict[tuple[str, int], float] = {}
        removed = 0
        for stray in self._objects.strays():
            if self._is_left((stray.segment, stray.size), before, seen):
                self._objects.remove_raw(stray.segment)
                removed += 1
        for store in self._objects.stores.values():
            try:
                for found in _small(store):
                    name = ulid_of(found.key)
                    left = self._is_left((f"{store.name}/{name}", found.size), before, seen)
                    if left and not self._is_known(store, name) and is_empty(store.backend, name):
                        store.backend.delete(found.key)
                        removed += 1
            except KeyMissing:
                continue  # somebody else removed it: the rest is for the next time
            except BackendError as error:
                raise storage_unavailable(error) from error
        self._seen = seen
        return removed

    def _is_left(
        self, what: tuple[str, int], before: datetime, seen: dict[tuple[str, int], float]
    ) -> bool:
        if made_at(what[0].rpartition("/")[2]) >= before:
            return False
        first = seen[what] = self._seen.get(what, self._clock())
        return self._clock() - first >= UNCHANGED_SECONDS

    def _is_known(self, store: MountedStore, segment: str) -> bool:
        with self._index.reading() as session:
            return bool(copies.held_in(session, store.name, [segment]))


def _small(store: MountedStore) -> Iterator[StoredKey]:
    """Segments that are too small to hold more than a first record."""
    for found in store.backend.list(SEGMENTS):
        with suppress(ValueError):
            if found.size < LONGEST_HEADER and found.key == segment_key(ulid_of(found.key)):
                yield found

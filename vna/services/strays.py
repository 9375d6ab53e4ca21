"""What processes left that ended in the middle: unfinished raw files, segments without a record."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from storage_backends.base import BackendError, KeyMissing
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


def remove_strays(index: Index, objects: ObjectStore, now: datetime | None = None) -> int:
    """Remove unfinished raw files and empty segments that were begun more than a day before `now`
    (UTC); how many there were.

    What was acknowledged is never among them: a raw file has its header beside it, a segment is
    known to the index. Raises `StorageUnavailable`, `IndexUnavailable`.
    """
    before = (now or datetime.now(UTC)) - GIVEN_UP
    old = [stray for stray in objects.strays() if made_at(stray.segment) < before]
    for stray in old:
        objects.remove_raw(stray.segment)
    return len(old) + sum(_remove_empty(index, each, before) for each in objects.stores.values())


def _remove_empty(index: Index, store: MountedStore, before: datetime) -> int:
    removed = 0
    try:
        for found in store.backend.list(SEGMENTS):
            if found.size >= LONGEST_HEADER:  # then there is a first record, or damage
                continue
            with suppress(ValueError, KeyMissing):
                name = ulid_of(found.key)
                ours = found.key == segment_key(name) and made_at(name) < before
                if ours and not _is_known(index, store, name) and is_empty(store.backend, name):
                    store.backend.delete(found.key)
                    removed += 1
    except BackendError as error:
        raise storage_unavailable(error) from error
    return removed


def _is_known(index: Index, store: MountedStore, segment: str) -> bool:
    with index.reading() as session:
        return bool(copies.held_in(session, store.name, [segment]))

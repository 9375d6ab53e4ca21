"""An archive out of a backup, into one empty store and one empty index."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from storage_backends.base import Backend, BackendError
from vna.errors import Conflict, InvalidConfiguration
from vna.index.bulk import filled_table, opened
from vna.index.copies import KnownStore
from vna.objects import MountedStore
from vna.objects.copying import copy_key
from vna.objects.examine import examine
from vna.objects.layout import LOG, MARKER, RAW_FILES, SEGMENTS, segment_key, ulid_of
from vna.objects.targets import storage_unavailable
from vna.services.backup import AUDIT, MARKS, Mark
from vna.services.rebuild import Rebuilt, rebuild

Tell = Callable[[int, int], object]  # files copied, of how many (0: not known)


@dataclass(frozen=True, slots=True)
class Restored:
    """`mark`: the newest of the backup; everything acknowledged before `at` (ms since 1970 UTC) is
    there. `bad`: files with damaged records, which were copied all the same."""

    mark: str
    at: int
    files: int
    bytes: int
    bad: tuple[str, ...]
    rebuilt: Rebuilt
    seconds: float


def restore(
    source: Backend,
    store: MountedStore,
    url: str,
    folder: Path,
    tell: Tell = lambda done, of: None,
) -> Restored:
    """Copy a backup into an empty store, check every byte, and fill an empty index.

    What ends in the middle is begun again with an empty store and index. `folder`: of the archive,
    for the trail of reads and temporary files. Raises `Conflict` where store or index hold
    something, `InvalidConfiguration` for what is no finished backup, else as `rebuild`.
    """
    began = time.monotonic()
    try:
        mark = _newest(source)
        if any(each.key != MARKER for each in store.backend.list()):
            raise Conflict(f"the store {store.name} holds something already")
        with opened(url) as connection:
            if (table := filled_table(connection)) is not None:
                raise Conflict(f"the index holds something already: table {table} has rows")
        count = size = 0
        bad: list[str] = []
        for key in _keys(source):
            size += copy_key(source, store.backend, key)
            count += 1
            tell(count, 0)
            if not key.startswith(LOG) and not key.endswith(".bin") and not _good(store, key):
                bad.append(key)
        for each in source.list(AUDIT):
            _copy_audit(source, each.key, folder / each.key)
    except BackendError as error:
        raise storage_unavailable(error) from error
    known = KnownStore(store.name, store.tier, store.domain, store.identity)
    rebuilt = rebuild(url, [store], folder, only_in=known)
    seconds = round(time.monotonic() - began, 2)
    return Restored(mark.name, mark.at, count, size, tuple(bad), rebuilt, seconds)


def _newest(source: Backend) -> Mark:
    marks = [each.key for each in source.list(MARKS)]
    if not marks:
        raise InvalidConfiguration("there is no finished backup")
    reader = source.open(marks[-1])
    try:
        return Mark(**orjson.loads(reader.read(0, reader.size())))
    finally:
        reader.close()


def _keys(source: Backend) -> Iterator[str]:
    """Bytes before the log; of a raw file the payload before the header that vouches for it."""
    for below in (SEGMENTS, RAW_FILES, LOG):
        for each in source.list(below):
            yield each.key


def _good(store: MountedStore, key: str) -> bool:
    """Whether each record, or the raw file that a header belongs to, is whole."""
    name = ulid_of(key)
    found = examine(store.backend, name, raw=key != segment_key(name))
    return not found.bad


def _copy_audit(source: Backend, key: str, path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    reader = source.open(key)
    try:
        path.write_bytes(reader.read(0, reader.size()))
    finally:
        reader.close()

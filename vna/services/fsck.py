"""Index and stores compared, both ways: rows without bytes, and bytes without rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from functools import partial

from storage_backends.base import BackendError, KeyMissing
from vna.errors import Damaged, MalformedObject, StorageUnavailable
from vna.index import copies
from vna.index.copies import Copy
from vna.index.engine import Index
from vna.model.archive import CopyState, Place
from vna.model.caller import Caller, Right
from vna.objects import MountedStore, ObjectStore, RecordType
from vna.objects.examine import Held, examine, survey
from vna.objects.layout import (
    LOG,
    MARKER,
    QUARANTINE,
    meta_key,
    raw_key,
    segment_key,
    ulid_of,
)
from vna.objects.targets import storage_unavailable
from vna.services.rights import require

PAGE = 500
THREADS = 8  # that look into segments: of a bucket each of them waits for the network
SECOND_LOOK_SECONDS = 5.0  # a record may lie in the store this long before its row is committed


class Problem(Enum):
    """What does not fit."""

    MISSING = "missing"  # an object of the index is in no copy
    NO_COPY = "no-copy"  # a store should hold a segment and does not, or not all of it
    ROWLESS = "rowless"  # a whole object that no row names: it was never acknowledged
    STRAY = "stray"  # a file that is no copy the index knows


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not fit. `name`: SHA-256 of an object, key of a file; `place` of what
    may be adopted."""

    problem: Problem
    store: str
    segment: str
    name: str
    place: Place | None = None


class Fsck:
    """Compares what the index says with what the stores hold. Works beside a running server."""

    def __init__(
        self,
        index: Index,
        objects: ObjectStore,
        *,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._index, self._objects = index, objects
        self._wait = wait

    def run(self, caller: Caller, *, full: bool = False) -> Iterator[Finding]:
        """Yield what does not fit. `full`: reads and checks every byte, else sizes and tables.

        What might be on its way right now is looked at again before it is named. Raises
        `Forbidden`; `StorageUnavailable` where a store is away.
        """
        require(caller, Right.ADMINISTER)
        away = [each.name for each in self._objects.stores.values() if not each.is_here()]
        if away:
            raise StorageUnavailable(f"the store {away[0]} is not there")
        with ThreadPoolExecutor(THREADS, "fsck") as pool:
            yield from self._rows_without_bytes(pool, full)
            doubtful = list(self._bytes_without_rows(pool))
        if doubtful:
            self._wait(SECOND_LOOK_SECONDS)
            yield from self._still_so(doubtful)

    def _rows_without_bytes(self, pool: ThreadPoolExecutor, full: bool) -> Iterator[Finding]:
        bad: dict[str, set[bytes]] = {}  # of one segment: objects that a copy lacks
        segment, good_somewhere = "", set[bytes]()
        for page in self._copies():
            compared = pool.map(partial(self._compared, full=full), page)
            for copy, (lacking, holding) in zip(page, compared, strict=True):
                if copy.segment != segment:
                    yield from self._missing(segment, bad, good_somewhere)
                    segment, bad, good_somewhere = copy.segment, {}, set()
                bad[copy.store] = lacking
                good_somewhere |= holding
        yield from self._missing(segment, bad, good_somewhere)

    def _missing(
        self, segment: str, bad: dict[str, set[bytes]], good: set[bytes]
    ) -> Iterator[Finding]:
        gone: set[bytes] = set().union(*bad.values()) - good
        for sha256 in sorted(gone):
            yield Finding(Problem.MISSING, "", segment, sha256.hex())
        for store, lacking in bad.items():
            if lacking - gone:
                yield Finding(Problem.NO_COPY, store, segment, segment)

    def _compared(self, copy: Copy, *, full: bool) -> tuple[set[bytes], set[bytes]]:
        """SHA-256 of the objects that a copy lacks, and of those that it has."""
        with self._index.reading() as session:
            wanted = copies.lying_in(session, copy.segment)
        there = self._held(self._objects.stores[copy.store], copy, full)
        lacking = {each.sha256 for each in wanted if there.get(each.offset) != each.sha256}
        return lacking, {each.sha256 for each in wanted} - lacking

    def _held(self, store: MountedStore, copy: Copy, full: bool) -> dict[int, bytes]:
        try:
            if full:
                return examine(store.backend, copy.segment, raw=copy.raw).good
            return {
                each.offset: each.sha256
                for each in survey(store.backend, copy.segment, raw=copy.raw)
            }
        except KeyMissing:
            return {}
        except BackendError as error:
            raise storage_unavailable(error) from error

    def _copies(self) -> Iterator[list[Copy]]:
        """Every copy in a mounted store, those of one segment behind one another; in pages."""
        after = ""
        while True:
            with self._index.reading() as session:
                some = copies.of_segments(session, after=after, limit=PAGE)
            if not some:
                return
            yield [
                each
                for each in some
                if each.store in self._objects.stores and each.state is not CopyState.LEAVING
            ]
            after = some[-1].segment

    def _bytes_without_rows(self, pool: ThreadPoolExecutor) -> Iterator[Finding]:
        for store in self._objects.stores.values():
            for segments, foreign in self._listed(store):
                with self._index.reading() as session:
                    known = copies.held_in(session, store.name, list(segments))
                look = partial(self._file, store, known)
                for found in pool.map(look, segments, segments.values()):
                    yield from found
                for key in foreign:
                    yield Finding(Problem.STRAY, store.name, "", key)

    def _listed(self, store: MountedStore) -> Iterator[tuple[dict[str, set[str]], list[str]]]:
        """The segments and raw files of a store with their keys, and the keys of files that are
        none of ours, some at a time."""
        segments: dict[str, set[str]] = {}
        foreign: list[str] = []
        for found in store.backend.list():
            name = _segment_of(found.key)
            if name not in segments and len(segments) + len(foreign) >= PAGE:
                yield segments, foreign
                segments, foreign = {}, []
            if name:
                segments.setdefault(name, set()).add(found.key)
            elif found.key != MARKER and not found.key.startswith((f"{QUARANTINE}/", f"{LOG}/")):
                foreign.append(found.key)
        yield segments, foreign

    def _file(
        self, store: MountedStore, known: Collection[str], name: str, keys: set[str]
    ) -> list[Finding]:
        raw = segment_key(name) not in keys
        if raw and meta_key(name) not in keys and name not in known:
            return [Finding(Problem.STRAY, store.name, name, raw_key(name))]
        try:
            there = survey(store.backend, name, raw=raw)
        except KeyMissing:
            there = []
        except BackendError as error:
            raise storage_unavailable(error) from error
        objects = [each for each in there if each.type is RecordType.OBJECT]
        with self._index.reading() as session:
            rowless = copies.without_row(
                session, name, [(each.offset, each.sha256) for each in objects]
            )
        found = [
            Finding(
                Problem.ROWLESS,
                store.name,
                name,
                each.sha256.hex(),
                Place(name, each.offset, each.length, raw),
            )
            for each in objects
            if (each.offset, each.sha256) in rowless and self._is_whole(store, name, each, raw)
        ]
        if name not in known and not there:
            found.append(Finding(Problem.STRAY, store.name, name, sorted(keys)[0]))
        return found

    def _is_whole(self, store: MountedStore, name: str, held: Held, raw: bool) -> bool:
        place = Place(name, held.offset, held.length, raw)
        try:
            if raw:
                return bool(examine(store.backend, name, raw=True).good)
            store.payload(place, held.sha256)
        except (Damaged, MalformedObject):
            return False
        return True

    def _still_so(self, doubtful: Sequence[Finding]) -> Iterator[Finding]:
        """What is still without a row; of several copies of one object the first."""
        seen: set[tuple[str, int]] = set()
        for each in doubtful:
            if each.place is not None:
                lies = (each.segment, each.place.offset)
                with self._index.reading() as session:
                    pair = (each.place.offset, bytes.fromhex(each.name))
                    if lies in seen or not copies.without_row(session, each.segment, [pair]):
                        continue
                seen.add(lies)
            elif each.segment:
                with self._index.reading() as session:
                    if copies.held_in(session, each.store, [each.segment]):
                        continue
                if not _is_there(self._objects.stores[each.store], each.name):
                    continue
            yield each


def _segment_of(key: str) -> str:
    """The segment or raw file that a key belongs to, '' where it is none of ours."""
    try:
        name = ulid_of(key)
    except ValueError:
        return ""
    return name if key in (segment_key(name), raw_key(name), meta_key(name)) else ""


def _is_there(store: MountedStore, key: str) -> bool:
    try:
        store.backend.open(key).close()
    except KeyMissing:
        return False
    return True

"""A copy of the whole archive in one more place: bytes and log, complete up to a mark.

It is laid out like a store, so that everything that reads a store reads it; what is there already
is not copied again. Nothing stops meanwhile: segments that grow are closed, and their writers begin
others (ADR 20).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from storage_backends.base import Backend, BackendError, KeyMissing
from vna.errors import Damaged, StorageUnavailable
from vna.index import copies, row_log
from vna.index.engine import Index
from vna.model.archive import CopyState
from vna.model.caller import Caller, Right
from vna.objects import MountedStore, ObjectStore
from vna.objects.copying import copy_key
from vna.objects.examine import examine
from vna.objects.layout import meta_key, raw_key, segment_key
from vna.objects.log_files import BrokenLog, chain, files
from vna.objects.targets import storage_unavailable
from vna.objects.ulid import new_ulid
from vna.services.rights import require
from vna.services.row_log import RowLog

MARKS = "backups"
AUDIT = "audit"
PAGE = 500
WAIT_SECONDS = 0.2
LOG_SECONDS = 120.0  # another process that writes the log has so long

Tell = Callable[[int, int], object]  # segments looked at, of how many (0: not known)


@dataclass(frozen=True, slots=True)
class Mark:
    """What a backup holds: all that was acknowledged at `at` (ms since 1970 UTC by the database's
    clock), when the number of the last change was `feed`. `segments`: files that the index named,
    raw ones too; `copied` of them now. `bytes`: copied now. `failed`: names of those that no store
    has whole, or that lack an object."""

    name: str
    at: int
    feed: int
    epoch: int
    segments: int
    copied: int
    bytes: int
    failed: tuple[str, ...]
    seconds: float


class Backup:
    """Makes backups. `audit`: the folder with the trail of reads of this machine."""

    def __init__(self, index: Index, objects: ObjectStore, log: RowLog, audit: Path) -> None:
        self._index, self._objects, self._log, self._audit = index, objects, log, audit

    def make(
        self, caller: Caller, target: MountedStore, tell: Tell = lambda done, of: None
    ) -> Mark:
        """Bring `target` up to date and write a mark, last of all.

        Without its mark a backup is an unfinished one: the mark before it still holds. Raises
        `Forbidden`, `StorageUnavailable`, `Damaged` for a log with gaps.
        """
        require(caller, Right.ADMINISTER)
        began = time.monotonic()
        copied: dict[str, int] = {}
        failed: set[str] = set()
        try:
            self._segments(target, copied, failed, tell)
            with self._index.reading() as session:
                at, feed = session.now(), row_log.feed_position(session)
            self._all_logged()
            epoch = self._copy_log(target, feed)
            self._index.transact(copies.close_all)
            failed.clear()
            count = self._segments(target, copied, failed, tell)
            self._copy_audit(target.backend)
            mark = Mark(
                name=new_ulid(),
                at=at,
                feed=feed,
                epoch=epoch,
                segments=count,
                copied=len(copied),
                bytes=sum(copied.values()),
                failed=tuple(sorted(failed)),
                seconds=round(time.monotonic() - began, 2),
            )
            target.backend.put_new(f"{MARKS}/{mark.name}.json", [orjson.dumps(asdict(mark))])
        except BackendError as error:
            raise storage_unavailable(error) from error
        except BrokenLog as error:
            raise Damaged("the log", str(error)) from error
        return mark

    def _segments(
        self, target: MountedStore, copied: dict[str, int], failed: set[str], tell: Tell
    ) -> int:
        """Copy what the target lacks; how many segments and raw files there are."""
        count = 0
        for segment, found in self._each():
            count += 1
            tell(count, 0)
            try:
                size = self._copy(target.backend, segment, found)
            except KeyMissing:
                failed.add(segment)  # or it was purged meanwhile, and is not asked for again
                continue
            if size is None:
                failed.add(segment)
            elif size:
                copied[segment] = size
        return count

    def _each(self) -> Iterator[tuple[str, list[copies.Copy]]]:
        after = ""
        while True:
            with self._index.reading() as session:
                some = copies.of_segments(session, after=after, limit=PAGE)
            if not some:
                return
            together: dict[str, list[copies.Copy]] = {}
            for each in some:
                together.setdefault(each.segment, []).append(each)
            yield from together.items()
            after = some[-1].segment

    def _copy(self, target: Backend, segment: str, found: Sequence[copies.Copy]) -> int | None:
        """Bytes that were copied, 0 where it was there; None where no copy is whole."""
        stores = self._objects.stores
        raw = found[0].raw
        for each in sorted(found, key=lambda copy: copy.state is not CopyState.GOOD):
            if each.store not in stores or each.state is CopyState.LEAVING:
                continue
            source = stores[each.store].backend
            keys = [raw_key(segment), meta_key(segment)] if raw else [segment_key(segment)]
            sizes = [_size(source, key) for key in keys]
            if None in sizes:
                continue
            held = [_size(target, key) for key in keys]
            if sizes == held or (None not in held and self._is_whole(target, segment, raw)):
                return 0
            if self._is_whole(source, segment, raw):
                return sum(copy_key(source, target, key) for key in keys)
        return None

    def _is_whole(self, where: Backend, segment: str, raw: bool) -> bool:
        """Whether every object that the index names is there and good."""
        with self._index.reading() as session:
            wanted = copies.lying_in(session, segment)
        good = examine(where, segment, raw=raw).good
        return all(good.get(each.offset) == each.sha256 for each in wanted)

    def _all_logged(self) -> None:
        """Wait until the log knows all that is committed now."""
        with self._index.reading() as session:
            last = row_log.last_note(session)
        until = time.monotonic() + LOG_SECONDS
        while True:
            self._log.write()
            with self._index.reading() as session:
                if row_log.is_up_to_date(session, last):
                    return
            if time.monotonic() > until:
                raise StorageUnavailable("the log was not written in time")
            time.sleep(WAIT_SECONDS)

    def _copy_log(self, target: MountedStore, feed: int) -> int:
        """The log up to a change at least; the epoch of its last frame."""
        while True:
            try:
                for store in self._objects.stores.values():
                    for file in files(store.backend):
                        if _size(target.backend, file.key) != file.size:
                            copy_key(store.backend, target.backend, file.key)
            except KeyMissing:
                continue  # it became part of another file
            last = chain([target])[-1].frame
            if last.feed < feed:
                raise StorageUnavailable("the log was set back while it was copied")
            return last.epoch

    def _copy_audit(self, target: Backend) -> None:
        for path in sorted(self._audit.glob("*.jsonl")):
            key, data = f"{AUDIT}/{path.name}", path.read_bytes()
            held = _size(target, key)
            if held is not None and held < len(data):
                target.delete(key)
            if held is None or held < len(data):
                target.put_new(key, [data])


def _size(backend: Backend, key: str) -> int | None:
    try:
        reader = backend.open(key)
    except KeyMissing:
        return None
    try:
        return reader.size()
    finally:
        reader.close()

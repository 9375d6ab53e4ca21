"""Copies of segments in several stores: made, repaired, given up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from storage_backends.base import Backend, BackendError, KeyMissing
from vna.errors import Conflict, Damaged, StorageUnavailable, Unavailable, VnaError
from vna.index import attention, copies, jobs
from vna.index.copies import Copy, Lying
from vna.index.engine import Index, Session
from vna.index.jobs import Job
from vna.index.segments import REPLICATE
from vna.model.archive import CopyState, Place
from vna.objects import MountedStore, ObjectStore, Unit
from vna.objects.copying import copy_key
from vna.objects.examine import Examined, Pace, examine
from vna.objects.layout import meta_key, quarantine_key, raw_key, segment_key
from vna.objects.targets import storage_unavailable
from vna.objects.ulid import new_ulid
from vna.services.moving import Moving

log = logging.getLogger("vna.stores")

REPAIR = "repair"  # a job; its subject is SEGMENT@STORE
AGAIN_MILLISECONDS = 15_000  # until a segment that is still open is looked at again
OPEN_MILLISECONDS = 1200_000  # after that its writer is gone: it seals after 900 seconds
SWEEP = 1000  # segments looked up at once

__all__ = ["REPAIR", "REPLICATE", "Checked", "Copies", "Mended"]

Submit = Callable[[Unit[Any]], Any]


def unpaced(read: int) -> None:
    """Reads as fast as it can."""


class Copies:
    """Keeps as many good copies of each segment as are wanted, in different domains if it can.

    `wanted`: how many; `submit`: the committer, for objects that are written anew.
    """

    def __init__(self, index: Index, objects: ObjectStore, submit: Submit, *, wanted: int) -> None:
        self._index, self._objects = index, objects
        self._moving = Moving(index, objects, submit)
        self._wanted = min(wanted, len(objects.stores))

    def replicate(self, job: Job) -> None:
        """Make the copies that a segment lacks; looked at again while it is being written, or a
        store is away: other segments do not wait for that."""
        segment = job.subject
        try:
            done = not self._lacks(segment) or self._made(segment)
        except StorageUnavailable as error:
            log.warning("a copy waits", extra={"segment": segment, "reason": str(error)})
            done = False
        if not done:
            self._put(REPLICATE, [segment], after=AGAIN_MILLISECONDS)

    def close_all(self) -> None:
        """Have those who write begin other segments, so that what there is can be copied now."""
        self._index.transact(copies.close_all)

    def sweep(self) -> int:
        """Have all segments replicated that lack copies; how many there were."""
        after, found = "", 0
        while True:
            with self._index.reading() as session:
                some = copies.wanting(session, self._wanted, after=after, limit=SWEEP)
            if not some:
                return found
            self._put(REPLICATE, some, after=0)
            after, found = some[-1], found + len(some)

    def check(self, copy: Copy, pace: Pace = unpaced) -> Checked:
        """Read all of a copy, compare it with the index, and note what was found.

        What seems damaged is read once more: a service may stumble. Raises `StorageUnavailable`
        where the store is away.
        """
        store = self._mounted(copy.store)
        found, missing = self._examined(store, copy, pace)
        if missing or found.bad:
            found, missing = self._examined(store, copy, pace)
        whole = not missing and not found.bad
        state = CopyState.GOOD if whole else CopyState.DAMAGED
        self._index.transact(
            lambda session: copies.checked(session, copy.segment, copy.store, state)
        )
        if not whole:
            log.error(
                "a copy is damaged",
                extra={"store": copy.store, "segment": copy.segment, "reason": found.bad[:1]},
            )
        return Checked(copy, tuple(missing), tuple(found.bad), found.size)

    def repair(self, job: Job) -> None:
        """Check a copy that somebody found damaged, and put it right; again later where a store is
        away."""
        segment, _, where = job.subject.partition("@")
        with self._index.reading() as session:
            found = [each for each in copies.copies_of(session, segment) if each.store == where]
        try:
            for copy in found:
                if copy.state is not CopyState.LEAVING:
                    self.mend(self.check(copy))
        except StorageUnavailable as error:
            log.warning("a repair waits", extra={"segment": segment, "reason": str(error)})
            self._put(REPAIR, [job.subject], after=AGAIN_MILLISECONDS)

    def mend(self, checked: Checked) -> Mended:
        """Put a damaged copy right from another one, or save from all copies what is good in any.

        The segment is closed first: whoever still writes to it begins another. What no copy has is
        marked as damaged and put on the attention list.
        """
        if not checked.good and self._index.transact(
            lambda session: copies.close(session, checked.copy.segment)
        ):
            checked = self.check(checked.copy)
        if checked.good:
            return Mended(replaced=False, moved=0, lost=())
        copy = checked.copy
        with self._index.reading() as session:
            others = [
                each
                for each in copies.copies_of(session, copy.segment)
                if each.store != copy.store
                and each.state is not CopyState.LEAVING
                and each.store in self._objects.stores
            ]
        for other in others:
            with suppress(StorageUnavailable):
                again = self.check(other)
                if again.good:
                    self._replace(copy, again)
                    return Mended(replaced=True, moved=0, lost=())
        if any(not self._mounted(other.store).is_here() for other in others):
            raise StorageUnavailable("a store that may have a good copy is not there")
        return self._save(checked)

    def may_drop(self, segment: str, where: str, *, keep: int) -> None:
        """Raise `Conflict` where `drop` would."""
        with self._index.reading() as session:
            self._refuse(copies.copies_of(session, segment), where, keep)

    def drop(self, segment: str, where: str, *, keep: int) -> None:
        """Give up the copy of a segment in one store.

        Refused with `Conflict` unless `keep` good copies that have been read back stay in other
        stores, of different domains where the stores have more than one. A segment that was open
        until now is closed, and its other copies are read back before they count.
        """
        if self._index.transact(lambda session: copies.close(session, segment)):
            with self._index.reading() as session:
                others = [e for e in copies.copies_of(session, segment) if e.store != where]
            for other in others:
                if other.state is not CopyState.LEAVING:
                    self.check(other)

        def begin(session: Session) -> None:
            self._refuse(copies.copies_of(session, segment, lock=True), where, keep)
            copies.leave(session, segment, where)

        self._index.transact(begin)
        self.remove(segment, where)

    def _refuse(self, found: Sequence[Copy], where: str, keep: int) -> None:
        others = [
            each
            for each in found
            if each.store != where and each.state is CopyState.GOOD and each.verified_at
        ]
        domains = {each.domain for each in others}
        apart = len({each.domain for each in self._objects.stores.values()} - {""}) > 1
        if len(others) < keep or (apart and len(domains) < min(keep, 2)):
            raise Conflict(
                f"it has {len(others)} other verified copies in {len(domains)} domains; "
                f"{keep} must stay"
            )

    def finish_drops(self) -> int:
        """Go on with what an interruption left half removed; how many there were."""
        with self._index.reading() as session:
            found = copies.leaving(session, limit=SWEEP)
        for each in found:
            if each.store in self._objects.stores:
                self.remove(each.segment, each.store)
        return len(found)

    def _lacks(self, segment: str) -> int:
        with self._index.reading() as session:
            held = copies.holding(session, segment)
        return max(0, self._wanted - sum(state is CopyState.GOOD for state in held.values()))

    def _made(self, segment: str) -> bool:
        """Make the missing copies; False where the segment may still grow."""
        with self._index.reading() as session:
            found = copies.copies_of(session, segment)
            grows = copies.may_grow(session, segment, milliseconds=OPEN_MILLISECONDS)
        good = [each for each in found if each.state is CopyState.GOOD]
        if not good:
            return True  # for repair: there is nothing to copy
        here = [e for e in good if e.store in self._objects.stores]
        source = next((e for e in here if self._mounted(e.store).is_here()), None)
        if source is None:
            raise StorageUnavailable(f"no store at hand has a good copy of segment {segment}")
        store = self._mounted(source.store)
        examined, missing = self._examined(store, source, unpaced)
        if not examined.sealed and not examined.bad:
            if grows:
                return False
            self._index.transact(lambda session: copies.close(session, segment))
            examined, missing = self._examined(store, source, unpaced)
        else:
            self._index.transact(lambda session: copies.close(session, segment))
        if examined.bad or missing:
            self.mend(self.check(source))
            return False
        self._index.transact(
            lambda session: copies.checked(session, segment, source.store, CopyState.GOOD)
        )
        for target in self._missing_in(found):
            self._copy(segment, source.raw, store.backend, target, examined.size)
            self._added(segment, target.name)
        return True

    def _added(self, segment: str, where: str) -> None:
        self._index.transact(lambda session: copies.add_copy(session, segment, where))
        self._objects.forget(segment)

    def _put(self, kind: str, subjects: Sequence[str], *, after: int) -> None:
        self._index.transact(lambda session: jobs.put(session, kind, subjects, after=after))

    def _missing_in(self, found: Sequence[Copy]) -> list[MountedStore]:
        """Where the copies go that are missing: other domains first, then in order."""
        good = [each for each in found if each.state is CopyState.GOOD]
        taken, domains = {each.store for each in found}, {each.domain for each in good}
        free = [each for each in self._objects.stores.values() if each.name not in taken]
        free.sort(key=lambda each: each.domain in domains)  # stable: in order otherwise
        return free[: max(0, self._wanted - len(good))]

    def _examined(
        self, store: MountedStore, copy: Copy, pace: Pace
    ) -> tuple[Examined, list[Lying]]:
        """What lies in a copy, and the objects that should but do not."""
        with self._index.reading() as session:
            wanted = copies.lying_in(session, copy.segment)
        found = examine(store.backend, copy.segment, raw=copy.raw, pace=pace)
        if not store.is_here():  # then what was not found says nothing
            raise StorageUnavailable(f"the store {store.name} is not there")
        if 0 <= found.gap < max((each.offset for each in wanted), default=0):
            found.bad.append(f"the record at {found.gap}: good ones lie behind it")
        missing = [each for each in wanted if found.good.get(each.offset) != each.sha256]
        if missing and not (found.sealed or copy.raw):
            behind = [each for each in missing if _is_good(store, copy.segment, each, pace)]
            if behind:
                found.bad.append(f"the record at {found.size}: good ones lie behind it")
                missing = [each for each in missing if each not in behind]
        return found, missing

    def _replace(self, bad: Copy, good: Checked) -> None:
        """Put a good copy in the place of a bad one, whose bytes are kept in quarantine."""
        store, source = self._mounted(bad.store), self._mounted(good.copy.store)
        incident = new_ulid()
        try:
            for key in _keys(bad.segment, raw=bad.raw):
                _quarantine(store.backend, key, incident)
            self._copy(bad.segment, bad.raw, source.backend, store, good.size)
        except BackendError as error:
            raise storage_unavailable(error) from error
        finally:
            self._objects.forget(bad.segment)
        self._index.transact(
            lambda session: copies.checked(session, bad.segment, bad.store, CopyState.GOOD)
        )
        log.warning("a copy was repaired", extra={"store": bad.store, "segment": bad.segment})

    def _save(self, checked: Checked) -> Mended:
        """Write anew what any copy has; mark what none has."""
        copy = checked.copy
        lost = self._moving.move(copy.segment, checked.missing, raw=copy.raw)
        moved = len(checked.missing) - len(lost)
        self._index.transact(lambda session: self._mark(session, lost))
        return Mended(replaced=False, moved=moved, lost=tuple(each.sha256 for each in lost))

    def _mark(self, session: Session, lost: Sequence[Lying]) -> None:
        copies.damaged(session, [each.key for each in lost])
        for each in lost:
            for name in copies.named(session, each.key):
                attention.raise_once(
                    session,
                    "object-damaged",
                    study_uid=name.study_uid,
                    series_uid=name.series_uid,
                    sop_uid=name.sop_uid,
                    detail={"sha256": each.sha256.hex()},
                )

    def _copy(
        self, segment: str, raw: bool, source: Backend, target: MountedStore, size: int
    ) -> None:
        """The bytes of a segment into another store, durable and read back."""
        if not target.is_here():
            raise StorageUnavailable(f"the store {target.name} is not there")
        try:
            for key in _keys(segment, raw=raw):
                copy_key(source, target.backend, key, None if raw else size)
        except BackendError as error:
            raise storage_unavailable(error) from error
        finally:
            target.forget(segment)

    def remove(self, segment: str, where: str) -> None:
        """Remove the bytes of a copy whose row says that it is leaving, and then the row."""
        store = self._mounted(where)
        if not store.is_here():
            raise StorageUnavailable(f"the store {where} is not there")
        try:
            for raw in (False, True):
                for key in reversed(_keys(segment, raw=raw)):
                    with suppress(KeyMissing):
                        store.backend.delete(key)
        except BackendError as error:
            raise storage_unavailable(error) from error
        finally:
            store.forget(segment)
            self._objects.forget(segment)
        self._index.transact(lambda session: copies.left(session, segment, where))

    def _mounted(self, name: str) -> MountedStore:
        found = self._objects.stores.get(name)
        if found is None:
            raise StorageUnavailable(f"the store {name} is not configured here")
        return found


class Notices:
    """Is told of copies that fail while they are read, and has damaged ones looked after."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def __call__(self, segment: str, where: str, error: VnaError) -> None:
        """Never raises: the one who reads goes on with another copy."""
        log.error(
            "a copy could not be read",
            extra={"store": where, "segment": segment, "reason": str(error)},
        )
        if isinstance(error, Damaged):
            with suppress(Unavailable):
                self._index.transact(
                    lambda session: jobs.put(session, REPAIR, [f"{segment}@{where}"], after=0)
                )


@dataclass(frozen=True, slots=True)
class Checked:
    """What reading all of a copy showed. `missing`: objects that should be in it and are not good;
    `bad`: what is wrong, in words."""

    copy: Copy
    missing: tuple[Lying, ...]
    bad: tuple[str, ...]
    size: int

    @property
    def good(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.missing and not self.bad


@dataclass(frozen=True, slots=True)
class Mended:
    """What was done for a damaged copy. `moved`: objects written anew; `lost`: SHA-256 of those
    that no copy has."""

    replaced: bool
    moved: int
    lost: tuple[bytes, ...]


def _keys(segment: str, *, raw: bool) -> list[str]:
    """What a copy consists of; the last one makes it whole."""
    return [raw_key(segment), meta_key(segment)] if raw else [segment_key(segment)]


def _is_good(store: MountedStore, segment: str, lying: Lying, pace: Pace) -> bool:
    """Whether an object is where it should be, whatever lies before it."""
    pace(lying.length)
    try:
        store.payload(Place(segment, lying.offset, lying.length), lying.sha256)
    except (Damaged, StorageUnavailable):
        return False
    return True


def _quarantine(backend: Backend, key: str, incident: str) -> None:
    """Keep damaged bytes out of the way; what cannot be read is given up."""
    with suppress(BackendError):
        copy_key(backend, backend, key, name=quarantine_key(key, incident))
    with suppress(KeyMissing):
        backend.delete(key)

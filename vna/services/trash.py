"""Deleting in two steps: into the trash, which can be undone, and purge, which cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from vna.errors import InvalidValue
from vna.index import documents, purge, trash
from vna.index.engine import Index, Session
from vna.index.locate import locate_shown, parents
from vna.index.purge import Extent
from vna.index.trash import Entry
from vna.model.archive import TrashKind
from vna.model.caller import Caller, Right
from vna.model.query import Level
from vna.services.journal import Journal, Stamp
from vna.services.rights import require

_KINDS = {
    Level.STUDY: TrashKind.STUDY,
    Level.SERIES: TrashKind.SERIES,
    Level.INSTANCE: TrashKind.INSTANCE,
}


@dataclass(frozen=True, slots=True)
class Trashed:
    """Something in the trash, or a tombstone once `purged_at` is set. Times in ms; 0 = not."""

    id: int
    kind: TrashKind
    uid: str
    at: int
    actor: str
    reason: str
    purge_after: int
    restored_at: int
    purged_at: int


@dataclass(frozen=True, slots=True)
class PurgePlan:
    """What a purge did, or would do. `refused`: a stable code ("legal-hold", "retention") or ""."""

    entry: Trashed
    instances: int
    objects: int
    size: int  # bytes of the objects
    refused: str
    purged: bool


class Trash:
    """The trash. What lies in it is gone from search and answers `Gone`.

    `remove_raw` takes the segment of a raw file away once nothing in the index needs it.
    """

    def __init__(self, index: Index, journal: Journal, remove_raw: Callable[[str], None]) -> None:
        self._index = index
        self._journal = journal
        self._remove_raw = remove_raw

    def put(
        self,
        caller: Caller,
        reason: str,
        *,
        study_uid: str | None = None,
        series_uid: str | None = None,
        sop_uid: str | None = None,
        document_uid: str | None = None,
    ) -> Trashed:
        """Move a study, a series, an instance or a document to the trash; UIDs above it may be
        left out. Raises `NotFound`, and `Gone` when it lies there already."""
        require(caller, Right.CORRECT)
        uid = document_uid or sop_uid or series_uid or study_uid
        if uid is None or (document_uid and (sop_uid or series_uid or study_uid)):
            raise InvalidValue("uid", "", "name a document, or a study, series or instance")

        def subject(session: Session) -> tuple[TrashKind, int]:
            if document_uid is not None:
                return TrashKind.DOCUMENT, documents.locate(session, caller, document_uid)
            above = (study_uid, series_uid)
            if sop_uid or (series_uid and not study_uid):
                found = parents(session, caller.partition, series_uid, sop_uid)
                above = (study_uid or found[0], series_uid or found[1])
            located = locate_shown(session, caller, above[0] or "", above[1], sop_uid)
            return _KINDS[located.level], located.key

        with self._index.reading() as session:
            kind, _ = subject(session)

        def apply(session: Session, stamp: Stamp) -> Entry:
            kind, target = subject(session)
            return trash.put(
                session,
                caller.partition,
                kind,
                target,
                uid,
                at=stamp.at,
                actor=stamp.actor,
                reason=stamp.reason,
            )

        data = {"kind": kind.name.lower(), "uid": uid}
        return _trashed(
            self._journal.record(caller, "trash", data, apply, reason=reason, target=uid)
        )

    def find(self, caller: Caller, *, limit: int = 1000, after: int = 0) -> list[Trashed]:
        """What lies in the trash and can be restored, oldest first, with an id above `after`."""
        require(caller, Right.READ)
        with self._index.reading() as session:
            found = trash.entries(session, caller, after=after, limit=limit)
        return [_trashed(entry) for entry in found]

    def restore(self, caller: Caller, id: int, reason: str = "") -> Trashed:
        """Show it again exactly as it was. Raises `Conflict` when it was restored or purged."""
        require(caller, Right.CORRECT)
        with self._index.reading() as session:
            entry = trash.require_visible(session, caller, id)

        def apply(session: Session, stamp: Stamp) -> Entry:
            return trash.restore(session, id, at=stamp.at)

        data = {"kind": entry.kind.name.lower(), "uid": entry.uid}
        return _trashed(
            self._journal.record(caller, "restore", data, apply, reason=reason, target=entry.uid)
        )

    def purge(
        self,
        caller: Caller,
        *,
        dry_run: bool = True,
        ignore_grace: bool = False,
        id: int | None = None,
        reason: str = "",
    ) -> list[PurgePlan]:
        """Purge what lies in the trash beyond its grace (30 days by database time).

        Purged UIDs can be stored anew. `ignore_grace` needs the right to administer. Legal hold
        and retention refuse it always. Without a dry run the files of large objects are removed;
        small ones share segments with others and go when those are compacted.
        """
        require(caller, Right.ADMINISTER if ignore_grace else Right.CORRECT)
        if not dry_run:
            self._sweep()
        plans: list[PurgePlan] = []
        for entry in self._due(caller, ignore_grace, id):
            with self._index.reading() as session:
                extent = purge.extent(session, entry)
            purged = not dry_run and not extent.refused
            if purged:
                entry = self._purge(caller, entry, reason)
            plans.append(_plan(entry, extent, purged))
        return plans

    def _due(self, caller: Caller, ignore_grace: bool, id: int | None) -> list[Entry]:
        with self._index.reading() as session:
            due = None if ignore_grace else session.now()
            if id is not None:
                entry = trash.require_visible(session, caller, id)
                return [entry] if due is None or entry.purge_after <= due else []
            return trash.entries(session, caller, limit=None, due=due)

    def _purge(self, caller: Caller, entry: Entry, reason: str) -> Entry:
        def apply(session: Session, stamp: Stamp) -> Entry:
            purge.purge(session, entry, at=stamp.at)
            return trash.entry(session, entry.id)

        data = {"kind": entry.kind.name.lower(), "uid": entry.uid}
        purged = self._journal.record(caller, "purge", data, apply, reason=reason, target=entry.uid)
        self._sweep()
        return purged

    def _sweep(self) -> None:
        """Remove raw files that purges have released, also those an interrupted one left."""
        with self._index.reading() as session:
            released = purge.released_raw(session)
        for segment in released:
            self._remove_raw(segment)
            self._index.transact(partial(purge.forget_raw, name=segment))


def _trashed(entry: Entry) -> Trashed:
    return Trashed(
        entry.id,
        entry.kind,
        entry.uid,
        entry.at,
        entry.actor,
        entry.reason,
        entry.purge_after,
        entry.restored_at,
        entry.purged_at,
    )


def _plan(entry: Entry, extent: Extent, purged: bool) -> PurgePlan:
    return PurgePlan(
        _trashed(entry), extent.instances, extent.objects, extent.size, extent.refused, purged
    )

"""What was stored and acknowledged but waits for a decision (architecture decision 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from vna.dicom.edit import Edit, apply_json
from vna.errors import Conflict, Gone
from vna.index import held, overlays
from vna.index.candidate import Candidate
from vna.index.engine import Change, Index, Session
from vna.index.held import Destination, HeldRow, Into
from vna.index.ingest import store
from vna.index.locate import locate
from vna.index.patient_shown import NAMING_TAGS
from vna.index.refresh import refresh
from vna.model.archive import Disposition, HeldReason, Outcome, Rank
from vna.model.caller import Caller, Right
from vna.model.query import Level
from vna.objects import ObjectStore
from vna.services.candidates import candidate_of
from vna.services.journal import Journal, Stamp
from vna.services.rights import require


@dataclass(frozen=True, slots=True)
class HeldObject:
    """One held object. `resolution`: "" while it waits, then "existing", "new" or "discarded"."""

    id: int
    reason: HeldReason
    study_uid: str
    series_uid: str
    sop_uid: str
    patient: Mapping[str, Any]  # DICOM JSON of the patient level, as received
    sha256: bytes
    size: int
    at: int
    detail: Mapping[str, Any]  # what conflicts with what
    resolved_at: int
    resolution: str
    actor: str


@dataclass(frozen=True, slots=True)
class Released:
    """Where a released object is shown now: equal to the received UIDs unless they conflicted."""

    operation: str
    study_uid: str
    series_uid: str
    sop_uid: str


class HeldObjects:
    """Held objects: find, show, release, discard. Bytes never change; `NotFound`, `Forbidden`,
    and `Conflict` for what is resolved already."""

    def __init__(self, index: Index, objects: ObjectStore, journal: Journal) -> None:
        self._index, self._objects, self._journal = index, objects, journal

    def find(
        self,
        caller: Caller,
        *,
        study_uid: str | None = None,
        reason: HeldReason | None = None,
        resolved: bool = False,
        limit: int = 1000,
        after: int = 0,
    ) -> list[HeldObject]:
        """Waiting objects (or the resolved ones), oldest first, with an id above `after`."""
        require(caller, Right.READ)
        with self._index.reading() as session:
            found = held.find(
                session,
                caller,
                study_uid=study_uid,
                reason=reason,
                resolved=resolved,
                limit=limit,
                after=after,
            )
        return [_held(row) for row in found]

    def show(self, caller: Caller, id: int) -> HeldObject:
        """One held object."""
        require(caller, Right.READ)
        with self._index.reading() as session:
            return _held(held.get(session, caller, id))

    def release(self, caller: Caller, id: int, into: Into, reason: str) -> Released:
        """Make it an instance.

        "existing": it joins the study or series that stands and is shown with that study's patient.
        "new": UIDs that conflict are replaced by ones derived from the old UID and the patient, so
        that all instances of one wrong study land together. A SOP Instance UID in use is replaced
        either way. Raises `Damaged` where its bytes are.
        """
        require(caller, Right.CORRECT)
        with self._index.reading() as session:
            row = _waiting(held.get(session, caller, id))
            where = held.destination(session, caller, row, into)
        candidate = _moved(candidate_of(row, self._objects, caller.partition), where)
        edits = _edits(row, where)

        def apply(session: Session, stamp: Stamp) -> Released:
            now = _waiting(held.get(session, caller, id))
            if held.destination(session, caller, now, into) != where:
                raise Conflict("what it conflicts with has just changed: decide again")
            held.resolve(session, id, into, at=stamp.at, actor=stamp.actor)
            _store(session, candidate, row)
            _correct(session, caller, where, edits, stamp)
            _announce(session, row, "object released", stamp)
            return Released(stamp.operation, where.study_uid, where.series_uid, where.sop_uid)

        data = {
            **_named(row),
            "into": into,
            "shown_as": {
                "study": where.study_uid,
                "series": where.series_uid,
                "instance": where.sop_uid,
            },
            "edits": edits,
        }
        return self._journal.record(
            caller, "held-release", data, apply, reason=reason, target=where.sop_uid
        )

    def discard(self, caller: Caller, id: int, reason: str) -> str:
        """Decide that it will not be shown. The object stays in the store."""
        require(caller, Right.CORRECT)
        with self._index.reading() as session:
            row = _waiting(held.get(session, caller, id))

        def apply(session: Session, stamp: Stamp) -> str:
            _waiting(held.get(session, caller, id))
            held.resolve(session, id, "discarded", at=stamp.at, actor=stamp.actor)
            _announce(session, row, "object discarded", stamp)
            return stamp.operation

        return self._journal.record(
            caller, "held-discard", _named(row), apply, reason=reason, target=row.sop_uid
        )


def _waiting(row: HeldRow) -> HeldRow:
    if row.resolved_at:
        raise Conflict(f"it has been decided already: {row.resolution}")
    return row


def _edits(row: HeldRow, where: Destination) -> dict[str, dict[str, Any] | None]:
    """What makes the object show the UIDs and the patient of where it goes, by path."""
    edits: dict[str, dict[str, Any] | None] = {
        tag: _uid(shown)
        for tag, said, shown in (
            ("0020000D", row.study_uid, where.study_uid),
            ("0020000E", row.series_uid, where.series_uid),
            ("00080018", row.sop_uid, where.sop_uid),
        )
        if said != shown
    }
    if where.patient is not None:
        edits |= {tag: where.patient.get(tag) for tag in NAMING_TAGS}
    return edits


def _uid(uid: str) -> dict[str, Any]:
    return {"vr": "UI", "Value": [uid]}


def _moved(candidate: Candidate, where: Destination) -> Candidate:
    """The candidate as what it is shown as."""
    return replace(
        candidate,
        study_uid=where.study_uid,
        series_uid=where.series_uid,
        sop_uid=where.sop_uid,
        study=apply_json([Edit("0020000D", _uid(where.study_uid))], candidate.study),
        series=apply_json([Edit("0020000E", _uid(where.series_uid))], candidate.series),
        instance=apply_json([Edit("00080018", _uid(where.sop_uid))], candidate.instance),
        patient=candidate.patient if where.patient is None else where.patient,
        patient_id=candidate.patient_id if where.patient is None else where.identifier.value,
        authority=candidate.authority if where.patient is None else where.identifier.authority,
    )


def _store(session: Session, candidate: Candidate, row: HeldRow) -> None:
    result = store(session, [(candidate, row.place)])[0]
    if not isinstance(result, Outcome):
        raise result
    if result.disposition not in (Disposition.NEW, Disposition.VERSION, Disposition.HIDDEN):
        raise Conflict(f"it cannot be released there: {result.disposition.value}")


def _correct(
    session: Session,
    caller: Caller,
    where: Destination,
    edits: Mapping[str, dict[str, Any] | None],
    stamp: Stamp,
) -> None:
    if not edits:
        return
    try:
        found = locate(session, caller, where.study_uid, where.series_uid, where.sop_uid)
    except Gone as error:  # it has just been stored
        raise Conflict("it lies in the trash") from error
    target = (Level.INSTANCE, found.key)
    overlays.lay(session, target, edits, Rank.HAND, **stamp.columns())
    refresh(session, found.study_fk, {target: edits})


def _announce(session: Session, row: HeldRow, kind: str, stamp: Stamp) -> None:
    """Tell of a decision, under the UIDs that the object came with."""
    detail = {"operation": stamp.operation}
    session.changes.append(Change(kind, None, row.study_uid, row.series_uid, row.sop_uid, detail))


def _named(row: HeldRow) -> dict[str, Any]:
    return {
        "sha256": row.sha256.hex(),
        "study": row.study_uid,
        "series": row.series_uid,
        "instance": row.sop_uid,
    }


def _held(row: HeldRow) -> HeldObject:
    return HeldObject(
        row.id,
        row.reason,
        row.study_uid,
        row.series_uid,
        row.sop_uid,
        row.patient,
        row.sha256,
        row.size,
        row.at,
        row.detail,
        row.resolved_at,
        row.resolution,
        row.actor,
    )

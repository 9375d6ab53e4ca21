"""Held objects: what waits for a decision, where it would go, and what was decided."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from sqlalchemy import RowMapping, select, update

from vna.errors import Conflict, NotFound
from vna.index import identity
from vna.index.engine import Session
from vna.index.keys import sop_key
from vna.index.segments import RAW_SEGMENT
from vna.index.tables import (
    attention,
    authority,
    demographics,
    held,
    identifier,
    item,
    object_,
    segment,
    series,
    sop,
    study,
)
from vna.model.archive import HeldReason, IdentifierKind, Place, Visibility
from vna.model.caller import Caller
from vna.model.patient import PatientIdentifier

Into = Literal["existing", "new"]

# Of the UIDs that released objects get: the same question has the same answer for decades.
_NAMESPACE = uuid.UUID("6f3d5a0e-6f0b-4f39-9a3e-0e6a4d0c9b57")


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One held object. `patient`: DICOM JSON of the patient level, as received.

    `authority`, `patient_id`: of the identifier it came with, '' where it brought no PatientID.
    """

    id: int
    reason: HeldReason
    study_uid: str
    series_uid: str
    sop_uid: str
    identifier_fk: int
    authority: str
    patient_id: str
    patient: dict[str, Any]
    object_fk: int
    place: Place
    sha256: bytes
    xxh3: bytes
    size: int
    dataset_xxh3: bytes
    reception_fk: int
    organisation_fk: int
    at: int
    detail: dict[str, Any]
    resolved_at: int
    resolution: str
    actor: str


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a held object goes when it is released.

    `patient`: DICOM JSON of the patient that the standing study names, where it is another than
    the object's; `identifier`: whose study it will be.
    """

    study_uid: str
    series_uid: str
    sop_uid: str
    identifier: PatientIdentifier
    patient: dict[str, Any] | None


def find(
    session: Session,
    caller: Caller,
    *,
    study_uid: str | None = None,
    reason: HeldReason | None = None,
    resolved: bool = False,
    limit: int = 1000,
    after: int = 0,
) -> list[HeldRow]:
    """Waiting objects, or the resolved ones, oldest first, with an id above `after`."""
    conditions = [
        held.c.pk > after,
        held.c.resolved_at > 0 if resolved else held.c.resolved_at == 0,
    ]
    if study_uid is not None:
        conditions.append(held.c.study_uid == study_uid)
    if reason is not None:
        conditions.append(held.c.reason == reason.value)
    return _rows(session, caller, conditions, limit)


def get(session: Session, caller: Caller, id: int) -> HeldRow:
    """One held object, resolved or not; raises `NotFound`."""
    found = _rows(session, caller, [held.c.pk == id], 1)
    if not found:
        raise NotFound("there is no such held object")
    return found[0]


def destination(session: Session, caller: Caller, row: HeldRow, into: Into) -> Destination:
    """Where `row` goes; the same for every object of one wrong study.

    Raises `Conflict` where that lies in the trash, `NotFound` where the caller may not see it.
    """
    partition, study_uid = caller.partition, row.study_uid
    below = _series(session, partition, row.series_uid)
    if into == "existing" and row.reason is HeldReason.SERIES_ELSEWHERE and below is not None:
        study_uid = below.study_uid
    who = identity.names(session, [row.identifier_fk])[row.identifier_fk]
    standing = _study(session, partition, study_uid)
    other = _of_another_patient(session, standing, row, who)
    if into == "new" and (other is not None or row.reason is HeldReason.OTHER_PATIENT):
        study_uid = derived_uid(partition, study_uid, f"patient {who}")
        standing = _study(session, partition, study_uid)
        other = _of_another_patient(session, standing, row, who)
    if standing is not None:
        _require_open(caller, standing, study_uid)
    series_uid, sop_uid = row.series_uid, row.sop_uid
    if below is not None and below.study_uid != study_uid:
        series_uid = derived_uid(partition, series_uid, study_uid)
    if _is_taken(session, partition, sop_uid):
        sop_uid = derived_uid(partition, sop_uid, series_uid)
    said = orjson.loads(standing.attributes) if standing is not None and other else None
    return Destination(study_uid, series_uid, sop_uid, other or who, said)


def derived_uid(partition: int, uid: str, target: str) -> str:
    """A UID of the form 2.25 (PS3.5 §B.2) that follows from what it replaces and where it goes."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, f'{partition} {uid} {target}').int}"


def resolve(session: Session, id: int, resolution: str, *, at: int, actor: str) -> None:
    """Note the decision; raises `Conflict` where there is one already."""
    done = session.execute(
        update(held)
        .where(held.c.pk == id, held.c.resolved_at == 0)
        .values(resolved_at=at, resolution=resolution, actor=actor)
    )
    if done.rowcount != 1:
        raise Conflict("it has been decided already")
    row = session.execute(select(held.c.sop_uid, held.c.study_uid).where(held.c.pk == id)).one()
    session.execute(
        update(attention)
        .where(
            attention.c.kind == "held",
            attention.c.study_uid == row.study_uid,
            attention.c.sop_uid == row.sop_uid,
            attention.c.resolved_at == 0,
        )
        .values(resolved_at=at)
    )


def _of_another_patient(
    session: Session, standing: Any, row: HeldRow, who: PatientIdentifier
) -> PatientIdentifier | None:
    """Whose study it is, where that is another patient than the object names."""
    if standing is None or standing.identifier_fk == row.identifier_fk:
        return None
    other = identity.names(session, [standing.identifier_fk])[standing.identifier_fk]
    # Whoever brings no PatientID contradicts nobody (architecture decision 4).
    named = other.kind is who.kind is IdentifierKind.PATIENT
    return other if named else None


def _require_open(caller: Caller, standing: Any, study_uid: str) -> None:
    if caller.organisations is not None and standing.organisation_fk not in caller.organisations:
        raise NotFound("there is no such study")
    if standing.state != Visibility.SHOWN or standing.item_state != Visibility.SHOWN:
        raise Conflict(f"study {study_uid} lies in the trash: restore it first")


def _is_taken(session: Session, partition: int, sop_uid: str) -> bool:
    key = sop_key(partition, sop_uid)
    found = session.execute(select(sop.c.instance_fk).where(sop.c.key == key)).scalar()
    return found is not None


def _study(session: Session, partition: int, uid: str) -> Any:
    return session.execute(
        select(
            study.c.state,
            item.c.state.label("item_state"),
            item.c.organisation_fk,
            demographics.c.identifier_fk,
            demographics.c.attributes,
        )
        .join(item, item.c.pk == study.c.item_fk)
        .join(demographics, demographics.c.pk == study.c.demographics_fk)
        .where(study.c.partition == partition, study.c.uid == uid)
    ).one_or_none()


def _series(session: Session, partition: int, uid: str) -> Any:
    return session.execute(
        select(series.c.pk, study.c.uid.label("study_uid"))
        .join(study, study.c.pk == series.c.study_fk)
        .where(series.c.partition == partition, series.c.uid == uid)
    ).one_or_none()


def _rows(session: Session, caller: Caller, conditions: list[Any], limit: int) -> list[HeldRow]:
    statement = (
        select(
            held,
            demographics.c.identifier_fk,
            identifier.c.kind.label("identifier_kind"),
            identifier.c.value.label("identifier_value"),
            authority.c.name.label("authority"),
            demographics.c.attributes.label("patient"),
            object_.c.sha256,
            object_.c.xxh3,
            object_.c.size,
            object_.c.offset,
            object_.c.length,
            segment.c.name.label("segment"),
            segment.c.kind.label("segment_kind"),
        )
        .join(demographics, demographics.c.pk == held.c.demographics_fk)
        .join(identifier, identifier.c.pk == demographics.c.identifier_fk)
        .join(authority, authority.c.pk == identifier.c.authority_fk)
        .join(object_, object_.c.pk == held.c.object_fk)
        .join(segment, segment.c.pk == object_.c.segment_fk)
        .where(held.c.partition == caller.partition, *conditions)
        .order_by(held.c.pk)
        .limit(limit)
    )
    if caller.organisations is not None:
        statement = statement.where(held.c.organisation_fk.in_(sorted(caller.organisations)))
    return [_row(row) for row in session.execute(statement).mappings()]


def _row(row: RowMapping) -> HeldRow:
    named = row["identifier_kind"] == IdentifierKind.PATIENT
    return HeldRow(
        row["pk"],
        HeldReason(row["reason"]),
        row["study_uid"],
        row["series_uid"],
        row["sop_uid"],
        row["identifier_fk"],
        row["authority"] if named else "",
        row["identifier_value"] if named else "",
        orjson.loads(row["patient"]),
        row["object_fk"],
        Place(row["segment"], row["offset"], row["length"], row["segment_kind"] == RAW_SEGMENT),
        bytes(row["sha256"]),
        bytes(row["xxh3"]),
        row["size"],
        bytes(row["dataset_xxh3"]),
        row["reception_fk"],
        row["organisation_fk"],
        row["at"],
        orjson.loads(row["detail"]),
        row["resolved_at"],
        row["resolution"],
        row["actor"],
    )

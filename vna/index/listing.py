"""Everything that is stored, in portions: instance versions, held objects, documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import Select, func, literal, select

from vna.index.engine import Session
from vna.index.segments import RAW_SEGMENT
from vna.index.tables import (
    demographics,
    document,
    held,
    instance,
    instance_version,
    item,
    object_,
    segment,
    series,
    study,
)
from vna.model.archive import Place
from vna.model.caller import Caller

PURGED_OBJECT = 2  # object.state


class Kind(Enum):
    """What an object belongs to."""

    INSTANCE = "instance"
    HELD = "held"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Condition:
    """All that is given must hold; times in ms since 1970 UTC, `received_to` exclusive."""

    study_uid: str | None = None
    series_uid: str | None = None
    sop_uid: str | None = None
    patient_id: str | None = None
    received_from: int | None = None
    received_to: int | None = None

    @property
    def of_instances_only(self) -> bool:
        """Whether it names something that a document does not have."""
        return bool(self.study_uid or self.series_uid or self.sop_uid)


@dataclass(frozen=True, slots=True)
class Listed:
    """One stored object. `key`: continue after it; `uids`: study, series, instance, or document."""

    kind: Kind
    key: int
    uids: tuple[str, ...]
    version: int
    current: bool
    sha256: bytes
    xxh3: bytes
    size: int
    place: Place
    media_type: str


def portion(
    session: Session, caller: Caller, kind: Kind, condition: Condition, *, after: int, limit: int
) -> list[Listed]:
    """Up to `limit` objects of a kind after `after`, in the order in which they were stored.

    Includes what lies in the trash, not what was purged.
    """
    statement = _statement(caller, kind, condition)
    key = _KEYS[kind]
    rows = session.execute(statement.where(key > after).order_by(key).limit(limit))
    return [_listed(kind, row) for row in rows]


def total(session: Session, caller: Caller, condition: Condition) -> int:
    """How many objects the condition selects, of every kind."""
    kinds = [Kind.INSTANCE, Kind.HELD, *([] if condition.of_instances_only else [Kind.DOCUMENT])]
    counts = (
        select(func.count()).select_from(_statement(caller, kind, condition).subquery())
        for kind in kinds
    )
    return sum(int(session.execute(count).scalar_one()) for count in counts)


_KEYS: dict[Kind, Any] = {
    Kind.INSTANCE: instance_version.c.pk,
    Kind.HELD: held.c.pk,
    Kind.DOCUMENT: document.c.pk,
}
_BYTES = (
    object_.c.sha256,
    object_.c.xxh3,
    object_.c.size,
    object_.c.offset,
    object_.c.length,
    segment.c.name.label("segment"),
    segment.c.kind.label("segment_kind"),
)


def _statement(caller: Caller, kind: Kind, condition: Condition) -> Select[Any]:
    statement = _OF_KIND[kind](caller, condition)
    return statement.where(object_.c.state != PURGED_OBJECT)


def _instances(caller: Caller, condition: Condition) -> Select[Any]:
    statement = (
        select(
            instance_version.c.pk.label("key"),
            study.c.uid.label("study_uid"),
            series.c.uid.label("series_uid"),
            instance.c.uid.label("sop_uid"),
            instance_version.c.number.label("version"),
            instance_version.c.current,
            literal("application/dicom").label("media_type"),
            *_BYTES,
        )
        .select_from(instance_version)
        .join(instance, instance.c.pk == instance_version.c.instance_fk)
        .join(series, series.c.pk == instance.c.series_fk)
        .join(study, study.c.pk == series.c.study_fk)
        .join(item, item.c.pk == study.c.item_fk)
        .join(object_, object_.c.pk == instance_version.c.object_fk)
        .join(segment, segment.c.pk == object_.c.segment_fk)
        .where(study.c.partition == caller.partition)
    )
    statement = _uids(statement, condition, study.c.uid, series.c.uid, instance.c.uid)
    statement = _received(statement, condition, instance_version.c.received_at)
    if condition.patient_id is not None:
        statement = statement.join(
            demographics, demographics.c.pk == study.c.demographics_fk
        ).where(demographics.c.patient_id == condition.patient_id)
    return _owned(statement, caller, item.c.organisation_fk)


def _held(caller: Caller, condition: Condition) -> Select[Any]:
    """Those that wait; what was released is an instance version by now."""
    statement = (
        select(
            held.c.pk.label("key"),
            held.c.study_uid,
            held.c.series_uid,
            held.c.sop_uid,
            literal(1).label("version"),
            literal(0).label("current"),
            literal("application/dicom").label("media_type"),
            *_BYTES,
        )
        .select_from(held)
        .join(object_, object_.c.pk == held.c.object_fk)
        .join(segment, segment.c.pk == object_.c.segment_fk)
        .where(held.c.partition == caller.partition, held.c.resolved_at == 0)
    )
    statement = _uids(statement, condition, held.c.study_uid, held.c.series_uid, held.c.sop_uid)
    statement = _received(statement, condition, held.c.at)
    if condition.patient_id is not None:
        statement = statement.join(demographics, demographics.c.pk == held.c.demographics_fk).where(
            demographics.c.patient_id == condition.patient_id
        )
    return _owned(statement, caller, held.c.organisation_fk)


def _documents(caller: Caller, condition: Condition) -> Select[Any]:
    statement = (
        select(
            document.c.pk.label("key"),
            document.c.uid.label("document_uid"),
            literal(1).label("version"),
            literal(1).label("current"),
            document.c.media_type,
            *_BYTES,
        )
        .select_from(document)
        .join(item, item.c.pk == document.c.item_fk)
        .join(object_, object_.c.pk == document.c.object_fk)
        .join(segment, segment.c.pk == object_.c.segment_fk)
        .where(document.c.partition == caller.partition)
    )
    statement = _received(statement, condition, document.c.received_at)
    if condition.patient_id is not None:
        statement = statement.join(
            demographics, demographics.c.pk == document.c.demographics_fk
        ).where(demographics.c.patient_id == condition.patient_id)
    return _owned(statement, caller, item.c.organisation_fk)


_OF_KIND = {Kind.INSTANCE: _instances, Kind.HELD: _held, Kind.DOCUMENT: _documents}


def _uids(
    statement: Select[Any], condition: Condition, of_study: Any, of_series: Any, of_instance: Any
) -> Select[Any]:
    if condition.study_uid:
        statement = statement.where(of_study == condition.study_uid)
    if condition.series_uid:
        statement = statement.where(of_series == condition.series_uid)
    if condition.sop_uid:
        statement = statement.where(of_instance == condition.sop_uid)
    return statement


def _received(statement: Select[Any], condition: Condition, at: Any) -> Select[Any]:
    if condition.received_from is not None:
        statement = statement.where(at >= condition.received_from)
    if condition.received_to is not None:
        statement = statement.where(at < condition.received_to)
    return statement


def _owned(statement: Select[Any], caller: Caller, organisation: Any) -> Select[Any]:
    if caller.organisations is None:
        return statement
    return statement.where(organisation.in_(list(caller.organisations)))


def _listed(kind: Kind, row: Any) -> Listed:
    uids: Sequence[str] = (
        (row.document_uid,)
        if kind is Kind.DOCUMENT
        else (row.study_uid, row.series_uid, row.sop_uid)
    )
    raw = row.segment_kind == RAW_SEGMENT
    return Listed(
        kind=kind,
        key=row.key,
        uids=tuple(uids),
        version=row.version,
        current=bool(row.current),
        sha256=row.sha256,
        xxh3=row.xxh3,
        size=row.size,
        place=Place(row.segment, row.offset, row.length, raw),
        media_type=row.media_type,
    )

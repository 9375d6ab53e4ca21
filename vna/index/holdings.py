"""Everything that is kept: versions, held objects and documents, to be verified and exported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, exists, false, func, select

from vna.index import tables as t
from vna.index.engine import Session
from vna.index.segments import RAW_SEGMENT
from vna.model.archive import Place, Visibility
from vna.model.caller import Caller

PURGED = 2  # object.state


class Sort(Enum):
    """What a kept object is."""

    VERSION = "version"
    HELD = "held"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which holdings: every condition given must hold; none given means everything.

    Documents have no study, series or instance. `patient_id`: as received, not as corrected.
    """

    study_uid: str | None = None
    series_uid: str | None = None
    sop_uid: str | None = None
    patient_id: str | None = None
    received_from: int | None = None  # milliseconds since 1970 UTC, inclusive
    received_to: int | None = None  # exclusive


@dataclass(frozen=True, slots=True)
class Kept:
    """One stored object and what it belongs to. `key`: of its row, to go on after it.

    `sop_uid`: of a document, its UID. `version` 0: held, or a document. `shown`: neither it nor
    what it belongs to lies in the trash.
    """

    sort: Sort
    key: int
    study_uid: str
    series_uid: str
    sop_uid: str
    version: int
    current: bool
    shown: bool
    media_type: str
    place: Place
    sha256: bytes
    xxh3: bytes
    size: int


def page(
    session: Session, caller: Caller, wanted: Selection, sort: Sort, *, after: int, limit: int
) -> list[Kept]:
    """The next objects of one sort, in the order of their keys. What was purged is gone."""
    key, statement = _statement(caller, wanted, sort)
    rows = session.execute(statement.where(key > after).order_by(key).limit(limit))
    return [_kept(sort, row) for row in rows]


def count(session: Session, caller: Caller, wanted: Selection) -> int:
    """How many objects `page` gives over all sorts."""
    total = 0
    for sort in Sort:
        statement = _statement(caller, wanted, sort)[1]
        counted = statement.with_only_columns(func.count(), maintain_column_froms=True)
        total += int(session.execute(counted).scalar_one())
    return total


def _statement(
    caller: Caller, wanted: Selection, sort: Sort
) -> tuple[ColumnElement[int], Select[Any]]:
    if sort is Sort.VERSION:
        return t.instance_version.c.pk, _versions(caller, wanted)
    if sort is Sort.HELD:
        return t.held.c.pk, _held(caller, wanted)
    return t.document.c.pk, _documents(caller, wanted)


def _versions(caller: Caller, wanted: Selection) -> Select[Any]:
    version, instance, series, study, item = (
        t.instance_version,
        t.instance,
        t.series,
        t.study,
        t.item,
    )
    joined = (
        version.join(instance, instance.c.pk == version.c.instance_fk)
        .join(series, series.c.pk == instance.c.series_fk)
        .join(study, study.c.pk == series.c.study_fk)
        .join(item, item.c.pk == study.c.item_fk)
    )
    shown = [each.c.state == Visibility.SHOWN.value for each in (instance, series, study, item)]
    columns = (
        version.c.pk,
        study.c.uid.label("study_uid"),
        series.c.uid.label("series_uid"),
        instance.c.uid.label("sop_uid"),
        version.c.number,
        version.c.current,
        _all(shown).label("shown"),
    )
    return _selected(joined, version.c.object_fk, columns).where(
        study.c.partition == caller.partition,
        *_owned(caller, item.c.organisation_fk),
        *_named(wanted, study.c.uid, series.c.uid, instance.c.uid, version.c.patient_id),
        *_received(wanted, version.c.received_at),
    )


def _held(caller: Caller, wanted: Selection) -> Select[Any]:
    """Held objects that did not become a version."""
    held, version = t.held, t.instance_version
    joined = held.join(t.demographics, t.demographics.c.pk == held.c.demographics_fk)
    columns = (held.c.pk, held.c.study_uid, held.c.series_uid, held.c.sop_uid)
    return _selected(joined, held.c.object_fk, columns).where(
        held.c.partition == caller.partition,
        ~exists().where(version.c.object_fk == held.c.object_fk),
        *_owned(caller, held.c.organisation_fk),
        *_named(
            wanted, held.c.study_uid, held.c.series_uid, held.c.sop_uid, t.demographics.c.patient_id
        ),
        *_received(wanted, held.c.at),
    )


def _documents(caller: Caller, wanted: Selection) -> Select[Any]:
    document, item, patient = t.document, t.item, t.demographics
    joined = document.join(item, item.c.pk == document.c.item_fk).outerjoin(
        patient, patient.c.pk == document.c.demographics_fk
    )
    shown = [each.c.state == Visibility.SHOWN.value for each in (document, item)]
    columns = (
        document.c.pk,
        document.c.uid.label("sop_uid"),
        document.c.media_type,
        _all(shown).label("shown"),
    )
    statement = _selected(joined, document.c.object_fk, columns).where(
        document.c.partition == caller.partition,
        *_owned(caller, item.c.organisation_fk),
        *_received(wanted, document.c.received_at),
    )
    if wanted.patient_id is not None:
        statement = statement.where(patient.c.patient_id == wanted.patient_id)
    if wanted.study_uid or wanted.series_uid or wanted.sop_uid:
        statement = statement.where(false())
    return statement


def _selected(
    joined: FromClause, object_fk: ColumnElement[int], columns: Sequence[ColumnElement[Any]]
) -> Select[Any]:
    found = t.object_
    return (
        select(
            *columns,
            found.c.sha256,
            found.c.xxh3,
            found.c.size,
            found.c.offset,
            found.c.length,
            t.segment.c.name.label("segment"),
            t.segment.c.kind.label("segment_kind"),
        )
        .select_from(joined)
        .join(found, found.c.pk == object_fk)
        .join(t.segment, t.segment.c.pk == found.c.segment_fk)
        .where(found.c.state != PURGED)
    )


def _all(conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    first, *others = conditions
    for each in others:
        first = first & each
    return first


def _owned(caller: Caller, organisation: ColumnElement[int]) -> list[ColumnElement[bool]]:
    if caller.organisations is None:
        return []
    return [organisation.in_(list(caller.organisations))]


def _named(
    wanted: Selection,
    study: ColumnElement[str],
    series: ColumnElement[str],
    sop: ColumnElement[str],
    patient: ColumnElement[str],
) -> list[ColumnElement[bool]]:
    asked = (
        (study, wanted.study_uid),
        (series, wanted.series_uid),
        (sop, wanted.sop_uid),
        (patient, wanted.patient_id),
    )
    return [column == value for column, value in asked if value is not None]


def _received(wanted: Selection, at: ColumnElement[int]) -> list[ColumnElement[bool]]:
    found = []
    if wanted.received_from is not None:
        found.append(at >= wanted.received_from)
    if wanted.received_to is not None:
        found.append(at < wanted.received_to)
    return found


def _kept(sort: Sort, row: Any) -> Kept:
    said = row._mapping
    return Kept(
        sort=sort,
        key=row.pk,
        study_uid=said.get("study_uid", ""),
        series_uid=said.get("series_uid", ""),
        sop_uid=row.sop_uid,
        version=said.get("number", 0),
        current=bool(said.get("current", False)),
        shown=bool(said.get("shown", False)),
        media_type=said.get("media_type", "application/dicom"),
        place=Place(row.segment, row.offset, row.length, row.segment_kind == RAW_SEGMENT),
        sha256=row.sha256,
        xxh3=row.xxh3,
        size=row.size,
    )

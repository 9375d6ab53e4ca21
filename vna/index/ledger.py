"""What has happened, read back: the change feed, receptions, and what wants a look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, and_, or_, select

from vna.index.engine import Session
from vna.index.tables import attention, change, feed_head, item, organisation, reception, study
from vna.model.caller import Caller


@dataclass(frozen=True, slots=True)
class ChangeEntry:
    """One change. Numbers have no gaps, and their order is the order of commits."""

    seq: int
    at: int
    kind: str
    study_uid: str
    series_uid: str
    sop_uid: str
    detail: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class ReceptionEntry:
    """One request, association or import run. `outcomes`: disposition or error code → objects.
    `finished_at` is 0 while it runs."""

    id: int
    source: str
    caller: str
    peer: str
    path: str
    organisation: str
    started_at: int
    finished_at: int
    objects: int
    bytes: int
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class AttentionEntry:
    """Something a person should look at. `resolved_at` is 0 until somebody has."""

    id: int
    kind: str
    study_uid: str
    series_uid: str
    sop_uid: str
    detail: Mapping[str, Any]
    at: int
    resolved_at: int


def last_change(session: Session) -> int:
    """The number of the latest change; 0 where there is none."""
    return int(session.execute(select(feed_head.c.last)).scalar() or 0)


def changes(session: Session, caller: Caller, after: int, limit: int) -> list[ChangeEntry]:
    """Changes of what the caller may see with a number above `after`, in order.

    A change of no item (a merge of patients) is shown to callers of every organisation only.
    """
    statement = (
        select(change)
        .outerjoin(item, item.c.pk == change.c.item_fk)
        .where(change.c.seq > after, *_owned(caller, item.c.organisation_fk))
        .where(or_(item.c.pk.is_(None), item.c.partition == caller.partition))
        .order_by(change.c.seq)
        .limit(limit)
    )
    return [
        ChangeEntry(
            row.seq,
            row.at,
            row.kind,
            row.study_uid,
            row.series_uid,
            row.sop_uid,
            None if row.detail is None else orjson.loads(row.detail),
        )
        for row in session.execute(statement)
    ]


def receptions(session: Session, caller: Caller, before: int, limit: int) -> list[ReceptionEntry]:
    """Receptions with an id below `before` (0: all), newest first."""
    return _receptions(session, caller, limit, reception.c.pk < before if before else None)


def reception_of(session: Session, caller: Caller, id: int) -> ReceptionEntry | None:
    """One reception, or None where the caller sees none of that id."""
    found = _receptions(session, caller, 1, reception.c.pk == id)
    return found[0] if found else None


def attentions(
    session: Session, caller: Caller, after: int, limit: int, *, resolved: bool
) -> list[AttentionEntry]:
    """What waits for a look (or has had it) with an id above `after`, oldest first."""
    of_study = and_(study.c.uid == attention.c.study_uid, study.c.partition == caller.partition)
    statement = (
        select(attention)
        .outerjoin(study, of_study)
        .outerjoin(item, item.c.pk == study.c.item_fk)
        .where(attention.c.pk > after, *_owned(caller, item.c.organisation_fk))
        .where(attention.c.resolved_at != 0 if resolved else attention.c.resolved_at == 0)
        .order_by(attention.c.pk)
        .limit(limit)
    )
    return [
        AttentionEntry(
            row.pk,
            row.kind,
            row.study_uid,
            row.series_uid,
            row.sop_uid,
            orjson.loads(row.detail),
            row.at,
            row.resolved_at,
        )
        for row in session.execute(statement)
    ]


def _receptions(
    session: Session, caller: Caller, limit: int, condition: ColumnElement[bool] | None
) -> list[ReceptionEntry]:
    statement = (
        select(reception, organisation.c.code)
        .join(organisation, organisation.c.pk == reception.c.organisation_fk)
        .where(*_owned(caller, reception.c.organisation_fk))
        .order_by(reception.c.pk.desc())
        .limit(limit)
    )
    if condition is not None:
        statement = statement.where(condition)
    return [
        ReceptionEntry(
            row.pk,
            row.source,
            row.caller,
            row.peer,
            row.path,
            row.code,
            row.started_at,
            row.finished_at,
            row.objects,
            row.bytes,
            {} if row.outcomes is None else orjson.loads(row.outcomes),
        )
        for row in session.execute(statement)
    ]


def _owned(caller: Caller, column: ColumnElement[Any]) -> Iterator[ColumnElement[bool]]:
    if caller.organisations is not None:
        yield column.in_(sorted(caller.organisations))

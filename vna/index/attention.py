"""The attention list: stored and answered, but somebody should look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import false, insert, select, update

from vna.errors import NotFound
from vna.index.engine import Session
from vna.index.tables import attention, item, study
from vna.model.caller import Caller


@dataclass(frozen=True, slots=True)
class Matter:
    """One entry of the list. `at`: ms since 1970 UTC; `resolved_at` 0: still open."""

    id: int
    kind: str
    study_uid: str
    series_uid: str
    sop_uid: str
    detail: Mapping[str, Any]
    at: int
    resolved_at: int


def raise_(
    session: Session,
    kind: str,
    *,
    study_uid: str = "",
    series_uid: str = "",
    sop_uid: str = "",
    detail: Mapping[str, Any],
) -> None:
    """Put a matter on the list. No patient data in `detail`: UIDs and codes only."""
    session.execute(
        insert(attention).values(
            kind=kind,
            study_uid=study_uid,
            series_uid=series_uid,
            sop_uid=sop_uid,
            detail=orjson.dumps(dict(detail)),
            at=session.now(),
        )
    )


def raise_once(
    session: Session,
    kind: str,
    *,
    study_uid: str,
    series_uid: str = "",
    sop_uid: str = "",
    detail: Mapping[str, Any],
) -> None:
    """As `raise_`, unless the same kind is open for the same study and series already."""
    present = session.execute(
        select(attention.c.pk)
        .where(
            attention.c.resolved_at == 0,
            attention.c.kind == kind,
            attention.c.study_uid == study_uid,
            attention.c.series_uid == series_uid,
        )
        .limit(1)
    ).scalar()
    if present is None:
        raise_(
            session,
            kind,
            study_uid=study_uid,
            series_uid=series_uid,
            sop_uid=sop_uid,
            detail=detail,
        )


def find(session: Session, caller: Caller, *, limit: int, after: int = 0) -> list[Matter]:
    """Open matters, oldest first, of the studies that the caller may see."""
    statement = (
        select(attention)
        .where(attention.c.resolved_at == 0, attention.c.pk > after)
        .order_by(attention.c.pk)
        .limit(limit)
    )
    if caller.organisations is not None:
        statement = statement.where(_of(caller.organisations))
    return [_matter(row) for row in session.execute(statement)]


def resolve(session: Session, matter: int) -> None:
    """Take a matter off the list. Raises `NotFound` where none is open under that number."""
    done = session.execute(
        update(attention)
        .where(attention.c.pk == matter, attention.c.resolved_at == 0)
        .values(resolved_at=session.now())
    )
    if done.rowcount != 1:
        raise NotFound(f"nothing is open under number {matter}")


def _of(organisations: Sequence[int] | frozenset[int]) -> Any:
    if not organisations:
        return false()
    return attention.c.study_uid.in_(
        select(study.c.uid)
        .join(item, item.c.pk == study.c.item_fk)
        .where(item.c.organisation_fk.in_(list(organisations)))
    )


def _matter(row: Any) -> Matter:
    return Matter(
        id=row.pk,
        kind=row.kind,
        study_uid=row.study_uid,
        series_uid=row.series_uid,
        sop_uid=row.sop_uid,
        detail=orjson.loads(row.detail),
        at=row.at,
        resolved_at=row.resolved_at,
    )

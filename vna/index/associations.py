"""Rows of the association log. `detail`: JSON of what nobody searches by."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import delete, insert, select

from vna.index.engine import Session
from vna.index.tables import association
from vna.model.association import Association, Ending, Logged


def add(session: Session, partition: int, ended: Association) -> None:
    """Write an association that has ended."""
    detail = {
        "address": ended.address,
        "implementation": [ended.implementation_uid, ended.implementation_version],
        "offered": ended.offered,
        "accepted": ended.accepted,
        "counts": {name: dict(each) for name, each in ended.counts.items()},
        "bytes": [ended.bytes_received, ended.bytes_sent],
        "why": ended.why,
    }
    session.execute(
        insert(association).values(
            partition=partition,
            began_at=ended.began_at,
            ended_at=ended.ended_at,
            direction=ended.direction,
            calling=ended.calling,
            called=ended.called,
            ending=ended.ending.value,
            failed=int(ended.failed),
            detail=orjson.dumps(detail),
        )
    )


def find(
    session: Session,
    partition: int,
    *,
    title: str | None,
    since: int,
    failed_only: bool,
    limit: int,
    after: int,
) -> list[Logged]:
    """The latest first; see `AssociationLog.find`."""
    wanted = select(association).where(association.c.partition == partition)
    if title is not None:
        wanted = wanted.where((association.c.calling == title) | (association.c.called == title))
    if since:
        wanted = wanted.where(association.c.ended_at >= since)
    if failed_only:
        wanted = wanted.where(association.c.failed == 1)
    if after:
        wanted = wanted.where(association.c.pk < after)
    rows = session.execute(wanted.order_by(association.c.pk.desc()).limit(limit))
    return [Logged(row.pk, _association(row)) for row in rows]


def forget(session: Session, *, milliseconds: int) -> None:
    """Forget what ended longer ago than that, by the database's clock."""
    before = session.now() - milliseconds
    session.execute(delete(association).where(association.c.ended_at < before))


def _association(row: Any) -> Association:
    detail = orjson.loads(row.detail)
    return Association(
        began_at=row.began_at,
        ended_at=row.ended_at,
        direction=row.direction,
        calling=row.calling,
        called=row.called,
        address=detail["address"],
        implementation_uid=detail["implementation"][0],
        implementation_version=detail["implementation"][1],
        offered=tuple((abstract, tuple(transfers)) for abstract, transfers in detail["offered"]),
        accepted=tuple((abstract, transfer) for abstract, transfer in detail["accepted"]),
        counts=detail["counts"],
        bytes_received=detail["bytes"][0],
        bytes_sent=detail["bytes"][1],
        ending=Ending(row.ending),
        why=detail["why"],
    )

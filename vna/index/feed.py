"""Reading the change feed: ordered by commit, without gaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import false, select

from vna.index.engine import Session
from vna.index.tables import change, feed_head, item
from vna.model.caller import Caller


@dataclass(frozen=True, slots=True)
class Entry:
    """One change. `seq` rises by one from entry to entry; `at`: ms since 1970 UTC."""

    seq: int
    at: int
    kind: str
    study_uid: str
    series_uid: str
    sop_uid: str
    detail: Mapping[str, Any] | None


def read(session: Session, caller: Caller, *, after: int, limit: int) -> list[Entry]:
    """Up to `limit` changes after number `after` that the caller may see, in order.

    A reader that goes on from the last number it saw misses nothing.
    """
    statement = select(change).where(change.c.seq > after).order_by(change.c.seq).limit(limit)
    if caller.organisations is not None:
        mine = select(item.c.pk).where(item.c.organisation_fk.in_(list(caller.organisations)))
        allowed = change.c.item_fk.in_(mine) if caller.organisations else false()
        statement = statement.where(allowed)
    return [_entry(row) for row in session.execute(statement)]


def last(session: Session) -> int:
    """The number of the newest change, 0 where there is none."""
    return int(session.execute(select(feed_head.c.last)).scalar_one())


def _entry(row: Any) -> Entry:
    return Entry(
        seq=row.seq,
        at=row.at,
        kind=row.kind,
        study_uid=row.study_uid,
        series_uid=row.series_uid,
        sop_uid=row.sop_uid,
        detail=orjson.loads(row.detail) if row.detail else None,
    )

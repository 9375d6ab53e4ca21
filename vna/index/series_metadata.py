"""One stored answer to /metadata per series, valid for exactly one stamp."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from vna.index.engine import Session
from vna.index.fixed import Fixed
from vna.index.tables import series_metadata

_FIND = Fixed(
    select(series_metadata).where(
        series_metadata.c.series_fk.in_(bindparam("keys", expanding=True))
    )
)


def find(session: Session, stamps: Mapping[int, str]) -> dict[int, bytes]:
    """The stored body of each series (by key) whose stamp is the wanted one."""
    if not stamps:
        return {}
    rows = session.fetch(_FIND, {"keys": list(stamps)})
    return {row.series_fk: row.body for row in rows if row.stamp == stamps[row.series_fk]}


def put(session: Session, series_fk: int, stamp: str, body: bytes) -> None:
    """Store the body of a series, in place of an older one."""
    insert: Any = postgresql.insert if session.postgresql else sqlite.insert
    statement = insert(series_metadata).values(series_fk=series_fk, stamp=stamp, body=body)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["series_fk"],
            set_={"stamp": statement.excluded.stamp, "body": statement.excluded.body},
        )
    )


def stamps(session: Session, series_fks: list[int]) -> dict[int, str]:
    """The stamp of each series' stored body."""
    rows = session.execute(
        select(series_metadata.c.series_fk, series_metadata.c.stamp).where(
            series_metadata.c.series_fk.in_(series_fks)
        )
    )
    return {row.series_fk: row.stamp for row in rows}

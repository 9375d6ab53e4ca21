"""The stored answer to /metadata of a series: one gzip body, good for one stamp."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from vna.index.engine import Session
from vna.index.tables import series_metadata


def get(session: Session, wanted: Iterable[tuple[int, str]]) -> dict[int, bytes]:
    """Series key → body, of those (series key, stamp) that are stored and not stale."""
    stamps = dict(wanted)
    rows = session.execute(
        select(series_metadata).where(series_metadata.c.series_fk.in_(list(stamps)))
    )
    return {row.series_fk: row.body for row in rows if row.stamp == stamps[row.series_fk]}


def put(session: Session, series_fk: int, stamp: str, body: bytes) -> None:
    """Store the body that was built when the series had that stamp."""
    insert = postgresql.insert if session.postgresql else sqlite.insert
    statement = insert(series_metadata).values(series_fk=series_fk, stamp=stamp, body=body)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["series_fk"], set_={"stamp": stamp, "body": body}
        )
    )

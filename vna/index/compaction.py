"""Segments of which a part was purged, and those that nothing is left of."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, exists, func, select, update

from vna.index.engine import Session
from vna.index.purge import PURGED_OBJECT
from vna.index.segments import GONE_SEGMENT, RECORDS_SEGMENT
from vna.index.tables import object_, segment, segment_copy, store
from vna.model.archive import CopyState


@dataclass(frozen=True, slots=True)
class Wasteful:
    """A segment with bytes of purged objects in it."""

    segment: str
    live: int
    dead: int


def wasteful(session: Session, share: float) -> list[Wasteful]:
    """Segments of which at least `share` (0 to 1) of the objects' bytes was purged, the most
    wasteful first."""
    having = (
        select(object_.c.segment_fk)
        .where(object_.c.state == PURGED_OBJECT)
        .distinct()
        .scalar_subquery()
    )
    dead = func.sum(case((object_.c.state == PURGED_OBJECT, object_.c.length), else_=0))
    rows = session.execute(
        select(segment.c.name, func.sum(object_.c.length).label("all"), dead.label("dead"))
        .join(object_, object_.c.segment_fk == segment.c.pk)
        .where(
            segment.c.pk.in_(having),
            segment.c.kind == RECORDS_SEGMENT,
            segment.c.state != GONE_SEGMENT,
        )
        .group_by(segment.c.pk, segment.c.name)
        .having(dead > 0)
        .order_by(dead.desc(), segment.c.name)
    )
    found = [Wasteful(row.name, int(row.all - row.dead), int(row.dead)) for row in rows]
    return [each for each in found if each.dead >= share * (each.live + each.dead)]


def is_empty(session: Session, name: str) -> bool:
    """Whether nothing that is needed lies in a segment."""
    needed = exists(
        select(1)
        .select_from(object_.join(segment, segment.c.pk == object_.c.segment_fk))
        .where(segment.c.name == name, object_.c.state != PURGED_OBJECT)
    )
    return not session.execute(select(needed)).scalar_one()


def leave_all(session: Session, name: str) -> list[str]:
    """No copy of a segment is read any more; the stores that have one."""
    of_segment = select(segment.c.pk).where(segment.c.name == name).scalar_subquery()
    session.execute(
        update(segment_copy)
        .where(segment_copy.c.segment_fk == of_segment)
        .values(state=CopyState.LEAVING)
    )
    rows = session.execute(
        select(store.c.name)
        .join(segment_copy, segment_copy.c.store_fk == store.c.pk)
        .where(segment_copy.c.segment_fk == of_segment)
    )
    return [str(row.name) for row in rows]


def gone(session: Session, name: str) -> None:
    """Every copy of a segment is removed."""
    session.execute(update(segment).where(segment.c.name == name).values(state=GONE_SEGMENT))

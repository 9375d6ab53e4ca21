"""Stores and the copies of segments in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, case, delete, func, insert, literal, select, update

from vna.index.engine import Session
from vna.index.insertion import unless_present
from vna.index.purge import PURGED_OBJECT
from vna.index.segments import CLOSED_SEGMENT, GONE_SEGMENT, OPEN_SEGMENT, RAW_SEGMENT
from vna.index.tables import (
    document,
    instance,
    instance_version,
    object_,
    segment,
    segment_copy,
    series,
    store,
    study,
)
from vna.model.archive import CopyState, Place

DAMAGED_OBJECT = 1  # object.state


@dataclass(frozen=True, slots=True)
class KnownStore:
    """A store as the index knows it. `identity`: ULID of its marker, '' before its first use."""

    name: str
    tier: str
    domain: str
    identity: str


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of a segment. `verified_at`: ms since 1970 UTC, 0 before it was read back."""

    segment: str
    store: str
    raw: bool
    state: CopyState
    verified_at: int
    domain: str


@dataclass(frozen=True, slots=True)
class Lying:
    """An object in a segment: `offset` and `length` of its payload."""

    key: int
    offset: int
    length: int
    sha256: bytes
    xxh3: bytes


@dataclass(frozen=True, slots=True)
class StoreFigures:
    """What the index knows of one store. `oldest`: the earliest last check of its copies."""

    name: str
    copies: int
    size: int
    damaged: int
    unverified: int
    oldest: int


def known_stores(session: Session) -> dict[str, KnownStore]:
    """Every store by its name."""
    rows = session.execute(select(store).order_by(store.c.pk))
    return {
        row.name: KnownStore(row.name, row._mapping["class"], row.domain, row.identity)
        for row in rows
    }


def mount(session: Session, found: KnownStore) -> None:
    """Add a store, or note what it is now; an identity that is known stays."""
    session.execute(
        unless_present(session, store),
        [{"name": found.name, "class": found.tier, "domain": found.domain, "identity": ""}],
    )
    session.execute(
        update(store)
        .where(store.c.name == found.name)
        .values(
            {
                "class": found.tier,
                "domain": found.domain,
                "identity": case((store.c.identity == "", found.identity), else_=store.c.identity),
            }
        )
    )


def holding(session: Session, name: str) -> dict[str, CopyState]:
    """The stores that hold a segment, and how its copy is there; those that are to go left out."""
    rows = session.execute(
        select(store.c.name, segment_copy.c.state)
        .join(segment_copy, segment_copy.c.store_fk == store.c.pk)
        .join(segment, segment.c.pk == segment_copy.c.segment_fk)
        .where(segment.c.name == name, segment_copy.c.state != CopyState.LEAVING)
    )
    return {row.name: CopyState(row.state) for row in rows}


def _copies() -> Select[Any]:
    return (
        select(
            segment.c.name.label("segment"),
            segment.c.kind,
            store.c.name.label("store"),
            store.c.domain,
            segment_copy.c.state,
            segment_copy.c.verified_at,
        )
        .join(segment, segment.c.pk == segment_copy.c.segment_fk)
        .join(store, store.c.pk == segment_copy.c.store_fk)
    )


def _copy(row: Any) -> Copy:
    return Copy(
        row.segment,
        row.store,
        row.kind == RAW_SEGMENT,
        CopyState(row.state),
        row.verified_at,
        row.domain,
    )


def copies_of(session: Session, name: str, *, lock: bool = False) -> list[Copy]:
    """Every copy of a segment; with `lock` nobody changes them until the transaction ends."""
    statement = _copies().where(segment.c.name == name).order_by(segment_copy.c.pk)
    if lock:
        statement = statement.with_for_update(of=segment_copy)
    return [_copy(row) for row in session.execute(statement)]


def close(session: Session, name: str) -> bool:
    """Let no further record of a segment be indexed: what a copy holds from now on is all of it.

    Waits for transactions that index some (vna/index/segments.py). Whether it was open until now.
    """
    done = session.execute(
        update(segment)
        .where(segment.c.name == name, segment.c.state == OPEN_SEGMENT)
        .values(state=CLOSED_SEGMENT)
    )
    return bool(done.rowcount)


def close_all(session: Session) -> None:
    """Close every segment that grows."""
    growing = segment.c.state == OPEN_SEGMENT
    session.execute(update(segment).where(growing).values(state=CLOSED_SEGMENT))


def lying_in(session: Session, name: str) -> list[Lying]:
    """The objects of a segment that were not purged, in order."""
    rows = session.execute(
        select(object_.c.pk, object_.c.offset, object_.c.length, object_.c.sha256, object_.c.xxh3)
        .join(segment, segment.c.pk == object_.c.segment_fk)
        .where(segment.c.name == name, object_.c.state != PURGED_OBJECT)
        .order_by(object_.c.offset)
    )
    return [Lying(row.pk, row.offset, row.length, row.sha256, row.xxh3) for row in rows]


def wanting(session: Session, copies: int, *, after: str = "", limit: int) -> list[str]:
    """Segments with fewer than `copies` good copies, by name, from behind `after`; those with none
    are for repair, as there is nothing to copy."""
    good = _good_copies()
    rows = session.execute(
        select(segment.c.name)
        .where(segment.c.state != GONE_SEGMENT, segment.c.name > after, good > 0, good < copies)
        .order_by(segment.c.name)
        .limit(limit)
    )
    return [str(row.name) for row in rows]


def count_wanting(session: Session, copies: int, *, before: int) -> tuple[int, int]:
    """How many segments have fewer than `copies` good copies, or none: those begun before `before`
    (ms since 1970 UTC), and those begun since."""
    wanted = select(
        func.count(case((segment.c.created_at < before, 1))).label("early"),
        func.count(case((segment.c.created_at >= before, 1))).label("late"),
    ).where(segment.c.state != GONE_SEGMENT, _good_copies() < copies)
    row = session.execute(wanted).one()
    return int(row.early), int(row.late)


def overdue(session: Session, *, before: int) -> dict[str, int]:
    """By store, how many copies were not read back since `before` (ms since 1970 UTC)."""
    rows = session.execute(
        select(store.c.name, func.count().label("copies"))
        .join(segment_copy, segment_copy.c.store_fk == store.c.pk)
        .where(segment_copy.c.verified_at < before)
        .group_by(store.c.name)
    )
    return {row.name: int(row.copies) for row in rows}


def damaged_objects(session: Session, *, limit: int) -> list[bytes]:
    """SHA-256 of objects of which no copy is good, at most `limit`."""
    rows = session.execute(
        select(object_.c.sha256)
        .where(object_.c.state == DAMAGED_OBJECT)
        .order_by(object_.c.pk)
        .limit(limit)
    )
    return [bytes(row.sha256) for row in rows]


def _good_copies() -> Any:
    return (
        select(func.count())
        .where(
            segment_copy.c.segment_fk == segment.c.pk,
            segment_copy.c.state == CopyState.GOOD,
        )
        .scalar_subquery()
    )


def only_in(session: Session, found: KnownStore) -> None:
    """Everything lies in one store, and in no other: the index was made from it alone."""
    session.execute(delete(segment_copy))
    session.execute(delete(store))
    mount(session, found)
    (here,) = session.execute(select(store.c.pk)).one()
    every = select(segment.c.pk, literal(here)).where(segment.c.state != GONE_SEGMENT)
    session.execute(insert(segment_copy).from_select(["segment_fk", "store_fk"], every))


def add_copy(session: Session, name: str, where: str) -> None:
    """A copy that was read back just now."""
    segment_fk = session.execute(select(segment.c.pk).where(segment.c.name == name)).scalar_one()
    store_fk = session.execute(select(store.c.pk).where(store.c.name == where)).scalar_one()
    row = {"segment_fk": segment_fk, "store_fk": store_fk}
    session.execute(unless_present(session, segment_copy), [row])
    checked(session, name, where, CopyState.GOOD)


def checked(session: Session, name: str, where: str, state: CopyState) -> None:
    """Note what a check of a copy found, now; a copy that is to go stays so."""
    session.execute(
        update(segment_copy)
        .where(_is(name, where), segment_copy.c.state != CopyState.LEAVING)
        .values(state=state, verified_at=session.now())
    )


def leave(session: Session, name: str, where: str) -> None:
    """A copy is to be removed: nobody reads it from now on."""
    session.execute(update(segment_copy).where(_is(name, where)).values(state=CopyState.LEAVING))


def left(session: Session, name: str, where: str) -> None:
    """The bytes of a copy that was to go are removed."""
    session.execute(
        delete(segment_copy).where(_is(name, where), segment_copy.c.state == CopyState.LEAVING)
    )


def leaving(session: Session, *, limit: int) -> list[Copy]:
    """Copies whose removal was begun."""
    found = session.execute(_copies().where(segment_copy.c.state == CopyState.LEAVING).limit(limit))
    return [_copy(row) for row in found]


def least_recently_checked(
    session: Session, stores: Sequence[str], *, before: int, limit: int
) -> list[Copy]:
    """Copies in `stores` that nobody read since `before` (ms), those that wait longest first."""
    rows = session.execute(
        _copies()
        .where(
            store.c.name.in_(list(stores)),
            segment.c.state != GONE_SEGMENT,
            segment_copy.c.state != CopyState.LEAVING,
            segment_copy.c.verified_at < before,
        )
        .order_by(segment_copy.c.verified_at, segment_copy.c.pk)
        .limit(limit)
    )
    return [_copy(row) for row in rows]


def damaged_copies(session: Session, stores: Sequence[str]) -> list[Copy]:
    """Every copy in `stores` that was found damaged and not put right."""
    rows = session.execute(
        _copies()
        .where(store.c.name.in_(list(stores)), segment_copy.c.state == CopyState.DAMAGED)
        .order_by(segment_copy.c.pk)
    )
    return [_copy(row) for row in rows]


def in_store(session: Session, where: str, *, after: str = "", limit: int) -> list[Copy]:
    """The copies of a store by the names of their segments, from behind `after`."""
    rows = session.execute(
        _copies()
        .where(store.c.name == where, segment.c.name > after, segment.c.state != GONE_SEGMENT)
        .order_by(segment.c.name)
        .limit(limit)
    )
    return [_copy(row) for row in rows]


def of_segments(session: Session, *, after: str, limit: int) -> list[Copy]:
    """All copies of the next `limit` segments by name, those of one behind one another."""
    names = (
        select(segment.c.name)
        .where(segment.c.name > after, segment.c.state != GONE_SEGMENT)
        .order_by(segment.c.name)
        .limit(limit)
    )
    rows = session.execute(
        _copies().where(segment.c.name.in_(names)).order_by(segment.c.name, segment_copy.c.pk)
    )
    return [_copy(row) for row in rows]


def held_in(session: Session, where: str, names: Sequence[str]) -> set[str]:
    """Those of the segments of which a store should hold a copy, or is about to lose it."""
    rows = session.execute(
        select(segment.c.name)
        .join(segment_copy, segment_copy.c.segment_fk == segment.c.pk)
        .join(store, store.c.pk == segment_copy.c.store_fk)
        .where(store.c.name == where, segment.c.name.in_(list(names)))
    )
    return {str(row.name) for row in rows}


def without_row(
    session: Session, name: str, records: Sequence[tuple[int, bytes]]
) -> set[tuple[int, bytes]]:
    """Those of the objects (offset of the payload, SHA-256) that neither lie in the segment by
    the index nor are kept elsewhere; what was purged is known."""
    lying = session.execute(
        select(object_.c.offset)
        .join(segment, segment.c.pk == object_.c.segment_fk)
        .where(segment.c.name == name)
    )
    known = {int(row.offset) for row in lying}
    left = [each for each in records if each[0] not in known]
    elsewhere: set[bytes] = set()
    for first in range(0, len(left), 1000):
        some = left[first : first + 1000]
        heads = {int.from_bytes(sha256[:8], "big", signed=True) for _, sha256 in some}
        rows = session.execute(
            select(object_.c.sha256).where(object_.c.sha256_head.in_(list(heads)))
        )
        elsewhere |= {bytes(row.sha256) for row in rows}
    return {each for each in left if each[1] not in elsewhere}


def move_object(session: Session, key: int, *, old: Place, segment_fk: int, offset: int) -> bool:
    """Let an object lie elsewhere, if it still lies at `old` and was not purged; whether it did."""
    lies = select(segment.c.pk).where(segment.c.name == old.segment).scalar_subquery()
    done = session.execute(
        update(object_)
        .where(
            object_.c.pk == key,
            object_.c.offset == old.offset,
            object_.c.segment_fk == lies,
            object_.c.state != PURGED_OBJECT,
        )
        .values(segment_fk=segment_fk, offset=offset, state=0)
    )
    return bool(done.rowcount)


@dataclass(frozen=True, slots=True)
class Named:
    """What an object is the bytes of; of a document its UID as `sop_uid`."""

    study_uid: str
    series_uid: str
    sop_uid: str


def named(session: Session, key: int) -> list[Named]:
    """What lies in an object: instances and documents."""
    instances = session.execute(
        select(study.c.uid.label("study"), series.c.uid.label("series"), instance.c.uid)
        .join(series, series.c.study_fk == study.c.pk)
        .join(instance, instance.c.series_fk == series.c.pk)
        .join(instance_version, instance_version.c.instance_fk == instance.c.pk)
        .where(instance_version.c.object_fk == key)
    )
    documents = session.execute(select(document.c.uid).where(document.c.object_fk == key))
    return [
        *(Named(row.study, row.series, row.uid) for row in instances),
        *(Named("", "", row.uid) for row in documents),
    ]


def may_grow(session: Session, name: str, *, milliseconds: int) -> bool:
    """Whether a segment is open and became known less than so long ago."""
    row = session.execute(
        select(segment.c.state, segment.c.created_at).where(segment.c.name == name)
    ).one()
    return bool(row.state == OPEN_SEGMENT and session.now() - row.created_at < milliseconds)


def damaged(session: Session, keys: Sequence[int]) -> None:
    """Note that no copy of these objects is good."""
    for first in range(0, len(keys), 5000):
        session.execute(
            update(object_)
            .where(object_.c.pk.in_(keys[first : first + 5000]), object_.c.state == 0)
            .values(state=DAMAGED_OBJECT)
        )


def figures(session: Session) -> dict[str, StoreFigures]:
    """What the index knows of each store; sizes are those of live objects, in bytes."""
    sizes = (
        select(object_.c.segment_fk, func.sum(object_.c.length).label("bytes"))
        .where(object_.c.state != PURGED_OBJECT)
        .group_by(object_.c.segment_fk)
        .subquery()
    )
    rows = session.execute(
        select(
            store.c.name,
            func.count(segment_copy.c.pk).label("copies"),
            func.coalesce(func.sum(sizes.c.bytes), 0).label("bytes"),
            func.coalesce(
                func.sum(case((segment_copy.c.state == CopyState.DAMAGED, 1), else_=0)), 0
            ).label("damaged"),
            func.coalesce(func.sum(case((segment_copy.c.verified_at == 0, 1), else_=0)), 0).label(
                "unverified"
            ),
            func.coalesce(func.min(segment_copy.c.verified_at), 0).label("oldest"),
        )
        .select_from(store)
        .outerjoin(segment_copy, segment_copy.c.store_fk == store.c.pk)
        .outerjoin(sizes, sizes.c.segment_fk == segment_copy.c.segment_fk)
        .group_by(store.c.name)
    )
    return {
        row.name: StoreFigures(
            row.name,
            int(row.copies),
            int(row.bytes),
            int(row.damaged),
            int(row.unverified),
            int(row.oldest),
        )
        for row in rows
    }


def _is(name: str, where: str) -> Any:
    return and_(
        segment_copy.c.segment_fk
        == select(segment.c.pk).where(segment.c.name == name).scalar_subquery(),
        segment_copy.c.store_fk
        == select(store.c.pk).where(store.c.name == where).scalar_subquery(),
    )

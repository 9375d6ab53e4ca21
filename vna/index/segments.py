"""Segments and their copies as rows; the objects that lie in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select

from vna.errors import SegmentClosed
from vna.index import jobs
from vna.index.engine import Session
from vna.index.fixed import Fixed
from vna.index.insertion import keys_of, unless_present
from vna.index.tables import object_, segment, segment_copy, store
from vna.model.archive import Place

RECORDS_SEGMENT, RAW_SEGMENT = 1, 2  # segment.kind; vna.objects.SegmentKind
REPLICATE = "replicate"  # the job that makes the copies which a segment lacks; its subject
OPEN_SEGMENT = 0  # segment.state
CLOSED_SEGMENT = 1  # no further record of it is indexed
GONE_SEGMENT = 2  # its bytes have been removed

# Shared with others that index records of it; not with one that closes it.
_NAMED = Fixed(
    select(segment.c.name, segment.c.pk, segment.c.state)
    .where(segment.c.name.in_(bindparam("names", expanding=True)))
    .with_for_update(read=True)
)
_STORES = Fixed(select(store.c.name, store.c.pk).order_by(store.c.pk))


def segment_keys(session: Session, places: Iterable[Place]) -> dict[str, int]:
    """The key of each segment by its name; new ones are added with the copies they have.

    Raises `SegmentClosed` where copies of one are being made: what was just written to it may be
    missing in them.
    """
    first = {place.segment: place for place in reversed(list(places))}
    wanted = {"names": list(first)}
    rows = session.fetch(_NAMED, wanted)
    if any(row.state != OPEN_SEGMENT for row in rows):
        raise SegmentClosed("the segment was closed while the batch was on its way")
    found = {row.name: int(row.pk) for row in rows}
    absent = [place for name, place in first.items() if name not in found]
    if absent:
        _add(session, absent)
        found = {row.name: int(row.pk) for row in session.fetch(_NAMED, wanted)}
        stores = {row.name: int(row.pk) for row in session.fetch(_STORES, {})}
        copies = [
            {"segment_fk": found[place.segment], "store_fk": stores[name]}
            for place in absent
            for name in place.stores or list(stores)[:1]
        ]
        session.execute(unless_present(session, segment_copy), copies)
        fewer = [p.segment for p in absent if len(p.stores or "1") < len(stores)]
        if fewer:
            jobs.put(session, REPLICATE, fewer, after=0)
    return found


def _add(session: Session, places: Sequence[Place]) -> None:
    now = session.now()
    rows = [
        {
            "name": place.segment,
            "kind": RAW_SEGMENT if place.raw else RECORDS_SEGMENT,
            "created_at": now,
        }
        for place in places
    ]
    session.execute(unless_present(session, segment), rows)


def object_row(
    segments: Mapping[str, int], place: Place, sha256: bytes, xxh3: bytes, size: int
) -> dict[str, Any]:
    """The columns of `object` for bytes that lie at `place`."""
    return {
        "sha256": sha256,
        "sha256_head": int.from_bytes(sha256[:8], "big", signed=True),
        "xxh3": xxh3,
        "size": size,
        "segment_fk": segments[place.segment],
        "offset": place.offset,
        "length": place.length,
    }


def add_objects(session: Session, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert objects; their keys in order."""
    return keys_of(session, object_, rows)

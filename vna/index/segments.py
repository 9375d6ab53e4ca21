"""Segments and their copies as rows; the objects that lie in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select

from vna.index.engine import Session
from vna.index.fixed import Fixed
from vna.index.insertion import keys_of, unless_present
from vna.index.tables import object_, segment, segment_copy, store
from vna.model.archive import Place

RECORDS_SEGMENT, RAW_SEGMENT = 1, 2  # segment.kind; vna.objects.SegmentKind

_NAMED = Fixed(
    select(segment.c.name, segment.c.pk).where(
        segment.c.name.in_(bindparam("names", expanding=True))
    )
)


def segment_keys(session: Session, places: Iterable[Place]) -> dict[str, int]:
    """The key of each segment by its name; new ones are added with their first copy."""
    raw = {place.segment: place.raw for place in places}
    wanted = {"names": list(raw)}
    found = {row.name: int(row.pk) for row in session.fetch(_NAMED, wanted)}
    absent = [name for name in raw if name not in found]
    if absent:
        now = session.now()
        rows = [
            {
                "name": name,
                "kind": RAW_SEGMENT if raw[name] else RECORDS_SEGMENT,
                "created_at": now,
            }
            for name in absent
        ]
        session.execute(unless_present(session, segment), rows)
        found = {row.name: int(row.pk) for row in session.fetch(_NAMED, wanted)}
        main = session.execute(select(store.c.pk).order_by(store.c.pk).limit(1)).scalar_one()
        copies = [{"segment_fk": found[name], "store_fk": main} for name in absent]
        session.execute(unless_present(session, segment_copy), copies)
    return found


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

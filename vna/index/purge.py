"""Purging what lies in the trash: rows go, objects are released, a tombstone stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, exists, func, or_, select, update

from vna.errors import Conflict
from vna.index.engine import Session
from vna.index.segments import GONE_SEGMENT, RAW_SEGMENT
from vna.index.tables import (
    document,
    held,
    instance,
    instance_version,
    item,
    object_,
    overlay,
    overlay_head,
    segment,
    series,
    series_metadata,
    series_request,
    sop,
    study,
    tag_value,
    trash,
)
from vna.index.trash import Entry, Subject, change, subject
from vna.model.archive import TrashKind, Visibility
from vna.model.query import Level

PURGED_OBJECT = 2  # object.state
Keys = Select[Any]


@dataclass(frozen=True, slots=True)
class Extent:
    """What a purge takes. `refused`: "legal-hold", "retention" or ""; sizes in bytes."""

    instances: int
    objects: int
    size: int
    refused: str


def extent(session: Session, entry: Entry) -> Extent:
    """What purging `entry` would take, and what stands against it."""
    hidden = subject(session, entry.kind, entry.target)
    objects = _objects(entry)
    counted: Any = session.execute(
        select(func.count(), func.coalesce(func.sum(object_.c.size), 0)).where(
            object_.c.pk.in_(objects)
        )
    ).one()
    instances = 0
    if entry.kind is not TrashKind.DOCUMENT:
        instances = session.execute(
            select(func.count()).where(instance.c.pk.in_(_instances(entry)))
        ).scalar_one()
    return Extent(instances, int(counted[0]), int(counted[1]), _refusal(session, hidden))


def purge(session: Session, entry: Entry, *, at: int) -> None:
    """Remove the rows of `entry` and all below it, and release their objects.

    Once it is committed the files of `released_raw` may go. Raises `Conflict` where a legal hold
    or a retention class stands, or the entry lies no longer in the trash.
    """
    hidden = subject(session, entry.kind, entry.target)
    session.execute(select(item.c.pk).where(item.c.pk == hidden.item_fk).with_for_update())
    if refusal := _refusal(session, hidden):
        raise Conflict(f"it may not be purged: {refusal}")
    done = session.execute(
        update(trash)
        .where(trash.c.pk == entry.id, trash.c.restored_at == 0, trash.c.purged_at == 0)
        .values(purged_at=at)
    )
    if done.rowcount != 1:
        raise Conflict("it lies no longer in the trash")
    objects = [int(row.pk) for row in session.execute(_objects(entry))]
    if entry.kind is TrashKind.DOCUMENT:
        session.execute(delete(document).where(document.c.pk == entry.target))
    else:
        _remove_rows(session, entry, at)
    if entry.kind in (TrashKind.STUDY, TrashKind.DOCUMENT):
        session.execute(
            update(item).where(item.c.pk == hidden.item_fk).values(state=Visibility.PURGED)
        )
    session.changes.append(change(hidden, entry.kind, "purged"))
    _release(session, objects)


def released_raw(session: Session) -> list[str]:
    """Segments of raw files whose object was purged and whose file has not been removed yet."""
    found = session.execute(
        select(segment.c.name)
        .join(object_, object_.c.segment_fk == segment.c.pk)
        .where(
            segment.c.kind == RAW_SEGMENT,
            segment.c.state != GONE_SEGMENT,
            object_.c.state == PURGED_OBJECT,
        )
    )
    return [str(row.name) for row in found]


def forget_raw(session: Session, name: str) -> None:
    """Note that the file of a raw segment has been removed."""
    session.execute(update(segment).where(segment.c.name == name).values(state=GONE_SEGMENT))


def _refusal(session: Session, hidden: Subject) -> str:
    found = session.execute(
        select(item.c.legal_hold, item.c.retention_class).where(item.c.pk == hidden.item_fk)
    ).one()
    if found.legal_hold:
        return "legal-hold"
    # Nothing in the archive says yet when a class of retention ends, so none is taken as over.
    return "retention" if found.retention_class else ""


def _series(entry: Entry) -> Keys:
    if entry.kind is TrashKind.STUDY:
        return select(series.c.pk).where(series.c.study_fk == entry.target)
    return select(series.c.pk).where(series.c.pk == entry.target)


def _instances(entry: Entry) -> Keys:
    if entry.kind is TrashKind.INSTANCE:
        return select(instance.c.pk).where(instance.c.pk == entry.target)
    return select(instance.c.pk).where(instance.c.series_fk.in_(_series(entry)))


def _objects(entry: Entry) -> Keys:
    if entry.kind is TrashKind.DOCUMENT:
        return select(document.c.object_fk.label("pk")).where(document.c.pk == entry.target)
    return (
        select(instance_version.c.object_fk.label("pk"))
        .where(instance_version.c.instance_fk.in_(_instances(entry)))
        .distinct()
    )


def _remove_rows(session: Session, entry: Entry, at: int) -> None:
    """Delete the rows of a study, series or instance, those that point to others first."""
    leaves = [int(row.pk) for row in session.execute(_instances(entry))]
    nodes = (
        []
        if entry.kind is TrashKind.INSTANCE
        else [int(row.pk) for row in session.execute(_series(entry))]
    )
    roots = [entry.target] if entry.kind is TrashKind.STUDY else []
    for level, kind, keys in (
        (Level.INSTANCE, TrashKind.INSTANCE, leaves),
        (Level.SERIES, TrashKind.SERIES, nodes),
        (Level.STUDY, TrashKind.STUDY, roots),
    ):
        for some in _portions(keys):
            for table in (overlay, overlay_head):
                session.execute(
                    delete(table).where(table.c.scope == level, table.c.target_fk.in_(some))
                )
            session.execute(
                update(trash)
                .where(
                    trash.c.kind == kind,
                    trash.c.target_fk.in_(some),
                    trash.c.restored_at == 0,
                    trash.c.purged_at == 0,
                )
                .values(purged_at=at)
            )
    for some in _portions(leaves):
        session.execute(delete(instance_version).where(instance_version.c.instance_fk.in_(some)))
        session.execute(delete(sop).where(sop.c.instance_fk.in_(some)))
        session.execute(delete(instance).where(instance.c.pk.in_(some)))
    for some in _portions(nodes):
        session.execute(delete(series_metadata).where(series_metadata.c.series_fk.in_(some)))
        session.execute(delete(series_request).where(series_request.c.series_fk.in_(some)))
        session.execute(delete(series).where(series.c.pk.in_(some)))
    if roots:
        session.execute(delete(tag_value).where(tag_value.c.study_fk.in_(roots)))
        session.execute(delete(study).where(study.c.pk.in_(roots)))


def _release(session: Session, objects: Sequence[int]) -> None:
    """Mark the objects that nothing needs any more."""
    needed = or_(
        exists(select(1).where(instance_version.c.object_fk == object_.c.pk)),
        exists(select(1).where(document.c.object_fk == object_.c.pk)),
        exists(select(1).where(held.c.object_fk == object_.c.pk, held.c.resolved_at == 0)),
    )
    for some in _portions(objects):
        session.execute(
            update(object_).where(object_.c.pk.in_(some), ~needed).values(state=PURGED_OBJECT)
        )


def _portions(keys: Sequence[int], size: int = 5000) -> list[Sequence[int]]:
    """Keys in lists that one statement takes (SQLite: 32,766 parameters)."""
    return [keys[first : first + size] for first in range(0, len(keys), size)]

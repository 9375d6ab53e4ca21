"""What lies in the trash, and what is left when it is purged: a tombstone.

A row in the trash hides one study, series, instance or document; what lies below keeps its own
state, so that restoring shows exactly what was shown before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, insert, or_, select, update

from vna.errors import Conflict, NotFound
from vna.index.engine import Change, Session
from vna.index.recount import recount
from vna.index.tables import document, instance, item, series, study, trash
from vna.model.archive import TrashKind, Visibility
from vna.model.caller import Caller

GRACE = 30 * 24 * 3600 * 1000  # ms between putting something into the trash and purging it


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the trash. Times in ms; 0 = not."""

    id: int
    kind: TrashKind
    target: int
    uid: str
    at: int
    actor: str
    reason: str
    purge_after: int
    restored_at: int
    purged_at: int


@dataclass(frozen=True, slots=True)
class Subject:
    """What a row of the trash hides: keys and UIDs from the item down, None where not so deep."""

    item_fk: int
    study_fk: int | None
    series_fk: int | None
    study_uid: str
    series_uid: str
    sop_uid: str


def put(
    session: Session,
    partition: int,
    kind: TrashKind,
    target: int,
    uid: str,
    *,
    at: int,
    actor: str,
    reason: str,
) -> Entry:
    """Hide it; raises `Conflict` where somebody was faster."""
    _set_state(session, kind, target, Visibility.SHOWN, Visibility.TRASHED)
    values = {
        "kind": kind,
        "uid": uid,
        "at": at,
        "actor": actor,
        "reason": reason,
        "purge_after": at + GRACE,
    }
    inserted = session.execute(
        insert(trash).values(partition=partition, target_fk=target, **values)
    ).inserted_primary_key
    assert inserted is not None
    found = subject(session, kind, target)
    _recount(session, found)
    session.changes.append(change(found, kind, "trashed"))
    return entry(session, int(inserted[0]))


def restore(session: Session, id: int, *, at: int) -> Entry:
    """Show it again; raises `Conflict` where it was restored or purged."""
    found = entry(session, id)
    done = session.execute(
        update(trash)
        .where(trash.c.pk == id, trash.c.restored_at == 0, trash.c.purged_at == 0)
        .values(restored_at=at)
    )
    if done.rowcount != 1:
        raise Conflict("it lies no longer in the trash")
    _set_state(session, found.kind, found.target, Visibility.TRASHED, Visibility.SHOWN)
    hidden = subject(session, found.kind, found.target)
    _recount(session, hidden)
    session.changes.append(change(hidden, found.kind, "restored"))
    return entry(session, id)


def entry(session: Session, id: int) -> Entry:
    """One row; raises `NotFound`."""
    found = session.execute(select(trash).where(trash.c.pk == id)).one_or_none()
    if found is None:
        raise NotFound("there is no such entry in the trash")
    return _entry(found)


def entries(
    session: Session,
    caller: Caller,
    *,
    after: int = 0,
    limit: int | None = None,
    due: int | None = None,
) -> list[Entry]:
    """What lies in the trash and the caller may see, oldest first, with an id above `after`.

    `due`: only what may be purged at that time.
    """
    statement = select(trash).where(
        trash.c.pk > after,
        trash.c.partition == caller.partition,
        trash.c.restored_at == 0,
        trash.c.purged_at == 0,
    )
    if due is not None:
        statement = statement.where(trash.c.purge_after <= due)
    if caller.organisations is not None:
        statement = statement.where(_owned_by(caller.organisations))
    return [_entry(row) for row in session.execute(statement.order_by(trash.c.pk).limit(limit))]


def require_visible(session: Session, caller: Caller, id: int) -> Entry:
    """The entry, if the caller may see what it hides; raises `NotFound`."""
    found = [each for each in entries(session, caller, after=id - 1, limit=1) if each.id == id]
    if found:
        return found[0]
    standing = entry(session, id)
    if caller.organisations is None and (standing.restored_at or standing.purged_at):
        raise Conflict("it lies no longer in the trash")
    raise NotFound("there is no such entry in the trash")


def subject(session: Session, kind: TrashKind, target: int) -> Subject:
    """What a target key of that kind is. Raises `Conflict` where it was purged meanwhile."""
    if kind is TrashKind.DOCUMENT:
        found = _one(
            session, select(document.c.item_fk, document.c.uid).where(document.c.pk == target)
        )
        return Subject(found.item_fk, None, None, found.uid, "", "")
    columns = [study.c.item_fk, study.c.pk.label("study_fk"), study.c.uid.label("study_uid")]
    if kind is TrashKind.STUDY:
        found = _one(session, select(*columns).where(study.c.pk == target))
        return Subject(found.item_fk, found.study_fk, None, found.study_uid, "", "")
    columns += [series.c.pk.label("series_fk"), series.c.uid.label("series_uid")]
    joined = study.join(series, series.c.study_fk == study.c.pk)
    if kind is TrashKind.SERIES:
        found = _one(session, select(*columns).select_from(joined).where(series.c.pk == target))
        sop_uid = ""
    else:
        found = _one(
            session,
            select(*columns, instance.c.uid.label("sop_uid"))
            .select_from(joined.join(instance, instance.c.series_fk == series.c.pk))
            .where(instance.c.pk == target),
        )
        sop_uid = found.sop_uid
    return Subject(
        found.item_fk, found.study_fk, found.series_fk, found.study_uid, found.series_uid, sop_uid
    )


def change(subject: Subject, kind: TrashKind, what: str) -> Change:
    """The entry of the change feed. A document's UID stands where a study's would."""
    return Change(
        f"{kind.name.lower()} {what}",
        subject.item_fk,
        subject.study_uid,
        subject.series_uid,
        subject.sop_uid,
    )


def _set_state(
    session: Session, kind: TrashKind, target: int, before: Visibility, after: Visibility
) -> None:
    tables = {
        TrashKind.STUDY: study,
        TrashKind.SERIES: series,
        TrashKind.INSTANCE: instance,
        TrashKind.DOCUMENT: document,
    }
    table = tables[kind]
    changed = session.execute(
        update(table).where(table.c.pk == target, table.c.state == before).values(state=after)
    )
    if changed.rowcount != 1:
        raise Conflict("somebody else has just deleted or restored it")
    if kind in (TrashKind.STUDY, TrashKind.DOCUMENT):
        owner = select(table.c.item_fk).where(table.c.pk == target).scalar_subquery()
        session.execute(update(item).where(item.c.pk == owner).values(state=after))


def _recount(session: Session, subject: Subject) -> None:
    if subject.study_fk is not None:
        series_fks = [subject.series_fk] if subject.series_fk is not None else []
        recount(session, subject.study_fk, series_fks)


def _owned_by(organisations: Iterable[int]) -> ColumnElement[bool]:
    """That what a row of the trash hides belongs to one of `organisations`."""
    items = select(item.c.pk).where(item.c.organisation_fk.in_(sorted(organisations)))
    studies = select(study.c.pk).where(study.c.item_fk.in_(items))
    within = select(series.c.pk).where(series.c.study_fk.in_(studies))
    targets = {
        TrashKind.STUDY: studies,
        TrashKind.SERIES: within,
        TrashKind.INSTANCE: select(instance.c.pk).where(instance.c.series_fk.in_(within)),
        TrashKind.DOCUMENT: select(document.c.pk).where(document.c.item_fk.in_(items)),
    }
    return or_(
        *(and_(trash.c.kind == kind, trash.c.target_fk.in_(keys)) for kind, keys in targets.items())
    )


def _entry(row: object) -> Entry:
    values = row._mapping  # type: ignore[attr-defined]
    return Entry(
        values["pk"],
        TrashKind(values["kind"]),
        values["target_fk"],
        values["uid"],
        values["at"],
        values["actor"],
        values["reason"],
        values["purge_after"],
        values["restored_at"],
        values["purged_at"],
    )


def _one(session: Session, statement: Select[Any]) -> Any:
    found = session.execute(statement).one_or_none()
    if found is None:
        raise Conflict("it lies no longer in the trash")
    return found

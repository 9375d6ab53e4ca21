"""Merges and corrections of patients: rows in force until they are ended, and the links they mean.

Links follow from the operations in force and from nothing else: an identifier means the patient at
the end of its merges. So ending operations in any order gives exactly the links that the others
mean. Studies, series and instances are not touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import orjson
from sqlalchemy import RowMapping, func, insert, or_, select, update

from vna.errors import Conflict, NotFound
from vna.index import identity
from vna.index.demographics import keep
from vna.index.engine import Session
from vna.index.tables import demographics, identifier, patient_link, patient_operation
from vna.model.patient import PatientIdentifier


class OperationKind(IntEnum):
    """What a patient operation does."""

    MERGE = 1
    CORRECTION = 2


@dataclass(frozen=True, slots=True)
class Operation:
    """A merge or a correction. `edits`: DICOM JSON attributes of a correction, None removes."""

    operation: str
    kind: OperationKind
    source: PatientIdentifier
    target: PatientIdentifier | None
    edits: Mapping[str, Any]
    at: int
    actor: str
    reason: str
    ended_at: int


@dataclass
class Group:
    """Identifiers joined by merges in force, directly or not, and what is in force among them."""

    members: set[int]
    merges: dict[int, RowMapping] = field(default_factory=dict)  # by the identifier merged away
    corrections: dict[int, list[RowMapping]] = field(default_factory=dict)  # oldest first

    def root(self, member: int) -> int:
        """The identifier whose patient `member` means."""
        while merge := self.merges.get(member):
            member = merge["target_fk"]
        return member

    def last_merge(self, member: int) -> RowMapping | None:
        """The merge that leads from `member` to its root."""
        last = None
        while merge := self.merges.get(member):
            last, member = merge, merge["target_fk"]
        return last


def load(session: Session, keys: Iterable[int], *, lock: bool = False) -> Group:
    """The group of `keys`. `lock`: nobody else changes it before this transaction ends."""
    group = _reachable(session, set(keys))
    while lock:
        session.execute(
            select(identifier.c.pk)
            .where(identifier.c.pk.in_(group.members))
            .order_by(identifier.c.pk)
            .with_for_update(key_share=True)
        )
        again = _reachable(session, group.members)
        if again.members == group.members:
            return again
        group = again
    return group


def merge(
    session: Session,
    source: int,
    target: int,
    shown: Mapping[str, Any],
    *,
    operation: str,
    at: int,
    actor: str,
    reason: str,
) -> Group:
    """Let `source` mean the patient of `target` and show `shown`, DICOM JSON of the target."""
    group = load(session, (source, target), lock=True)
    _require_separate(group, source, target)
    session.execute(
        insert(patient_operation).values(
            operation=operation,
            kind=OperationKind.MERGE,
            identifier_fk=source,
            target_fk=target,
            shown_fk=keep(session, target, shown),
            at=at,
            actor=actor,
            reason=reason,
        )
    )
    return relink(session, group.members, operation=operation, at=at, actor=actor, reason=reason)


def correct(
    session: Session,
    key: int,
    base: Mapping[str, Any],
    edits: Mapping[str, Any],
    *,
    operation: str,
    at: int,
    actor: str,
    reason: str,
) -> Group:
    """Show `base` with `edits` for every study of the patient that `key` means."""
    group = load(session, (key,), lock=True)
    if key in group.merges:
        raise Conflict("it is merged into another patient: correct that one")
    session.execute(
        insert(patient_operation).values(
            operation=operation,
            kind=OperationKind.CORRECTION,
            identifier_fk=key,
            shown_fk=keep(session, key, base),
            edits=orjson.dumps(dict(edits), option=orjson.OPT_SORT_KEYS),
            at=at,
            actor=actor,
            reason=reason,
        )
    )
    return relink(session, group.members, operation=operation, at=at, actor=actor, reason=reason)


def end(session: Session, ended: str, *, operation: str, at: int, actor: str, reason: str) -> Group:
    """End a merge or correction; raises `NotFound`, or `Conflict` where it has ended already."""
    key = session.execute(
        select(patient_operation.c.identifier_fk).where(patient_operation.c.operation == ended)
    ).scalar()
    if key is None:
        raise NotFound(f"there is no patient operation {ended}")
    group = load(session, (key,), lock=True)
    changed = session.execute(
        update(patient_operation)
        .where(patient_operation.c.operation == ended, patient_operation.c.ended_at == 0)
        .values(ended_at=at, ended_by=operation)
    )
    if changed.rowcount != 1:
        raise Conflict(f"patient operation {ended} has been taken back already")
    return relink(session, group.members, operation=operation, at=at, actor=actor, reason=reason)


def require_separate(session: Session, source: int, target: int) -> None:
    """Raise `Conflict` unless `source` can be merged into the patient of `target`."""
    _require_separate(load(session, (source, target)), source, target)


def standing(session: Session, partition: int, operation: str, kind: OperationKind) -> int:
    """The identifier that an operation in force merged away or corrected.

    Raises `NotFound`, or `Conflict` where it has been taken back.
    """
    found = session.execute(
        select(patient_operation.c.identifier_fk, patient_operation.c.ended_at)
        .join(identifier, identifier.c.pk == patient_operation.c.identifier_fk)
        .where(
            patient_operation.c.operation == operation,
            patient_operation.c.kind == kind,
            identifier.c.partition == partition,
        )
    ).one_or_none()
    if found is None:
        raise NotFound(f"there is no patient {kind.name.lower()} {operation}")
    if found.ended_at:
        raise Conflict(f"patient {kind.name.lower()} {operation} has been taken back already")
    return int(found.identifier_fk)


def merge_in_force(session: Session, key: int) -> str:
    """The operation that merged `key` away; raises `Conflict` where none is in force."""
    found = load(session, (key,)).merges.get(key)
    if found is None:
        raise Conflict("this identifier is not merged into another")
    return str(found["operation"])


def relink(
    session: Session,
    members: Iterable[int],
    *,
    operation: str,
    at: int,
    actor: str,
    reason: str,
) -> Group:
    """Bring the links of `members`, which the caller has locked, in line with the operations."""
    group = _reachable(session, set(members))
    homes = _homes(session, group.members)
    corrected = {
        root: _corrected(session, root, rows) for root, rows in group.corrections.items() if rows
    }
    standing = {
        row.identifier_fk: (row.patient_fk, row.shown_fk)
        for row in session.execute(
            select(patient_link).where(
                patient_link.c.identifier_fk.in_(group.members), patient_link.c.until == 0
            )
        )
    }
    wanted = {}
    for member in group.members:
        root, last = group.root(member), group.last_merge(member)
        shown = corrected.get(root, last["shown_fk"] if last else None)
        wanted[member] = (homes[root], shown)
    changed = [member for member in sorted(wanted) if standing.get(member) != wanted[member]]
    if changed:
        session.execute(
            update(patient_link)
            .where(patient_link.c.identifier_fk.in_(changed), patient_link.c.until == 0)
            .values(until=at)
        )
        session.execute(
            insert(patient_link),
            [
                {
                    "identifier_fk": member,
                    "patient_fk": wanted[member][0],
                    "shown_fk": wanted[member][1],
                    "since": at,
                    "operation": operation,
                    "actor": actor,
                    "reason": reason,
                }
                for member in changed
            ],
        )
    return group


def operations(session: Session, keys: Iterable[int]) -> list[Operation]:
    """Every merge and correction that names one of `keys`, oldest first, ended ones too."""
    wanted = list(keys)
    rows = (
        session.execute(
            select(patient_operation)
            .where(
                or_(
                    patient_operation.c.identifier_fk.in_(wanted),
                    patient_operation.c.target_fk.in_(wanted),
                )
            )
            .order_by(patient_operation.c.at, patient_operation.c.pk)
        )
        .mappings()
        .all()
    )
    called = identity.names(
        session, {row[side] for row in rows for side in ("identifier_fk", "target_fk")}
    )
    return [
        Operation(
            row["operation"],
            OperationKind(row["kind"]),
            called[row["identifier_fk"]],
            called.get(row["target_fk"]),
            orjson.loads(row["edits"]) if row["edits"] else {},
            row["at"],
            row["actor"],
            row["reason"],
            row["ended_at"],
        )
        for row in rows
    ]


def _require_separate(group: Group, source: int, target: int) -> None:
    if source in group.merges:
        raise Conflict(f"it is merged already, by operation {group.merges[source]['operation']}")
    if group.root(source) == group.root(target):
        raise Conflict("both identifiers mean one patient already")


def _reachable(session: Session, seeds: set[int]) -> Group:
    group = Group(set(seeds))
    new = set(seeds)
    while new:
        rows = (
            session.execute(
                select(patient_operation)
                .where(
                    patient_operation.c.ended_at == 0,
                    or_(
                        patient_operation.c.identifier_fk.in_(new),
                        patient_operation.c.target_fk.in_(new),
                    ),
                )
                .order_by(patient_operation.c.at, patient_operation.c.pk)
            )
            .mappings()
            .all()
        )
        for row in rows:
            _take(group, row)
        touched = {row[side] for row in rows for side in ("identifier_fk", "target_fk")} - {None}
        new = touched - group.members
        group.members |= new
    return group


def _take(group: Group, row: RowMapping) -> None:
    if row["kind"] == OperationKind.MERGE:
        group.merges[row["identifier_fk"]] = row
        return
    rows = group.corrections.setdefault(row["identifier_fk"], [])
    if all(row["pk"] != known["pk"] for known in rows):
        rows.append(row)


def _homes(session: Session, members: set[int]) -> dict[int, int]:
    """The patient that each identifier got when it was first received."""
    first = (
        select(func.min(patient_link.c.pk))
        .where(patient_link.c.identifier_fk.in_(members))
        .group_by(patient_link.c.identifier_fk)
        .scalar_subquery()
    )
    found = session.execute(
        select(patient_link.c.identifier_fk, patient_link.c.patient_fk).where(
            patient_link.c.pk.in_(first)
        )
    )
    return {int(row.identifier_fk): int(row.patient_fk) for row in found}


def _corrected(session: Session, key: int, rows: list[RowMapping]) -> int:
    """The demographics that the corrections in force make of what the first one started from."""
    base = session.execute(
        select(demographics.c.attributes).where(demographics.c.pk == rows[0]["shown_fk"])
    ).scalar_one()
    attributes: dict[str, Any] = orjson.loads(base)
    for row in rows:
        for tag, value in orjson.loads(row["edits"]).items():
            if value is None:
                attributes.pop(tag, None)
            else:
                attributes[tag] = value
    return keep(session, key, attributes)

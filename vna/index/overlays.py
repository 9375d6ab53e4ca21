"""Corrections of attributes at study, series and instance scope, and what they make of the rows.

What an overlay row says is never changed; it is withdrawn. Of the overlays that reach an instance
(its own, its series', its study's) the highest rank wins at each path, then the latest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    false,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from vna.dicom.edit import Edit
from vna.index import patient_shown
from vna.index.engine import Session
from vna.index.fixed import Fixed
from vna.index.patient_shown import PatientShown
from vna.index.tables import instance, overlay, overlay_head, series, study
from vna.model.archive import Rank
from vna.model.query import Level

_OF_STUDY = Fixed(
    select(overlay_head.c.version, *patient_shown.COLUMNS)
    .select_from(
        patient_shown.STUDY_AND_PATIENT.outerjoin(
            overlay_head,
            and_(
                overlay_head.c.scope == literal_column(str(int(Level.STUDY))),
                overlay_head.c.target_fk == study.c.pk,
            ),
        )
    )
    .where(study.c.pk == bindparam("study_fk"))
)
Target = tuple[Level, int]  # scope and key of the study, series or instance


@dataclass(frozen=True, slots=True)
class OverlayRow:
    """One overlay. `value`: a DICOM JSON attribute, None removes it. Times in ms.

    `number` rises in the order in which they were laid.
    """

    number: int
    operation: str
    scope: Level
    target: int
    path: str
    rank: Rank
    value: Mapping[str, Any] | None
    at: int
    actor: str
    reason: str
    withdrawn_at: int

    @property
    def precedence(self) -> tuple[int, int, int]:
        """Sorts what wins behind what loses."""
        return (self.rank, self.at, self.number)


def lay(
    session: Session,
    target: Target,
    values: Mapping[str, Mapping[str, Any] | None],
    rank: Rank,
    *,
    operation: str,
    at: int,
    actor: str,
    reason: str,
) -> None:
    """Add an overlay for each path of `values`. `refresh` brings the rows in line."""
    session.execute(
        insert(overlay),
        [
            {
                "scope": target[0],
                "target_fk": target[1],
                "path": path,
                "rank": rank,
                "value": None if value is None else orjson.dumps(value),
                "operation": operation,
                "at": at,
                "actor": actor,
                "reason": reason,
            }
            for path, value in values.items()
        ],
    )


def withdraw(session: Session, operation: str, at: int) -> list[OverlayRow]:
    """Take back the overlays of an operation; returns those that stood until now."""
    standing = _rows(session, overlay.c.operation == operation, overlay.c.withdrawn_at == 0)
    session.execute(
        update(overlay)
        .where(overlay.c.operation == operation, overlay.c.withdrawn_at == 0)
        .values(withdrawn_at=at)
    )
    return standing


def of_operation(session: Session, operation: str) -> list[OverlayRow]:
    """Every overlay that an operation laid."""
    return _rows(session, overlay.c.operation == operation)


def of_study(session: Session, study_fk: int) -> list[OverlayRow]:
    """Every overlay of a study and all below it, withdrawn ones too, oldest first."""
    rows = _rows(session, _within(study_fk))
    return sorted(rows, key=lambda row: (row.at, row.number))


def standing(session: Session, targets: Iterable[Target]) -> dict[Target, list[OverlayRow]]:
    """Overlays that are not withdrawn, by target."""
    return _by_target(_rows(session, _at(targets), overlay.c.withdrawn_at == 0))


def laid(session: Session, targets: Iterable[Target]) -> dict[Target, list[OverlayRow]]:
    """Every overlay by target, withdrawn ones too."""
    return _by_target(_rows(session, _at(targets)))


def in_force(rows: Iterable[OverlayRow]) -> list[OverlayRow]:
    """The winner at each path, in the order in which they apply."""
    winners = {row.path: row for row in sorted(rows, key=lambda row: row.precedence)}
    return sorted(winners.values(), key=lambda row: row.precedence)


@dataclass(frozen=True)
class StudyEdits:
    """What stands over a study and below it, and the patient that is shown for it."""

    study_fk: int
    standing: Mapping[Target, Sequence[OverlayRow]]
    heads: Mapping[int, int]  # by series
    patient: PatientShown

    def of(self, series_fk: int | None = None, instance_fk: int | None = None) -> list[Edit]:
        """What to apply to objects of the study, of one series, or of one instance, in order."""
        rows = in_force(self._reaching(series_fk, instance_fk))
        edits = [Edit(row.path, None if row.value is None else row.value) for row in rows]
        return [*edits, *self.patient.edits]

    def at(self, series_fk: int | None = None, instance_fk: int | None = None) -> int:
        """When the latest of them was made, ms since 1970 UTC; 0 where there are none."""
        times = [row.at for row in self._reaching(series_fk, instance_fk)]
        return max([*times, self.patient.since])

    def stamp(self, series_fk: int) -> str:
        """Differs whenever anything in the series may be shown otherwise than before."""
        return f"{self.heads.get(series_fk, 0)}-{self.patient.link}"

    def _reaching(self, series_fk: int | None, instance_fk: int | None) -> list[OverlayRow]:
        if not self.standing:
            return []
        keys = (self.study_fk, series_fk, instance_fk)
        chain = zip((Level.STUDY, Level.SERIES, Level.INSTANCE), keys, strict=True)
        return [row for level, key in chain if key for row in self.standing.get((level, key), ())]


def edits_of_study(session: Session, study_fk: int) -> StudyEdits:
    """The edits of everything in a study, in at most three statements, mostly in one."""
    touched, patient = _of_study(session, study_fk)
    if not touched:
        return StudyEdits(study_fk, {}, {}, patient)
    below = select(series.c.pk).where(series.c.study_fk == study_fk)
    heads = session.execute(
        select(overlay_head.c.target_fk, overlay_head.c.version).where(
            overlay_head.c.scope == Level.SERIES, overlay_head.c.target_fk.in_(below)
        )
    )
    rows = _rows(session, overlay.c.withdrawn_at == 0, _within(study_fk))
    return StudyEdits(
        study_fk, _by_target(rows), {row.target_fk: row.version for row in heads}, patient
    )


def edits_for(
    session: Session, study_fk: int, series_fk: int | None = None, instance_fk: int | None = None
) -> list[Edit]:
    """What to apply to an object of the study, of one series of it, or of one instance."""
    touched, patient = _of_study(session, study_fk)
    if not touched:
        return list(patient.edits)
    keys = ((Level.STUDY, study_fk), (Level.SERIES, series_fk), (Level.INSTANCE, instance_fk))
    found = standing(session, [(level, key) for level, key in keys if key is not None])
    return StudyEdits(study_fk, found, {}, patient).of(series_fk, instance_fk)


def bump(session: Session, targets: Iterable[Target]) -> None:
    """Raise the overlay version of studies and series, so that what was made of them is stale.

    The caller has locked the study's row.
    """
    for scope, key in sorted(set(targets)):
        at = and_(overlay_head.c.scope == scope, overlay_head.c.target_fk == key)
        raised = update(overlay_head).where(at).values(version=overlay_head.c.version + 1)
        if session.execute(raised).rowcount == 0:
            session.execute(insert(overlay_head).values(scope=scope, target_fk=key, version=1))


def _of_study(session: Session, study_fk: int) -> tuple[bool, PatientShown]:
    """Whether an overlay ever touched the study or anything below it; the patient shown for it."""
    rows = session.fetch(_OF_STUDY, {"study_fk": study_fk})
    if not rows:  # purged meanwhile
        return False, PatientShown()
    return bool(rows[0].version), patient_shown.of(rows[0])


def _within(study_fk: int) -> ColumnElement[bool]:
    below = select(series.c.pk).where(series.c.study_fk == study_fk)
    leaves = select(instance.c.pk).where(instance.c.series_fk.in_(below))
    scope, target = overlay.c.scope, overlay.c.target_fk
    return or_(
        and_(scope == Level.STUDY, target == study_fk),
        and_(scope == Level.SERIES, target.in_(below)),
        and_(scope == Level.INSTANCE, target.in_(leaves)),
    )


def _at(targets: Iterable[Target]) -> ColumnElement[bool]:
    by_scope: dict[Level, list[int]] = {}
    for scope, key in targets:
        by_scope.setdefault(scope, []).append(key)
    return or_(
        false(),
        *(
            and_(overlay.c.scope == scope, overlay.c.target_fk.in_(keys))
            for scope, keys in by_scope.items()
        ),
    )


def _by_target(rows: Iterable[OverlayRow]) -> dict[Target, list[OverlayRow]]:
    found: dict[Target, list[OverlayRow]] = {}
    for row in rows:
        found.setdefault((row.scope, row.target), []).append(row)
    return found


def _rows(session: Session, *conditions: ColumnElement[bool]) -> list[OverlayRow]:
    found = session.execute(select(overlay).where(*conditions).order_by(overlay.c.pk))
    return [
        OverlayRow(
            row.pk,
            row.operation,
            Level(row.scope),
            row.target_fk,
            row.path,
            Rank(row.rank),
            None if row.value is None else orjson.loads(row.value),
            row.at,
            row.actor,
            row.reason,
            row.withdrawn_at,
        )
        for row in found
    ]

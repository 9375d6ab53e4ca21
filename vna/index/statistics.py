"""How much there is: totals, and studies grouped by organisation, modality or year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from vna.index import tables as t
from vna.index.engine import Session
from vna.model.archive import Visibility

PURGED_OBJECT = 2  # object.state
DEAD_JOB = 2  # job.state

_GROUPS: Mapping[str, ColumnElement[str]] = {
    "organisation": t.organisation.c.code,
    "modality": t.study.c.modalities,
    "year": func.substr(t.study.c.study_date, 1, 4),
}
GROUPS = tuple(_GROUPS)

_SHOWN = t.study.c.state == Visibility.SHOWN.value


def totals(session: Session) -> dict[str, int]:
    """Counts of what is shown, of what waits, and of stored objects with their bytes."""
    studies = session.execute(
        select(
            func.count().label("studies"),
            func.coalesce(func.sum(t.study.c.series_count), 0).label("series"),
            func.coalesce(func.sum(t.study.c.instance_count), 0).label("instances"),
        ).where(_SHOWN)
    ).one()
    objects = session.execute(
        select(
            func.count().label("objects"),
            func.coalesce(func.sum(t.object_.c.size), 0).label("bytes"),
        ).where(t.object_.c.state != PURGED_OBJECT)
    ).one()
    link, trash = t.patient_link.c, t.trash.c
    counts = {
        "patients": select(func.count(link.patient_fk.distinct())).where(link.until == 0),
        "documents": _count(t.document, t.document.c.state == Visibility.SHOWN.value),
        "held": _count(t.held, t.held.c.resolved_at == 0),
        "trashed": _count(t.trash, (trash.restored_at == 0) & (trash.purged_at == 0)),
        "attention": _count(t.attention, t.attention.c.resolved_at == 0),
        "segments": select(func.count()).select_from(t.segment),
        "dead_jobs": _count(t.job, t.job.c.state == DEAD_JOB),
    }
    found = {name: int(session.execute(query).scalar_one()) for name, query in counts.items()}
    return {
        "patients": found.pop("patients"),
        **{name: int(value) for name, value in studies._mapping.items()},
        "documents": found.pop("documents"),
        **{name: int(value) for name, value in objects._mapping.items()},
        **found,
    }


def studies_by(session: Session, groups: Sequence[str]) -> list[dict[str, Any]]:
    """Shown studies and their instances for each combination of `groups` (of `GROUPS`)."""
    columns = [_GROUPS[name].label(name) for name in groups]
    query = (
        select(
            *columns,
            func.count().label("studies"),
            func.sum(t.study.c.instance_count).label("instances"),
        )
        .select_from(
            t.study.join(t.item, t.study.c.item_fk == t.item.c.pk).join(
                t.organisation, t.item.c.organisation_fk == t.organisation.c.pk
            )
        )
        .where(_SHOWN)
        .group_by(*(_GROUPS[name] for name in groups))
        .order_by(*(_GROUPS[name] for name in groups))
    )
    rows = session.execute(query).mappings().all()
    return [{**row, "instances": int(row["instances"])} for row in rows]


def _count(table: Any, condition: ColumnElement[bool]) -> Select[Any]:
    return select(func.count()).select_from(table).where(condition)

"""How much there is: totals, and studies grouped by organisation, modality or year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from vna.index import tables as t
from vna.index.engine import Session
from vna.model.archive import Visibility
from vna.model.outgoing import Sending

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
    return {
        "patients": _one(
            session, select(func.count(link.patient_fk.distinct())).where(link.until == 0)
        ),
        **{name: int(value) for name, value in studies._mapping.items()},
        "documents": _one(
            session, _count(t.document, t.document.c.state == Visibility.SHOWN.value)
        ),
        **{name: int(value) for name, value in objects._mapping.items()},
        "segments": _one(session, select(func.count()).select_from(t.segment)),
        "trashed": _one(
            session, _count(t.trash, (trash.restored_at == 0) & (trash.purged_at == 0))
        ),
        **waiting(session),
    }


def waiting(session: Session) -> dict[str, int]:
    """Counts of what a person should look at; quick however much is stored."""
    return {
        "held": _one(session, _count(t.held, t.held.c.resolved_at == 0)),
        "attention": _one(session, _count(t.attention, t.attention.c.resolved_at == 0)),
        "dead_jobs": _one(session, _count(t.job, t.job.c.state == DEAD_JOB)),
        "unsent": _one(session, _count(t.outgoing, t.outgoing.c.state == int(Sending.DEAD))),
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


def _one(session: Session, query: Select[Any]) -> int:
    return int(session.execute(query).scalar_one())


def _count(table: Any, condition: ColumnElement[bool]) -> Select[Any]:
    return select(func.count()).select_from(table).where(condition)

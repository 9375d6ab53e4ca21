"""Counts and modalities of parents, made anew from what is visible below them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select, update

from vna.index.engine import Session
from vna.index.tables import instance, series, study
from vna.model.archive import Visibility

_SHOWN = int(Visibility.SHOWN)


def recount(session: Session, study_fk: int, series_fks: Iterable[int] = ()) -> None:
    """Count the visible instances of `series_fks`, then what the study shows; raises versions.

    A series in which nothing is visible does not count, and lends the study no modality.
    """
    lock(session, study_fk)
    for key in series_fks:
        visible = (
            select(func.count())
            .select_from(instance)
            .where(instance.c.series_fk == key, instance.c.state == _SHOWN)
            .scalar_subquery()
        )
        session.execute(
            update(series)
            .where(series.c.pk == key)
            .values(instance_count=visible, version=series.c.version + 1)
        )
    total(session, study_fk)
    session.execute(update(study).where(study.c.pk == study_fk).values(version=study.c.version + 1))


def total(session: Session, study_fk: int) -> None:
    """What the study says of its series: their number, their instances, their modalities."""
    shown = session.execute(
        select(series.c.modality, series.c.instance_count).where(
            series.c.study_fk == study_fk, series.c.state == _SHOWN, series.c.instance_count > 0
        )
    ).all()
    session.execute(
        update(study)
        .where(study.c.pk == study_fk)
        .values(
            modalities="\\".join(sorted({row.modality for row in shown if row.modality})),
            series_count=len(shown),
            instance_count=sum(row.instance_count for row in shown),
        )
    )


def lock(session: Session, study_fk: int) -> None:
    """Let nobody else change what a study shows before this transaction ends."""
    session.execute(
        select(study.c.pk).where(study.c.pk == study_fk).with_for_update(key_share=True)
    )

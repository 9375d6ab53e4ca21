"""Keys without a column, narrowed by attributes that were made searchable (`vna index-tag`).

Rows of `tag_value` may be behind: of every study that changed after the last change they know, all
candidates stay. So a key finds what it found before, only sooner.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Select, select, union_all

from vna.index.compile import Compiled, source_of
from vna.index.engine import Session
from vna.index.tables import change, instance, series, study, tag_index, tag_value
from vna.index.tag_index import FILLED, path_text
from vna.index.tag_values import narrowed as by_value
from vna.model.query import Level, Query

_KEYS: dict[Level, ColumnElement[int]] = {
    Level.STUDY: study.c.pk,
    Level.SERIES: series.c.pk,
    Level.INSTANCE: instance.c.pk,
}


def narrowed(session: Session, query: Query, compiled: Compiled) -> Compiled:
    """`compiled` with fewer candidates, where its residual keys name attributes that are filled."""
    keys = {path_text(key.path): key for key in compiled.residual}
    rows = session.execute(
        select(tag_index).where(tag_index.c.path.in_(keys), tag_index.c.position == FILLED)
    ).all()
    where, start = list(compiled.where), Level.STUDY
    for row in rows:
        key = keys[row.path]
        condition = by_value(tag_value.c.value, key.vr, key.match)
        if condition is None:
            continue
        level = Level(row.level)
        found = select(tag_value.c.entity_fk).where(tag_value.c.tag_fk == row.pk, condition)
        where.append(_KEYS[level].in_(union_all(found, _changed(level, row.feed))))
        start = max(start, level)
    if len(where) == len(compiled.where):
        return compiled
    return replace(compiled, where=tuple(where), source=source_of(query, start))


def _changed(level: Level, feed: int) -> Select[Any]:
    """What is of a study that changed after number `feed`."""
    studies = study.alias("changed_study")
    later = select(change.c.study_uid).where(change.c.seq > feed)
    if level is Level.STUDY:
        return select(studies.c.pk).where(studies.c.uid.in_(later))
    below = series.alias("changed_series")
    if level is Level.SERIES:
        joined = below.join(studies, studies.c.pk == below.c.study_fk)
        return select(below.c.pk).select_from(joined).where(studies.c.uid.in_(later))
    leaves = instance.alias("changed_instance")
    joined = leaves.join(below, below.c.pk == leaves.c.series_fk).join(
        studies, studies.c.pk == below.c.study_fk
    )
    return select(leaves.c.pk).select_from(joined).where(studies.c.uid.in_(later))

"""Keys without a column, narrowed by attributes that were made searchable (`vna index-tag`).

Rows of `tag_value` may be behind: of every study that changed after the last change they know, all
candidates stay. So a key finds what it found before, only sooner.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, select, union_all

from vna.index.compile import Compiled, source_of
from vna.index.engine import Session
from vna.index.tables import change, instance, series, study, tag_index, tag_value
from vna.index.tag_index import FILLED, path_text
from vna.index.tag_values import narrowed as by_value
from vna.model.caller import Caller
from vna.model.query import Level, Query

_KEYS: dict[Level, ColumnElement[int]] = {
    Level.STUDY: study.c.pk,
    Level.SERIES: series.c.pk,
    Level.INSTANCE: instance.c.pk,
}


def narrowed(session: Session, query: Query, caller: Caller, compiled: Compiled) -> Compiled:
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
        changed = _changed(level, row.feed, caller.partition)
        where.append(_KEYS[level].in_(union_all(found, *changed)))
        start = max(start, level)
    if len(where) == len(compiled.where):
        return compiled
    return replace(compiled, where=tuple(where), source=source_of(query, start))


def _changed(level: Level, feed: int, partition: int) -> list[Select[Any]]:
    """What is of a study that changed after number `feed`: by its item, or by its UID where the
    change names no item. Each is a look-up by an index."""
    later = change.c.seq > feed
    items = select(change.c.item_fk).where(later, change.c.item_fk.is_not(None))
    uids = select(change.c.study_uid).where(later, change.c.item_fk.is_(None))
    of = study.alias("changed_study")
    by_uid = and_(of.c.partition == partition, of.c.uid.in_(uids))
    source: FromClause = of
    key: ColumnElement[int] = of.c.pk
    if level >= Level.SERIES:
        below = series.alias("changed_series")
        source, key = source.join(below, below.c.study_fk == of.c.pk), below.c.pk
    if level >= Level.INSTANCE:
        leaves = instance.alias("changed_instance")
        source, key = source.join(leaves, leaves.c.series_fk == key), leaves.c.pk
    return [
        select(key).select_from(source).where(condition)
        for condition in (of.c.item_fk.in_(items), by_uid)
    ]

"""One statement for one page: the rows that match, in order, with what their answers are made of.

The inner select finds and orders by narrow columns; only the rows of the page are then joined to
the bytes that hold their attributes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, literal, select

from vna.index.compile import OPEN, Compiled
from vna.index.engine import Session
from vna.index.order import beyond, order_by, order_of_search, sort_columns
from vna.index.tables import (
    demographics,
    instance,
    instance_version,
    patient_link,
    series,
    study,
)
from vna.model.query import Cursor, Level


@dataclass(frozen=True)
class Needs:
    """What an answer is made of.

    `levels`: whose attribute bytes. `computed`: tags of `COMPUTED`. `sop_classes`: those of each
    study. `header`: of each instance, for attributes that no row holds.
    """

    levels: frozenset[Level]
    computed: frozenset[str]
    sop_classes: bool = False
    header: bool = False

    def __or__(self, other: Needs) -> Needs:
        return Needs(
            self.levels | other.levels,
            self.computed | other.computed,
            self.sop_classes or other.sop_classes,
            self.header or other.header,
        )


_OF_LEVEL = {Level.STUDY: study, Level.SERIES: series, Level.INSTANCE: instance}

# Columns that answer for an attribute of their own, by tag.
COMPUTED: dict[str, ColumnElement[Any]] = {
    "00080061": study.c.modalities,
    "00201206": study.c.series_count,
    "00201208": study.c.instance_count,
    "00201209": series.c.instance_count,
    "00083002": instance_version.c.transfer_syntax,
}


def page(
    session: Session,
    level: Level,
    compiled: Compiled,
    needs: Needs,
    *,
    after: Cursor | None,
    limit: int | None,
    offset: int,
) -> list[RowMapping]:
    """At most `limit` rows after `after` and beyond `offset` more, in the order of the level."""
    made = statement(level, compiled, needs, after=after, limit=limit, offset=offset)
    return list(session.execute(made).mappings())


def cursor_of(level: Level, row: RowMapping) -> Cursor:
    """Where the row stands in the order of its level."""
    return Cursor(tuple(row[f"k{place}"] for place in range(len(sort_columns(level)))))


def count(
    session: Session, level: Level, compiled: Compiled, *, after: Cursor | None, at_most: int
) -> int:
    """How many candidates there are after `after`; counting stops at `at_most`."""
    matching = select(literal(1).label("one")).select_from(compiled.source).where(*compiled.where)
    if after is not None:
        matching = matching.where(beyond(level, after))
    counted = select(func.count()).select_from(matching.limit(at_most).subquery("counted"))
    return int(session.execute(counted).scalar_one())


def statement(
    level: Level,
    compiled: Compiled,
    needs: Needs,
    *,
    after: Cursor | None,
    limit: int | None,
    offset: int,
) -> Select[Any]:
    """The statement of `page`."""
    keys = sort_columns(level)
    found = (
        select(
            *(key.label(f"k{place}") for place, key in enumerate(keys)),
            *(column.label(name) for name, column in _primary_keys(level).items()),
        )
        .select_from(compiled.source)
        .where(*compiled.where)
        .order_by(*order_of_search(level))
        .limit(limit)
        .offset(offset or None)
    )
    if after is not None:
        found = found.where(beyond(level, after))
    narrow = found.subquery("page")
    ordered = order_by(level, [narrow.c[f"k{place}"] for place in range(len(keys))])
    return _with_attributes(select(narrow), narrow.c, needs).order_by(*ordered)


def _primary_keys(level: Level) -> dict[str, ColumnElement[int]]:
    return {
        f"{each.name.lower()}_pk": table.c.pk for each, table in _OF_LEVEL.items() if each <= level
    }


def _with_attributes(statement: Select[Any], page: Any, needs: Needs) -> Select[Any]:
    computed = {tag: COMPUTED[tag] for tag in sorted(needs.computed & COMPUTED.keys())}
    tables = {column.table.name for column in computed.values()}
    levels = needs.levels
    if levels & {Level.PATIENT, Level.STUDY} or "study" in tables:
        statement = statement.join(study, study.c.pk == page.study_pk)
    if Level.SERIES in levels or "series" in tables or needs.header:
        statement = statement.join(series, series.c.pk == page.series_pk)
    if Level.INSTANCE in levels:
        statement = statement.join(instance, instance.c.pk == page.instance_pk)
    if needs.header or "instance_version" in tables:
        current = and_(
            instance_version.c.instance_fk == page.instance_pk, instance_version.c.current == 1
        )
        statement = statement.join(instance_version, current)
    if Level.PATIENT in levels:
        statement = _with_patient(statement)
    for level, table in _OF_LEVEL.items():
        if level in levels:
            statement = statement.add_columns(table.c.attributes.label(level.name))
    if needs.header:
        statement = statement.add_columns(
            instance_version.c.header,
            instance_version.c.dictionary.label("needs_dictionary"),
            series.c.dictionary,
        )
    return statement.add_columns(*(column.label(tag) for tag, column in computed.items()))


# Made once: an alias copies every column of its table, which took a third of a small search.
_OWN, _OTHER = demographics.alias("own"), demographics.alias("other")


def _with_patient(statement: Select[Any]) -> Select[Any]:
    """The demographics that the study came with, and those shown in their place (or NULL)."""
    linked = and_(patient_link.c.identifier_fk == _OWN.c.identifier_fk, OPEN)
    return (
        statement.join(_OWN, _OWN.c.pk == study.c.demographics_fk)
        .outerjoin(patient_link, linked)
        .outerjoin(_OTHER, _OTHER.c.pk == patient_link.c.shown_fk)
        .add_columns(_OWN.c.attributes.label("PATIENT"), _OTHER.c.attributes.label("shown"))
    )


def sop_classes(session: Session, studies: Collection[int]) -> dict[int, list[str]]:
    """SOP Classes in Study (0008,0062) of each study, ascending, over what is visible below it."""
    found: dict[int, list[str]] = {key: [] for key in studies}
    statement = (
        select(series.c.study_fk, instance.c.sop_class)
        .join(instance, instance.c.series_fk == series.c.pk)
        .where(series.c.study_fk.in_(found), series.c.state == 0, instance.c.state == 0)
        .where(instance.c.sop_class != "")
        .distinct()
        .order_by(series.c.study_fk, instance.c.sop_class)
    )
    for row in session.execute(statement):
        found[row.study_fk].append(row.sop_class)
    return found

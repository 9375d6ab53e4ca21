"""Find patients: each one once, whatever identifiers mean it, by what its studies show.

A patient is found where one visible study of his satisfies every key, and is shown as the study of
those that was received last shows him. The order is that of first reception: a patient never moves
while others store, whatever names come in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, case, func, select

from vna.dicom.dictionary import keyword_of, vr_of
from vna.dicom.levels import level_of
from vna.errors import InvalidValue
from vna.index.compile import OPEN, compile_query
from vna.index.conditions import Condition
from vna.index.engine import Session
from vna.index.patient_shown import NAMING_TAGS
from vna.index.rows import patient_of
from vna.index.searchable import INDEXED
from vna.index.tables import demographics, item, patient_link, study
from vna.model.answer import Page, Row
from vna.model.caller import Caller
from vna.model.query import Cursor, Key, Level, Query, Universal

STUDIES, SERIES, INSTANCES = "00201200", "00201202", "00201204"  # of a patient
_TOLD = 500  # patients that one statement tells of

_fk = patient_link.c.patient_fk
_own, _other = demographics.alias("own"), demographics.alias("other")


def find_patients(session: Session, query: Query, caller: Caller, *, countable: int) -> Page:
    """The page of `query` that `caller` may see.

    Raises `InvalidValue` for a key that patients are not found by.
    """
    for key in query.keys:
        _check(key)
    visible = compile_query(Query(Level.STUDY), caller).where
    matching = compile_query(replace(query, level=Level.STUDY), caller).where
    patients = _matching(query, and_(*matching))
    limit = None if query.limit is None else query.limit + 1
    page = _beyond(patients, query.after).order_by(_fk).limit(limit).offset(query.offset or None)
    found = [int(row.patient_fk) for row in session.execute(page)]
    rows = list(_rows(session, query, found[: query.limit], visible, and_(*matching)))
    last = None if not found[: query.limit] else Cursor((found[: query.limit][-1],))
    if query.limit is None or len(found) <= query.limit:
        return Page(rows, cursor=last)
    after, skipped = (query.after, query.offset) if query.limit == 0 else (last, 0)
    counted = _beyond(patients, after).limit(countable + skipped).subquery("counted")
    left = int(session.execute(select(func.count()).select_from(counted)).scalar_one()) - skipped
    return Page(rows, left, left >= countable, last)


def _check(key: Key) -> None:
    if key.path not in INDEXED or INDEXED[key.path].level is not Level.PATIENT:
        name = ".".join(keyword_of(tag) or f"{tag:08X}" for tag in key.path)
        names = ", ".join(keyword_of(int(tag, 16)) for tag in NAMING_TAGS)
        raise InvalidValue(name, "", f"be one that patients are found by: {names}")


def _matching(query: Query, matching: Condition) -> Select[Any]:
    """The keys of all patients with a study that is `matching`.

    Where keys narrow the studies they come first; else patients do, one by one in their order, so
    that a page ends as soon as it is full.
    """
    patients = select(_fk).where(OPEN).group_by(_fk)
    studies = (
        select(_own.c.identifier_fk)
        .select_from(_own)
        .join(study, study.c.demographics_fk == _own.c.pk)
        .join(item, item.c.pk == study.c.item_fk)
        .where(matching)
    )
    if any(not isinstance(key.match, Universal) for key in query.keys):
        return patients.where(patient_link.c.identifier_fk.in_(studies))
    of_link = studies.where(_own.c.identifier_fk == patient_link.c.identifier_fk)
    return patients.where(of_link.correlate(patient_link).exists())


def _beyond(patients: Select[Any], after: Cursor | None) -> Select[Any]:
    if after is None:
        return patients
    if [type(value) for value in after.values] != [int]:
        raise InvalidValue("cursor", "", "come from a page of the same query")
    return patients.where(_fk > after.values[0])


def _rows(
    session: Session,
    query: Query,
    patients: Sequence[int],
    visible: Sequence[Condition],
    matching: Condition,
) -> Iterator[Row]:
    for first in range(0, len(patients), _TOLD):
        some = patients[first : first + _TOLD]
        counted = list(session.execute(_counted(some, visible, matching)).mappings())
        last = [each["last"] for each in counted if each["last"] is not None]
        shown = {row["pk"]: row for row in session.execute(_shown(last)).mappings()}
        for each in counted:
            if each["last"] in shown:
                yield _row(query, each, shown[each["last"]])


def _counted(
    patients: Sequence[int], visible: Sequence[Condition], matching: Condition
) -> Select[Any]:
    """What lies visibly below each of `patients`, and the last study that is `matching`."""
    columns: tuple[ColumnElement[Any], ...] = (
        func.count().label(STUDIES),
        func.sum(study.c.series_count).label(SERIES),
        func.sum(study.c.instance_count).label(INSTANCES),
        func.max(case((matching, study.c.pk))).label("last"),
    )
    return (
        select(*columns)
        .select_from(patient_link)
        .join(_own, _own.c.identifier_fk == patient_link.c.identifier_fk)
        .join(study, study.c.demographics_fk == _own.c.pk)
        .join(item, item.c.pk == study.c.item_fk)
        .where(OPEN, _fk.in_(patients), *visible)
        .group_by(_fk)
        .order_by(_fk)
    )


def _shown(studies: Sequence[int]) -> Select[Any]:
    """The demographics that each of `studies` came with, and those shown in their place."""
    linked = and_(patient_link.c.identifier_fk == _own.c.identifier_fk, OPEN)
    return (
        select(study.c.pk, _own.c.attributes.label("own"), _other.c.attributes.label("other"))
        .join(_own, _own.c.pk == study.c.demographics_fk)
        .join(patient_link, linked)
        .outerjoin(_other, _other.c.pk == patient_link.c.shown_fk)
        .where(study.c.pk.in_(studies))
    )


def _row(query: Query, counted: RowMapping, shown: RowMapping) -> Row:
    more = () if query.include == "all" else (f"{path[0]:08X}" for path in query.include)
    tags = frozenset((*NAMING_TAGS, *more))
    attributes: dict[str, Any] = {tag: {"vr": vr_of(int(tag, 16))} for tag in NAMING_TAGS}
    for tag, value in patient_of(shown["own"], shown["other"]).items():
        if level_of(int(tag, 16)) is Level.PATIENT and (query.include == "all" or tag in tags):
            attributes[tag] = value
    for tag in (STUDIES, SERIES, INSTANCES):
        attributes[tag] = {"vr": "IS", "Value": [int(counted[tag])]}
    return Row("", "", "", dict(sorted(attributes.items())))

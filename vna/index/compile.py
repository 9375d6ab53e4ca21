"""A `Query` and a `Caller` become FROM and WHERE; keys without a column are left over by name.

There is no way to compile a query without a caller: who may see what is part of every statement
(architecture decision 13).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from sqlalchemy import (
    ColumnElement,
    FromClause,
    and_,
    exists,
    false,
    literal_column,
    not_,
    or_,
    select,
    true,
    union_all,
)

from vna.dicom.dictionary import keyword_of
from vna.dicom.levels import level_of
from vna.errors import InvalidValue
from vna.index import conditions, searchable
from vna.index.aside import aside
from vna.index.conditions import Condition
from vna.index.intervals import combined
from vna.index.keys import sop_key
from vna.index.searchable import INDEXED, REQUEST_ITEM, Indexed
from vna.index.tables import (
    demographics,
    instance,
    item,
    patient_link,
    series,
    series_request,
    sop,
    study,
)
from vna.model.archive import Visibility
from vna.model.caller import Caller
from vna.model.query import AnyOf, Empty, Exact, Key, Level, Match, Query, Universal

# Written into the statement, so that the partial index over open links applies.
OPEN = patient_link.c.until == literal_column("0")

_SHOWN: ColumnElement[int] = literal_column(str(int(Visibility.SHOWN)))
_NONE: ColumnElement[int] = literal_column("0")

_RECEIVED = demographics.alias("received")


@dataclass(frozen=True)
class Compiled:
    """Where the candidates are: rows of `source` that satisfy `where`; `residual` keys remain."""

    source: FromClause
    where: tuple[Condition, ...]
    residual: tuple[Key, ...]


def compile_query(query: Query, caller: Caller) -> Compiled:
    """Everything of `query` that columns can tell, within what `caller` may see.

    Raises `InvalidValue` for a key below the level of the query, and for the patient level.
    """
    if query.level is Level.PATIENT:
        raise InvalidValue("level", "PATIENT", "be STUDY, SERIES or INSTANCE")
    for key in query.keys:
        _check_level(key, query.level)
    indexed, requests, residual = _sorted_out(query.keys)
    where = [*_visible(query.level, caller)]
    if query.combined_datetime:
        indexed, intervals = combined(indexed)
        where += intervals
    patient = [key for key in indexed if INDEXED[key.path].level is Level.PATIENT]
    where += _of_patients(patient)
    where += [_condition(key, query.level, caller) for key in indexed if key not in patient]
    where += _in_one_request(requests)
    return Compiled(source_of(query), tuple(where), residual)


def _check_level(key: Key, level: Level) -> None:
    found = INDEXED.get(key.path)
    if (found.level if found else level_of(key.path[0])) > level:
        name = ".".join(keyword_of(tag) or f"{tag:08X}" for tag in key.path)
        raise InvalidValue("key", name, f"be an attribute of the {level.name} level or above")


def _sorted_out(keys: Iterable[Key]) -> tuple[list[Key], list[Key], tuple[Key, ...]]:
    """Keys with a column, keys inside the request sequence, and the rest.

    Keys of one sequence stay together: where one of them has no column, all are checked again in
    Python, because they must match within one item; the columns still narrow the candidates.
    """
    indexed: list[Key] = []
    requests: list[Key] = []
    residual: list[Key] = []
    for key in keys:
        if key.path in INDEXED:
            indexed.append(key)
        elif key.path[0] == searchable.REQUESTS and len(key.path) == 2:
            requests.append(key)
        elif not isinstance(key.match, Universal):
            residual.append(key)
    known = [key for key in requests if key.path[1] in REQUEST_ITEM]
    inside = [key for key in residual if key.path[0] == searchable.REQUESTS]
    if len(known) < len(requests) or inside:
        residual += requests
    return indexed, known, tuple(residual)


def source_of(query: Query, start: Level = Level.STUDY) -> FromClause:
    """The tables of the level, joined so that SQLite goes from studies downwards.

    It would begin with instances, and sort all of them, unless the key of what is above is hidden
    from it; only a key that singles out series or instances turns the way round, or `start`: the
    level of which a few have been found by other means.
    """
    named = {key.path[0] for key in query.keys if not isinstance(key.match, Universal | Empty)}
    source = study.join(item, item.c.pk == study.c.item_fk)
    if query.level >= Level.SERIES:
        upwards = named & {searchable.SERIES_UID, searchable.SOP_UID, searchable.REQUESTS}
        above = upwards or start >= Level.SERIES
        parent: ColumnElement[int] = study.c.pk if above else aside(study.c.pk)
        source = source.join(series, series.c.study_fk == parent)
    if query.level >= Level.INSTANCE:
        above = searchable.SOP_UID in named or start >= Level.INSTANCE
        parent = series.c.pk if above else aside(series.c.pk)
        source = source.join(instance, instance.c.series_fk == parent)
    return source


def _visible(level: Level, caller: Caller) -> Iterator[Condition]:
    """What is shown, with something shown below it, to whom it is shown."""
    yield aside(item.c.partition) == caller.partition
    yield item.c.state == _SHOWN
    yield study.c.state == _SHOWN
    yield study.c.instance_count > _NONE
    if level >= Level.SERIES:
        yield series.c.state == _SHOWN
        yield series.c.instance_count > _NONE
    if level >= Level.INSTANCE:
        yield instance.c.state == _SHOWN
    if caller.organisations is not None:
        if not caller.organisations:
            yield false()
        yield aside(item.c.organisation_fk).in_(sorted(caller.organisations))


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────


def _condition(key: Key, level: Level, caller: Caller) -> Condition:
    found = INDEXED[key.path]
    if key.path == (searchable.SOP_UID,):
        return _by_sop_uid(key.match, caller)
    match found.comparison:
        case searchable.TextColumn():
            return conditions.text(found.comparison, key.match)
        case searchable.UidColumn(column, partition):
            condition = conditions.text(searchable.TextColumn(column), key.match)
            if partition is None or isinstance(key.match, Universal | Empty):
                return condition
            return and_(partition == caller.partition, condition)
        case searchable.MomentColumn():
            return conditions.moment(found.comparison, key.match)
        case searchable.NumberColumn():
            return conditions.number(found.comparison, key.match)
        case searchable.CountColumn():
            return conditions.count(found.comparison, key.match)
        case searchable.NameColumns():
            return conditions.name(found.comparison, key.match)
        case searchable.Below():
            return _below(found.comparison, key.match)
        case searchable.Constant(value):
            return conditions.text(searchable.TextColumn(literal_column(f"'{value}'")), key.match)
        case _:
            assert_never(found.comparison)


def _by_sop_uid(match: Match, caller: Caller) -> Condition:
    """By the arbiter of SOP Instance UIDs: `instance` has no index by UID of its own."""
    match match:
        case Universal():
            return true()
        case Exact(value):
            uids: Sequence[str] = (value,)
        case AnyOf(values):
            uids = values
        case _:
            return false()
    uids = [uid for uid in uids if conditions.can_be_stored(uid)]
    keys = [sop_key(caller.partition, uid) for uid in uids]
    found = select(sop.c.instance_fk).where(sop.c.key.in_(keys))
    return and_(instance.c.pk.in_(found), instance.c.uid.in_(uids))


def _below(target: searchable.Below, match: Match) -> Condition:
    below = exists().where(
        series.c.study_fk == study.c.pk, series.c.state == _SHOWN, series.c.instance_count > _NONE
    )
    if target.level is Level.INSTANCE:
        below = below.where(instance.c.series_fk == series.c.pk, instance.c.state == _SHOWN)
    below = below.correlate(study)
    match match:
        case Universal():
            return true()
        case Empty():
            return not_(below.where(target.column != ""))
        case _:
            return below.where(conditions.text(searchable.TextColumn(target.column), match))


def _of_patients(keys: Sequence[Key]) -> Iterator[Condition]:
    """Studies whose patient, as shown, satisfies every key.

    A study shows the demographics that its identifier's open link names, else its own. Both ways
    are look-ups that end in the studies' demographics.
    """
    keys = [key for key in keys if not isinstance(key.match, Universal)]
    if not keys:
        return
    satisfied = and_(*(_patient_condition(INDEXED[key.path], key.match) for key in keys))
    replaced = exists().where(
        patient_link.c.identifier_fk == demographics.c.identifier_fk,
        OPEN,
        patient_link.c.shown_fk.is_not(None),
    )
    as_received = select(demographics.c.pk).where(satisfied, not_(replaced))
    as_linked = (
        select(_RECEIVED.c.pk)
        .select_from(
            demographics.join(patient_link, patient_link.c.shown_fk == demographics.c.pk).join(
                _RECEIVED, _RECEIVED.c.identifier_fk == patient_link.c.identifier_fk
            )
        )
        .where(satisfied, OPEN)
    )
    yield study.c.demographics_fk.in_(union_all(as_received, as_linked))


def _patient_condition(found: Indexed, match: Match) -> Condition:
    match found.comparison:
        case searchable.TextColumn():
            return conditions.text(found.comparison, match)
        case searchable.MomentColumn():
            return conditions.moment(found.comparison, match)
        case searchable.NameColumns():
            return conditions.name(found.comparison, match)
        case _:
            raise TypeError(f"no patient attribute is a {type(found.comparison).__name__}")


def _in_one_request(keys: Sequence[Key]) -> Iterator[Condition]:
    """Series with one request item that satisfies every key; without items, as one empty item."""
    keys = [key for key in keys if not isinstance(key.match, Universal)]
    if not keys:
        return
    of_series = exists().where(series_request.c.series_fk == series.c.pk).correlate(series)
    one = of_series.where(*(conditions.text(REQUEST_ITEM[key.path[1]], key.match) for key in keys))
    if all(isinstance(key.match, Empty) for key in keys):
        yield or_(one, not_(of_series))
    else:
        yield one

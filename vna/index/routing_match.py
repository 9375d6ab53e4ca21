"""What a rule's conditions are asked of: instances as they are shown, and where they came from.

An instance is read as a search reads it, from rows and stored headers with corrections in force;
pixel data are never touched.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from vna.dicom.dictionary import matching_vr_of, parse_path
from vna.dicom.matching import match_of
from vna.errors import InvalidValue
from vna.index import fetch
from vna.index.compile import compile_query
from vna.index.engine import Session
from vna.index.residual import like, satisfies
from vna.index.rows import beside, entity_of, uids_of
from vna.index.tables import (
    instance,
    instance_version,
    item,
    organisation,
    reception,
    series,
    study,
)
from vna.index.wanted import needs_of
from vna.model.caller import Caller
from vna.model.query import AnyOf, Key, Level, Query

SOURCE_AE, ORGANISATION = "SourceAE", "Organisation"
DIMSE = "dimse"  # source of receptions whose caller is an AE title
_ROWS = 500  # instances read at once


@dataclass(frozen=True)
class Condition:
    """One of the keys, or for SourceAE and Organisation one of the patterns, has to match."""

    name: str
    keys: tuple[Key, ...]
    patterns: tuple[str, ...]


@dataclass(frozen=True)
class Candidate:
    """An instance that a rule may match. `version`: number of its current object; `source_ae`: who
    sent that over DIMSE, '' for any other way; `organisation`: code of the owner."""

    study_uid: str
    series_uid: str
    sop_uid: str
    version: int
    source_ae: str
    organisation: str
    entity: Mapping[str, Any]


def conditions_of(where: Mapping[str, Sequence[str]]) -> tuple[Condition, ...]:
    """Conditions as people write them. Raises `UnknownName` naming the nearest, `InvalidValue`."""
    return tuple(_condition(name, values) for name, values in where.items())


def _condition(name: str, values: Sequence[str]) -> Condition:
    if not values or not all(value.strip() for value in values):
        raise InvalidValue(name, "", "have one value at least, and none that is empty")
    if name in (SOURCE_AE, ORGANISATION):
        return Condition(name, (), tuple(value.strip() for value in values))
    path = parse_path(name)
    vr = matching_vr_of(path[-1])
    return Condition(
        name, tuple(Key(path, vr, match_of(vr, value, name=name)) for value in values), ()
    )


def matches(candidate: Candidate, conditions: Sequence[Condition]) -> bool:
    """Whether an instance satisfies every condition."""
    return all(_satisfies(candidate, each) for each in conditions)


def _satisfies(candidate: Candidate, condition: Condition) -> bool:
    if condition.patterns:
        own = {SOURCE_AE: candidate.source_ae, ORGANISATION: candidate.organisation}
        return any(like(own[condition.name], pattern) for pattern in condition.patterns)
    return any(satisfies(candidate.entity, [key], combined=False) for key in condition.keys)


def candidates(
    session: Session,
    caller: Caller,
    conditions: Sequence[Condition],
    *,
    sop_uids: Collection[str] = (),
    study_uid: str = "",
) -> Iterator[Candidate]:
    """The visible ones of `sop_uids`, or of a study, with all that `conditions` ask."""
    tag, uids = (0x0020000D, (study_uid,)) if study_uid else (0x00080018, tuple(sorted(sop_uids)))
    if not uids:
        return
    query = Query(Level.INSTANCE, (Key((tag,), "UI", AnyOf(uids)),))
    compiled = compile_query(query, caller)
    needs = needs_of([key.path[0] for each in conditions for key in each.keys], Level.INSTANCE)
    after = None
    while True:
        batch = fetch.page(
            session, Level.INSTANCE, compiled, needs, after=after, limit=_ROWS, offset=0
        )
        more = beside(session, needs, batch)
        origins = _origins(session, [row["instance_pk"] for row in batch])
        for row in batch:
            entity = entity_of(Level.INSTANCE, row, needs, more)
            uids_of_row = uids_of(Level.INSTANCE, row)
            yield Candidate(*uids_of_row, *origins[row["instance_pk"]], entity)
        if len(batch) < _ROWS:
            return
        after = fetch.cursor_of(Level.INSTANCE, batch[-1])


def _origins(session: Session, instances: Sequence[int]) -> dict[int, tuple[int, str, str]]:
    """Current version, sender and owner by instance."""
    rows = session.execute(
        select(
            instance.c.pk,
            instance_version.c.number,
            reception.c.source,
            reception.c.caller,
            organisation.c.code,
        )
        .select_from(instance)
        .join(instance_version, instance_version.c.instance_fk == instance.c.pk)
        .join(reception, reception.c.pk == instance_version.c.reception_fk)
        .join(series, series.c.pk == instance.c.series_fk)
        .join(study, study.c.pk == series.c.study_fk)
        .join(item, item.c.pk == study.c.item_fk)
        .join(organisation, organisation.c.pk == item.c.organisation_fk)
        .where(instance.c.pk.in_(instances), instance_version.c.current == 1)
    )
    return {
        row.pk: (row.number, row.caller if row.source == DIMSE else "", row.code) for row in rows
    }

"""What later objects add to their study and series: a value for an empty attribute is taken, a
different one is a matter for people (architecture decision 4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from sqlalchemy import Table, update

from vna.index import attention, columns, demographics, refresh, requests
from vna.index.candidate import Candidate
from vna.index.engine import Session
from vna.index.parents import Series, Study, compared
from vna.index.tables import series, study
from vna.model.query import Level

_ANY_PATH = {Level.STUDY: "00081030", Level.SERIES: "0008103E"}  # makes `refresh` look at a level
Columns = Callable[[Mapping[str, Any]], dict[str, Any]]


def enrich(
    session: Session, above: Study, below: Series, candidate: Candidate, identifier_fk: int
) -> None:
    """Bring study and series in line with what one more object says of them, and of their patient
    where it names the same (`identifier_fk`)."""
    if identifier_fk == above.identifier_fk:
        _enrich_patient(session, above, candidate)
    said = _enriched(session, study, columns.study, above, candidate, candidate.study)
    if said is not None:
        above.said, above.touched = said, True
        _again(session, above, Level.STUDY, above.pk, above.corrected)
    said = _enriched(session, series, columns.series, below, candidate, candidate.series)
    if said is not None:
        below.said, below.touched = said, True
        _again(session, above, Level.SERIES, below.pk, below.corrected)


def name_patient(session: Session, above: Study, candidate: Candidate) -> None:
    """A study that came without a PatientID is that of the candidate's patient, whose identifier
    `above` has by now; what it said of its patient stays."""
    standing = orjson.loads(above.patient)
    fills, _ = compared(standing, candidate.patient)
    _describe_patient(session, above, {**standing, **fills})


def _enrich_patient(session: Session, above: Study, candidate: Candidate) -> None:
    if orjson.dumps(dict(candidate.patient), option=orjson.OPT_SORT_KEYS) == above.patient:
        return
    standing = orjson.loads(above.patient)
    fills, differs = compared(standing, candidate.patient)
    for tag in differs:
        _report(session, "patient", tag, candidate)
    if fills:
        _describe_patient(session, above, {**standing, **fills})


def _describe_patient(session: Session, above: Study, attributes: Mapping[str, Any]) -> None:
    key = demographics.keep(session, above.identifier_fk, attributes)
    session.execute(update(study).where(study.c.pk == above.pk).values(demographics_fk=key))
    above.patient = orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS)
    above.touched = True


def _enriched(
    session: Session,
    table: Table,
    columns_of: Columns,
    parent: Study | Series,
    candidate: Candidate,
    now: Mapping[str, Any],
) -> bytes | None:
    """The parent's new attributes as received, or None where nothing was empty."""
    if orjson.dumps(dict(now), option=orjson.OPT_SORT_KEYS) == parent.said:
        return None
    standing = orjson.loads(parent.said)
    fills, differs = compared(standing, now)
    for tag in differs:
        _report(session, table.name, tag, candidate)
    if not fills:
        return None
    attributes = dict(sorted({**standing, **fills}.items()))
    said = orjson.dumps(attributes)
    changed = {"received": said} if parent.corrected else {"attributes": said}
    session.execute(
        update(table)
        .where(table.c.pk == parent.pk)
        .values(**changed, **({} if parent.corrected else columns_of(attributes)))
    )
    if table is series and "00400275" in fills and not parent.corrected:
        requests.replace(session, [(parent.pk, attributes)])
    return said


def _again(session: Session, above: Study, level: Level, key: int, corrected: bool) -> None:
    """Apply the overlays anew to a row that they make differ from what was received."""
    if corrected:
        refresh.refresh(session, above.pk, {(level, key): [_ANY_PATH[level]]})


def _report(session: Session, of: str, tag: str, candidate: Candidate) -> None:
    """Once for each study or series and attribute. `of`: patient, study or series."""
    attention.raise_once(
        session,
        f"{of}-differs:{tag}",
        study_uid=candidate.study_uid,
        series_uid=candidate.series_uid if of == "series" else "",
        sop_uid=candidate.sop_uid,
        detail={"tag": tag},
    )

"""The studies and series that the objects of a batch name, as they stand and as they become."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, select, update

from vna.index.engine import Session
from vna.index.fixed import Fixed
from vna.index.tables import demographics, identifier, item, series, study
from vna.model.archive import IdentifierKind, Visibility

# Built once: putting a statement together costs six times as much as running it.
_SERIES = Fixed(
    select(
        series.c.pk,
        series.c.uid,
        series.c.state,
        series.c.attributes,
        series.c.received,
        series.c.dictionary,
        study.c.uid.label("study_uid"),
    )
    .join(study, study.c.pk == series.c.study_fk)
    .where(
        series.c.partition == bindparam("partition"),
        series.c.uid.in_(bindparam("uids", expanding=True)),
    )
)
_STUDIES = Fixed(
    select(
        study.c.pk,
        study.c.uid,
        study.c.item_fk,
        study.c.state,
        study.c.settled_at,
        study.c.attributes,
        study.c.received,
        item.c.state.label("item_state"),
        demographics.c.identifier_fk,
        demographics.c.attributes.label("patient"),
        identifier.c.kind,
    )
    .join(item, item.c.pk == study.c.item_fk)
    .join(demographics, demographics.c.pk == study.c.demographics_fk)
    .join(identifier, identifier.c.pk == demographics.c.identifier_fk)
    .where(
        study.c.partition == bindparam("partition"),
        study.c.uid.in_(bindparam("uids", expanding=True)),
    )
)
# In the order of keys, so that two batches cannot wait for each other.
_LOCK = Fixed(
    select(study.c.pk)
    .where(
        study.c.partition == bindparam("partition"),
        study.c.uid.in_(bindparam("uids", expanding=True)),
    )
    .order_by(study.c.pk)
    .with_for_update(key_share=True)
)


@dataclass(slots=True)
class Study:
    """A study of the batch. `pk` 0: not inserted yet. `said`: attributes as received, JSON, and
    `patient` those of its patient."""

    uid: str
    pk: int = 0
    item_fk: int = 0
    identifier_fk: int = 0
    anonymous: bool = False  # its objects brought no PatientID
    hidden: bool = False
    settled: bool = False
    said: bytes = b""
    patient: bytes = b""
    corrected: bool = False  # an overlay makes its row differ from what was said
    added: int = 0  # instances of this batch
    new_series: bool = False
    touched: bool = False


@dataclass(slots=True)
class Series:
    """A series of the batch, below its study."""

    uid: str
    study: Study
    pk: int = 0
    hidden: bool = False
    said: bytes = b""
    corrected: bool = False
    dictionary: bytes | None = None
    added: int = 0
    touched: bool = False


@dataclass(slots=True)
class Parents:
    """Studies and series by UID."""

    studies: dict[str, Study] = field(default_factory=dict)
    series: dict[str, Series] = field(default_factory=dict)


def load(
    session: Session, partition: int, study_uids: Iterable[str], series_uids: Iterable[str]
) -> Parents:
    """Those that stand already, each with the study it really belongs to; four statements.

    Nobody else changes the studies named before this transaction ends: what is decided from them
    (whose they are, which of their attributes are empty) would not hold.
    """
    parents = Parents()
    study_uids = list(study_uids)
    if session.postgresql:  # a write transaction of SQLite has the database to itself
        session.fetch(_LOCK, {"partition": partition, "uids": study_uids})
    found = session.fetch(_SERIES, {"partition": partition, "uids": list(set(series_uids))})
    wanted = {*study_uids, *(row.study_uid for row in found)}
    for row in session.fetch(_STUDIES, {"partition": partition, "uids": list(wanted)}):
        parents.studies[row.uid] = _study(row)
    for row in found:
        above = parents.studies[row.study_uid]
        parents.series[row.uid] = Series(
            uid=row.uid,
            study=above,
            pk=row.pk,
            hidden=above.hidden or row.state != Visibility.SHOWN,
            said=row.received if row.received is not None else row.attributes,
            corrected=row.received is not None,
            dictionary=row.dictionary,
        )
    return parents


def _study(row: Any) -> Study:
    return Study(
        uid=row.uid,
        pk=row.pk,
        item_fk=row.item_fk,
        identifier_fk=row.identifier_fk,
        anonymous=row.kind == IdentifierKind.STUDY_BOUND,
        hidden=row.state != Visibility.SHOWN or row.item_state != Visibility.SHOWN,
        settled=row.settled_at != 0,
        said=row.received if row.received is not None else row.attributes,
        patient=row.patient,
        corrected=row.received is not None,
    )


def compared(
    said: Mapping[str, Any], now: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, tuple[Any, Any]]]:
    """What `now` adds to empty attributes, and where it differs: tag → (standing, sent)."""
    fills: dict[str, Any] = {}
    differs: dict[str, tuple[Any, Any]] = {}
    for tag, attribute in now.items():
        if len(attribute) < 2:  # only its VR: empty
            continue
        standing = said.get(tag)
        if standing is None or len(standing) < 2:
            fills[tag] = attribute
        elif standing != attribute:
            differs[tag] = (standing, attribute)
    return fills, differs


def count_series(session: Session, study_fk: int) -> None:
    """Count the visible series of a study that has a new one, and gather their modalities."""
    shown = session.execute(
        select(series.c.modality).where(
            series.c.study_fk == study_fk,
            series.c.state == Visibility.SHOWN,
            series.c.instance_count > 0,
        )
    ).scalars()
    modalities = list(shown)
    session.execute(
        update(study)
        .where(study.c.pk == study_fk)
        .values(
            series_count=len(modalities),
            modalities="\\".join(sorted({each for each in modalities if each})),
        )
    )

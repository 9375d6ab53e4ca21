"""Identifiers of patients: who they are, who may see them, and what is shown of their patient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import exists, or_, select

from vna.errors import Conflict, NotFound
from vna.index.engine import Session
from vna.index.tables import (
    authority,
    demographics,
    document,
    identifier,
    item,
    patient_link,
    study,
)
from vna.model.archive import IdentifierKind
from vna.model.patient import PatientIdentifier


def find(session: Session, partition: int, who: PatientIdentifier) -> int:
    """The key of an identifier; raises `NotFound`.

    Without an authority the only one that issued the value is taken; several are a `Conflict`.
    """
    found = session.execute(
        select(identifier.c.pk, authority.c.name)
        .join(authority, authority.c.pk == identifier.c.authority_fk)
        .where(
            identifier.c.partition == partition,
            identifier.c.kind == who.kind,
            identifier.c.value == who.value,
        )
    ).all()
    exact = [row.pk for row in found if row.name == who.authority]
    if exact:
        return int(exact[0])
    if who.authority or not found:
        raise NotFound("no patient is known by this identifier")
    if len(found) > 1:
        names = ", ".join(sorted(row.name for row in found))
        raise Conflict(f"several authorities issued this identifier; name one of: {names}")
    return int(found[0].pk)


def require_visible(session: Session, key: int, organisations: frozenset[int] | None) -> None:
    """Raise `NotFound` unless an item of the identifier belongs to one of `organisations`."""
    if organisations is None:
        return
    owned = [
        exists(
            select(1)
            .select_from(table)
            .join(item, item.c.pk == table.c.item_fk)
            .join(demographics, demographics.c.pk == table.c.demographics_fk)
            .where(demographics.c.identifier_fk == key, item.c.organisation_fk.in_(organisations))
        )
        for table in (study, document)
    ]
    if not session.execute(select(or_(*owned))).scalar():
        raise NotFound("no patient is known by this identifier")


def own_demographics(session: Session, key: int) -> dict[str, Any]:
    """What the latest item received under an identifier says of the patient, as DICOM JSON."""
    latest = [
        select(demographics.c.attributes, table.c.received_at)
        .join(table, table.c.demographics_fk == demographics.c.pk)
        .where(demographics.c.identifier_fk == key)
        .order_by(table.c.received_at.desc(), table.c.pk.desc())
        .limit(1)
        for table in (study, document)
    ]
    found = [row for statement in latest for row in session.execute(statement)]
    if found:
        said = max(found, key=lambda row: int(row.received_at)).attributes
    else:
        said = session.execute(
            select(demographics.c.attributes)
            .where(demographics.c.identifier_fk == key)
            .order_by(demographics.c.pk)
            .limit(1)
        ).scalar()
    if said is None:
        raise NotFound("nothing is known of this patient but the identifier")
    attributes: dict[str, Any] = orjson.loads(said)
    return attributes


def shown_demographics(session: Session, key: int) -> dict[str, Any]:
    """What is shown of the patient that `key` means, as DICOM JSON."""
    shown = session.execute(
        select(demographics.c.attributes)
        .join(patient_link, patient_link.c.shown_fk == demographics.c.pk)
        .where(patient_link.c.identifier_fk == key, patient_link.c.until == 0)
    ).scalar()
    if shown is None:
        return own_demographics(session, key)
    attributes: dict[str, Any] = orjson.loads(shown)
    return attributes


def same_patient(session: Session, key: int) -> list[int]:
    """The identifiers that now mean the same patient as `key`, `key` among them."""
    mine = (
        select(patient_link.c.patient_fk)
        .where(patient_link.c.identifier_fk == key, patient_link.c.until == 0)
        .scalar_subquery()
    )
    found = session.execute(
        select(patient_link.c.identifier_fk)
        .where(patient_link.c.patient_fk == mine, patient_link.c.until == 0)
        .order_by(patient_link.c.identifier_fk)
    )
    return [int(row.identifier_fk) for row in found]


def is_merged(session: Session, key: int) -> bool:
    """Whether another patient is shown for what came under this identifier."""
    return _links(session, key)[key][1] is not None


def shown_alike(session: Session, study_key: int, object_key: int) -> bool:
    """Whether an object of one identifier may join a study of another without being changed: both
    mean one patient, and what is shown for the study replaces what its objects say."""
    links = _links(session, study_key, object_key)
    patient, shown = links[study_key]
    return shown is not None and patient == links[object_key][0]


def _links(session: Session, *keys: int) -> dict[int, tuple[int, int | None]]:
    """Patient and replacement of each identifier."""
    found = session.execute(
        select(
            patient_link.c.identifier_fk, patient_link.c.patient_fk, patient_link.c.shown_fk
        ).where(patient_link.c.identifier_fk.in_(keys), patient_link.c.until == 0)
    )
    return {row.identifier_fk: (row.patient_fk, row.shown_fk) for row in found}


def names(session: Session, keys: Iterable[int]) -> dict[int, PatientIdentifier]:
    """Identifiers by key."""
    found = session.execute(
        select(identifier.c.pk, authority.c.name, identifier.c.value, identifier.c.kind)
        .join(authority, authority.c.pk == identifier.c.authority_fk)
        .where(identifier.c.pk.in_(list(keys)))
    )
    return {
        row.pk: PatientIdentifier(row.name, row.value, IdentifierKind(row.kind)) for row in found
    }


def studies(
    session: Session, keys: Iterable[int], organisations: frozenset[int] | None = None
) -> list[tuple[int, str]]:
    """(item key, Study Instance UID) of every study received under one of `keys`, whatever its
    state; of `organisations` only, where they are given."""
    statement = (
        select(study.c.item_fk, study.c.uid)
        .join(demographics, demographics.c.pk == study.c.demographics_fk)
        .where(demographics.c.identifier_fk.in_(list(keys)))
        .order_by(study.c.pk)
    )
    if organisations is not None:
        statement = statement.join(item, item.c.pk == study.c.item_fk).where(
            item.c.organisation_fk.in_(organisations)
        )
    found = session.execute(statement)
    return [(int(row.item_fk), str(row.uid)) for row in found]

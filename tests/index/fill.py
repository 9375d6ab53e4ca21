"""Puts a corpus into an index, row by row, as reception would have left it."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson
from sqlalchemy import insert, select

from tests.index.corpus import ORGANISATIONS, Attributes, Patient, Study
from vna.index import columns, requests
from vna.index.engine import Index, Session
from vna.index.keys import sop_key
from vna.index.tables import (
    authority,
    demographics,
    identifier,
    instance,
    item,
    organisation,
    patient,
    patient_link,
    series,
    sop,
    study,
)
from vna.model.archive import IdentifierKind, IdentifierSource, ItemKind
from vna.model.caller import DEFAULT_PARTITION

_STATE = {False: 0, True: 1}


def fill(index: Index, studies: list[Study]) -> dict[int, int]:
    """Insert every study with all that lies below it; gives the key of each organisation."""
    with index.writing() as session:
        keys = {
            number: _insert(session, organisation, code=code)
            for number, code in enumerate(ORGANISATIONS, start=1)
        }
        known: dict[str, int] = {}
        for each in studies:
            _study(session, each, keys[each.organisation], known)
    return keys


def _study(session: Session, each: Study, organisation_fk: int, known: dict[str, int]) -> None:
    item_fk = _insert(
        session,
        item,
        partition=DEFAULT_PARTITION,
        kind=ItemKind.STUDY,
        organisation_fk=organisation_fk,
        state=_STATE[each.hidden],
    )
    shown = [one for one in each.series if one.leaves]
    modalities = {columns.series(one.attributes)["modality"] for one in shown} - {""}
    study_fk = _insert(
        session,
        study,
        item_fk=item_fk,
        partition=DEFAULT_PARTITION,
        uid=each.uid,
        demographics_fk=_patient(session, each.patient, known),
        state=_STATE[each.hidden],
        modalities="\\".join(sorted(modalities)),
        series_count=len(shown),
        instance_count=sum(len(one.leaves) for one in shown),
        attributes=orjson.dumps(each.attributes),
        **columns.study(each.attributes),
    )
    for one in each.series:
        series_fk = _insert(
            session,
            series,
            study_fk=study_fk,
            partition=DEFAULT_PARTITION,
            uid=one.uid,
            state=_STATE[one.hidden],
            instance_count=sum(not leaf.hidden for leaf in one.instances),
            attributes=orjson.dumps(one.attributes),
            **columns.series(one.attributes),
        )
        requests.replace(session, [(series_fk, one.attributes)])
        for leaf in one.instances:
            instance_fk = _insert(
                session,
                instance,
                series_fk=series_fk,
                uid=leaf.uid,
                sop_class=columns.text(leaf.attributes, "00080016"),
                state=_STATE[leaf.hidden],
                attributes=orjson.dumps(leaf.attributes),
                **columns.instance(leaf.attributes),
            )
            key = sop_key(DEFAULT_PARTITION, leaf.uid)
            session.execute(insert(sop).values(key=key, instance_fk=instance_fk))


def _patient(session: Session, each: Patient, known: dict[str, int]) -> int:
    """The demographics of a patient, with its identifier and open link at first sight."""
    name = f"of {each.identifier}"
    if name in known:
        return known[name]
    own = known[name] = _demographics(session, each.identifier, each.attributes, known)
    shown = None
    if each.shown is not None:
        shown = _demographics(session, each.identifier, each.shown, known)
    session.execute(
        insert(patient_link).values(
            identifier_fk=known[f"identifier {each.identifier}"],
            patient_fk=_insert(session, patient, partition=DEFAULT_PARTITION),
            shown_fk=shown,
        )
    )
    return own


def _demographics(
    session: Session, number: int, attributes: Attributes, known: dict[str, int]
) -> int:
    if f"identifier {number}" not in known:
        known[f"identifier {number}"] = _insert(
            session,
            identifier,
            partition=DEFAULT_PARTITION,
            kind=IdentifierKind.PATIENT,
            authority_fk=_authority(session, columns.text(attributes, "00100021"), known),
            value=f"{columns.text(attributes, '00100020')} {number}",
            source=IdentifierSource.OBJECT,
        )
    encoded = orjson.dumps(attributes)
    return _insert(
        session,
        demographics,
        identifier_fk=known[f"identifier {number}"],
        digest=blake2b(encoded, digest_size=16).digest(),
        attributes=encoded,
        **columns.demographics(attributes),
    )


def _authority(session: Session, name: str, known: dict[str, int]) -> int:
    if f"authority {name}" not in known:
        held = session.execute(select(authority.c.pk).where(authority.c.name == name)).scalar()
        known[f"authority {name}"] = held or _insert(session, authority, name=name)
    return known[f"authority {name}"]


def _insert(session: Session, table: Any, **values: Any) -> int:
    row: Mapping[str, Any] = values
    return int(session.execute(insert(table).values(**row).returning(table.c.pk)).scalar_one())

"""Rows as reception would have left them, for tests of what happens to them later."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import insert, select

from vna.index import columns, demographics, requests
from vna.index import tables as t
from vna.index.engine import Index, Session
from vna.index.keys import sop_key
from vna.model.archive import IdentifierKind, IdentifierSource, ItemKind
from vna.model.caller import DEFAULT_PARTITION, Caller, Right, local_administrator
from vna.model.patient import PatientIdentifier

ADMINISTRATOR = local_administrator("test")
STAMP: dict[str, Any] = {"at": 1_700_000_000_000, "actor": "ana", "reason": "test"}
OPERATION = "01HF000000000000000000000A"


def limited(*organisations: int) -> Caller:
    """A caller who may do everything, to some organisations."""
    return Caller("luis", "test", frozenset(organisations), frozenset(Right))


def person(name: str, value: str, **more: str) -> dict[str, Any]:
    """DICOM JSON of a patient: `more` by tag, as DA, CS or LO text."""
    attributes: dict[str, Any] = {
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": name}]},
        "00100020": {"vr": "LO", "Value": [value]},
    }
    vrs = {"00100021": "LO", "00100030": "DA", "00100040": "CS"}
    attributes |= {tag: {"vr": vrs[tag], "Value": [text]} for tag, text in more.items()}
    return dict(sorted(attributes.items()))


def add(session: Session, table: Any, **values: Any) -> int:
    """Insert one row; returns its key."""
    key = session.execute(insert(table).values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def organisation(session: Session, code: str) -> int:
    """An organisation by its code."""
    known = session.execute(
        select(t.organisation.c.pk).where(t.organisation.c.code == code)
    ).scalar()
    return int(known) if known is not None else add(session, t.organisation, code=code)


def patient(session: Session, who: PatientIdentifier, attributes: dict[str, Any]) -> int:
    """A new identifier with a patient of its own; returns the key of its demographics."""
    authority = session.execute(
        select(t.authority.c.pk).where(t.authority.c.name == who.authority)
    ).scalar()
    if authority is None:
        authority = add(session, t.authority, name=who.authority)
    key = add(
        session,
        t.identifier,
        partition=DEFAULT_PARTITION,
        kind=IdentifierKind.PATIENT,
        authority_fk=authority,
        value=who.value,
        source=IdentifierSource.OBJECT,
    )
    owner = add(session, t.patient, partition=DEFAULT_PARTITION)
    add(session, t.patient_link, identifier_fk=key, patient_fk=owner, since=1)
    return demographics.keep(session, key, attributes)


def study(
    session: Session,
    uid: str,
    demographics_fk: int,
    *,
    series: int = 1,
    instances: int = 1,
    owner: str = "HRU",
    attributes: dict[str, Any] | None = None,
) -> int:
    """A study of CT series `{uid}.1`, … with instances `{uid}.1.1`, …; returns its key."""
    item_fk = add(
        session,
        t.item,
        partition=DEFAULT_PARTITION,
        kind=ItemKind.STUDY,
        organisation_fk=organisation(session, owner),
    )
    said = attributes or {"00081030": {"vr": "LO", "Value": ["CRANEO"]}}
    key = add(
        session,
        t.study,
        item_fk=item_fk,
        partition=DEFAULT_PARTITION,
        uid=uid,
        demographics_fk=demographics_fk,
        modalities="CT",
        series_count=series,
        instance_count=series * instances,
        attributes=orjson.dumps(said),
        **columns.study(said),
    )
    for number in range(1, series + 1):
        _series(session, key, f"{uid}.{number}", number, instances)
    return key


def _series(session: Session, study_fk: int, uid: str, number: int, instances: int) -> None:
    said = {
        "00080060": {"vr": "CS", "Value": ["CT"]},
        "00200011": {"vr": "IS", "Value": [number]},
    }
    key = add(
        session,
        t.series,
        study_fk=study_fk,
        partition=DEFAULT_PARTITION,
        uid=uid,
        instance_count=instances,
        attributes=orjson.dumps(said),
        **columns.series(said),
    )
    requests.replace(session, [(key, said)])
    for place in range(1, instances + 1):
        leaf = {"00200013": {"vr": "IS", "Value": [place]}}
        leaf_fk = add(
            session,
            t.instance,
            series_fk=key,
            uid=f"{uid}.{place}",
            sop_class="1.2.840.10008.5.1.4.1.1.2",
            attributes=orjson.dumps(leaf),
            **columns.instance(leaf),
        )
        add_sop = insert(t.sop).values(
            key=sop_key(DEFAULT_PARTITION, f"{uid}.{place}"), instance_fk=leaf_fk
        )
        session.execute(add_sop)


def dump(index: Index, *names: str, without: tuple[str, ...] = ()) -> dict[str, list[Any]]:
    """All rows of the tables named, as they stand; `without` these columns."""
    with index.reading() as session:
        return {
            name: [
                {key: value for key, value in row.items() if key not in without}
                for row in session.execute(
                    select(t.metadata.tables[name]).order_by(
                        *t.metadata.tables[name].primary_key.columns
                    )
                ).mappings()
            ]
            for name in names
        }

"""Candidates for tests of the index, made from nothing but names."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from sqlalchemy import select

from vna.index import receptions
from vna.index.candidate import Candidate
from vna.index.engine import Session
from vna.index.tables import organisation
from vna.model.archive import Place

SEGMENT = "01TESTSEGMENT0000000000000"


def candidate(
    session: Session,
    *,
    study: str = "1.2.1",
    series: str = "1.2.1.1",
    sop: str = "1.2.1.1.1",
    patient: str = "P1",
    content: str = "a",
    pixels: str = "p",
    authority: str = "",
    description: str = "TORAX",
) -> Candidate:
    """One CT image. `content` decides the data set, `pixels` its pixel section."""
    body = f"{study}/{series}/{sop}/{patient}/{content}".encode()
    digest = hashlib.sha256(body).digest()
    return Candidate(
        partition=1,
        study_uid=study,
        series_uid=series,
        sop_uid=sop,
        sop_class="1.2.840.10008.5.1.4.1.1.2",
        patient={
            "00100010": {"vr": "PN", "Value": [{"Alphabetic": "PRUEBA^ANA"}]},
            "00100020": {"vr": "LO", "Value": [patient]} if patient else {"vr": "LO"},
        },
        study={
            "00080020": {"vr": "DA", "Value": ["20260101"]},
            "00081030": {"vr": "LO", "Value": [description]} if description else {"vr": "LO"},
            "0020000D": {"vr": "UI", "Value": [study]},
        },
        series={
            "00080060": {"vr": "CS", "Value": ["CT"]},
            "0020000E": {"vr": "UI", "Value": [series]},
        },
        instance={
            "00080016": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.2"]},
            "00080018": {"vr": "UI", "Value": [sop]},
            "00200013": {"vr": "IS", "Value": ["1"]},
        },
        patient_id=patient,
        authority=authority,
        sha256=digest,
        xxh3=digest[:16],
        size=len(body),
        dataset_xxh3=hashlib.sha256(body + b"d").digest()[:16],
        pixel_xxh3=hashlib.sha256(pixels.encode()).digest()[:16],
        transfer_syntax="1.2.840.10008.1.2.1",
        anatomy=b"anatomy",
        header=b"header " * 40 + body,
        oddities=(),
        organisation_fk=_organisation(session),
        reception_fk=_reception(session),
    )


def placed(each: Candidate, offset: int = 0) -> tuple[Candidate, Place]:
    """A candidate with some place of its own."""
    return each, Place(SEGMENT, offset, each.size)


def with_policy(each: Candidate, **changes: object) -> Candidate:
    """A copy with other fields."""
    return replace(each, **changes)  # type: ignore[arg-type]


def _organisation(session: Session) -> int:
    return int(session.execute(select(organisation.c.pk).limit(1)).scalar_one())


def _reception(session: Session) -> int:
    from vna.index.tables import reception

    found = session.execute(select(reception.c.pk).limit(1)).scalar()
    if found is not None:
        return int(found)
    return receptions.begin(
        session,
        source="test",
        caller="test",
        peer="",
        path="",
        organisation_fk=_organisation(session),
    )

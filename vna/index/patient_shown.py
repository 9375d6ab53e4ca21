"""The patient that is shown for a study: its identifier's link may replace what objects say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import and_, literal_column

from vna.dicom.edit import Edit
from vna.index.tables import demographics, patient_link, study

# Name, id, issuer, birth date and sex: what names a patient. The rest of the patient module
# (comments, species, …) says something of the moment of the study and stays.
NAMING_TAGS = ("00100010", "00100020", "00100021", "00100030", "00100040")

_OWN = demographics.alias()
# A study with the patient that a link shows for it; what `of` reads of each row.
STUDY_AND_PATIENT = (
    study.outerjoin(_OWN, _OWN.c.pk == study.c.demographics_fk)
    .outerjoin(
        patient_link,
        and_(
            patient_link.c.identifier_fk == _OWN.c.identifier_fk,
            patient_link.c.until == literal_column("0"),
        ),
    )
    .outerjoin(demographics, demographics.c.pk == patient_link.c.shown_fk)
)
COLUMNS = (
    demographics.c.attributes.label("patient"),
    patient_link.c.pk.label("link"),
    patient_link.c.since.label("link_since"),
)


@dataclass(frozen=True, slots=True)
class PatientShown:
    """What replaces or removes the patient that a study's objects name.

    `link`: key of the link that says so, 0 where each object shows its own; `since`: in ms.
    """

    edits: tuple[Edit, ...] = ()
    link: int = 0
    since: int = 0


def of(row: Any) -> PatientShown:
    """The patient shown for a study, by a row of `STUDY_AND_PATIENT`."""
    if row.patient is None:
        return PatientShown()
    attributes: dict[str, Any] = orjson.loads(row.patient)
    edits = tuple(Edit(tag, attributes.get(tag)) for tag in NAMING_TAGS)
    return PatientShown(edits, row.link, row.link_since)

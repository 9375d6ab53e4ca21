"""The patient that is shown for a study: its identifier's link may replace what objects say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import bindparam, literal_column, select

from vna.dicom.edit import Edit
from vna.index.engine import Session
from vna.index.fixed import Fixed
from vna.index.tables import demographics, patient_link, study

# Name, id, issuer, birth date and sex: what names a patient. The rest of the patient module
# (comments, species, …) says something of the moment of the study and stays.
NAMING_TAGS = ("00100010", "00100020", "00100021", "00100030", "00100040")

_OWN = demographics.alias()
_SHOWN = Fixed(
    select(demographics.c.attributes, patient_link.c.pk, patient_link.c.since)
    .select_from(study)
    .join(_OWN, _OWN.c.pk == study.c.demographics_fk)
    .join(patient_link, patient_link.c.identifier_fk == _OWN.c.identifier_fk)
    .join(demographics, demographics.c.pk == patient_link.c.shown_fk)
    .where(study.c.pk == bindparam("study_fk"), patient_link.c.until == literal_column("0"))
)


@dataclass(frozen=True, slots=True)
class PatientShown:
    """What replaces or removes the patient that a study's objects name.

    `link`: key of the link that says so, 0 where each object shows its own; `since`: in ms.
    """

    edits: tuple[Edit, ...] = ()
    link: int = 0
    since: int = 0


def of_study(session: Session, study_fk: int) -> PatientShown:
    """The patient shown for a study."""
    rows = session.fetch(_SHOWN, {"study_fk": study_fk})
    if not rows:
        return PatientShown()
    (found,) = rows
    attributes: dict[str, Any] = orjson.loads(found.attributes)
    edits = tuple(Edit(tag, attributes.get(tag)) for tag in NAMING_TAGS)
    return PatientShown(edits, found.pk, found.since)

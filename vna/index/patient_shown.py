"""The patient that is shown for a study: its identifier's link may replace what objects say."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import literal_column, select

from vna.dicom.edit import Edit
from vna.index.engine import Session
from vna.index.tables import demographics, patient_link, study

# Name, id, issuer, birth date and sex: what names a patient. The rest of the patient module
# (comments, species, …) says something of the moment of the study and stays.
NAMING_TAGS = ("00100010", "00100020", "00100021", "00100030", "00100040")


def edits(session: Session, study_fk: int) -> list[Edit]:
    """What replaces or removes the patient that the objects of a study name; often nothing."""
    own = demographics.alias()
    shown = session.execute(
        select(demographics.c.attributes)
        .select_from(study)
        .join(own, own.c.pk == study.c.demographics_fk)
        .join(patient_link, patient_link.c.identifier_fk == own.c.identifier_fk)
        .join(demographics, demographics.c.pk == patient_link.c.shown_fk)
        .where(study.c.pk == study_fk, patient_link.c.until == literal_column("0"))
    ).scalar()
    if shown is None:
        return []
    attributes: dict[str, Any] = orjson.loads(shown)
    return [Edit(tag, attributes.get(tag)) for tag in NAMING_TAGS]

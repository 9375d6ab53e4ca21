"""One received object as the index sees it, before it is decided what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from vna.index.coerce import Coerced
from vna.index.keys import indexed
from vna.model.archive import DuplicatePolicy, IdentifierKind, Place

Attributes = Mapping[str, Any]  # DICOM JSON, PS3.18 §F


class Finding(Enum):
    """What comparing the bytes with those that stand has shown before they were written."""

    NOTHING = "nothing"
    EQUIVALENT = "equivalent"  # equal content in another transfer syntax
    HEALS = "heals"  # equal data set, and the stored copy is missing or damaged


@dataclass(frozen=True, slots=True)
class Candidate:
    """Everything of one object that its rows are made of.

    `patient` … `instance`: the attributes of each level. `authority`: who issued `patient_id`, ''
    where nobody says. `header`, `anatomy`: encoded (docs/formats.md), the header not compressed.
    `object_fk`: its object has a row already; it is held and being released. `coerced`: what a rule
    of its sender changes of it.
    """

    partition: int
    study_uid: str
    series_uid: str
    sop_uid: str
    sop_class: str
    patient: Attributes
    study: Attributes
    series: Attributes
    instance: Attributes
    patient_id: str
    authority: str
    sha256: bytes
    xxh3: bytes
    size: int
    dataset_xxh3: bytes
    pixel_xxh3: bytes
    transfer_syntax: str
    anatomy: bytes
    header: bytes
    oddities: tuple[str, ...]
    organisation_fk: int
    reception_fk: int
    policy: DuplicatePolicy = DuplicatePolicy.VERSION
    finding: Finding = Finding.NOTHING
    object_fk: int = 0
    coerced: Coerced | None = None

    @property
    def identifier(self) -> tuple[IdentifierKind, str, str]:
        """Kind, authority and value of who the patient is; an empty PatientID means one patient
        per study (architecture decision 4)."""
        if self.patient_id:
            return IdentifierKind.PATIENT, indexed(self.authority), indexed(self.patient_id)
        return IdentifierKind.STUDY_BOUND, "", self.study_uid


@dataclass(frozen=True, slots=True)
class Standing:
    """One stored version of a SOP Instance UID, or a held object of it."""

    series_uid: str
    study_uid: str
    dataset_xxh3: bytes
    pixel_xxh3: bytes
    transfer_syntax: str
    patient_id: str
    version: int  # 0: held
    current: bool
    hidden: bool  # it, its series, its study or its item lies in the trash
    instance_fk: int  # 0: held
    object_fk: int
    place: Place
    sha256: bytes
    xxh3: bytes
    size: int
    anatomy: bytes
    released: bool = False  # it was held and is shown now, perhaps under other UIDs


Placed = tuple[Candidate, Place]

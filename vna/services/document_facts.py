"""What is said of a document: by its sender, by the archive, and by who looks for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from vna.dicom import temporal
from vna.errors import InvalidValue
from vna.model.patient import PatientIdentifier
from vna.services.correctable import value_of

LONGEST_TEXT = 1024  # characters of a title or an author
LONGEST_CODE = 64
_MEDIA_TYPE = re.compile(r"[!#$&^_.+\-\w]{1,127}/[!#$&^_.+\-\w]{1,127}(?:\s*;[\x20-\x7e]{1,256})?")
_UID = re.compile(r"(?=.{1,64}\Z)(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """What the sender says of a document. Dates and times are DICOM DA and DT text."""

    title: str
    type_code: str
    media_type: str
    patient: PatientIdentifier | None = None
    patient_name: str = ""  # DICOM PN text
    birth_date: str = ""
    author: str = ""
    created: str = ""
    uid: str = ""  # '' = the archive gives a 2.25 UID


@dataclass(frozen=True, slots=True)
class Document:
    """A stored document. `patient…` as shown now, after merges and corrections.

    `hidden`: it lies in the trash, and only restoring it shows it.
    """

    uid: str
    title: str
    type_code: str
    media_type: str
    author: str
    created: str
    patient: PatientIdentifier | None
    patient_id: str
    patient_name: str
    birth_date: str
    size: int
    sha256: bytes
    received_at: int
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class DocumentQuery:
    """`title`: words in any order, by prefix, without case and accents. `created_*`: inclusive DA
    or DT text. `after`: the `cursor` of the last page."""

    uid: str | None = None
    title: str | None = None
    type_code: str | None = None
    patient: PatientIdentifier | None = None
    created_from: str | None = None
    created_to: str | None = None
    limit: int = 100
    after: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """Newest reception first. `cursor`: for the next page; None on the last."""

    documents: tuple[Document, ...]
    cursor: tuple[int, int] | None


def check(facts: DocumentFacts) -> None:
    """Raise `InvalidValue` for facts that are wrong."""
    for name, text, longest in (
        ("title", facts.title, LONGEST_TEXT),
        ("type_code", facts.type_code, LONGEST_CODE),
        ("author", facts.author, LONGEST_TEXT),
    ):
        if len(text) > longest or _CONTROL.search(text):
            raise InvalidValue(name, text, f"have at most {longest} characters and no controls")
    if not facts.title.strip():
        raise InvalidValue("title", facts.title, "not be empty")
    if not _MEDIA_TYPE.fullmatch(facts.media_type):
        raise InvalidValue(
            "media_type", facts.media_type, "be a media type such as application/pdf"
        )
    if facts.created and temporal.moment(facts.created) is None:
        raise InvalidValue("created", facts.created, "be a date or a time (DICOM DT)")
    if facts.uid and not _UID.fullmatch(facts.uid):
        raise InvalidValue("uid", facts.uid, "be a UID (PS3.5 §9.1)")
    if facts.patient is not None and not facts.patient.value.strip():
        raise InvalidValue("patient", facts.patient.value, "not be empty")
    if facts.patient is None and (facts.patient_name or facts.birth_date):
        raise InvalidValue("patient", "", "be given with a name or a birth date")
    patient_said(facts)


def patient_said(facts: DocumentFacts) -> dict[str, Any]:
    """DICOM JSON of the patient level, as far as the sender says."""
    said = {
        "00100010": facts.patient_name,
        "00100020": facts.patient.value if facts.patient else "",
        "00100021": facts.patient.authority if facts.patient else "",
        "00100030": facts.birth_date,
    }
    return {tag: value_of(tag, [text]) for tag, text in said.items() if text}

"""Who a patient is called by: an identifier and the authority that issued it."""

from __future__ import annotations

from dataclasses import dataclass

from vna.model.archive import IdentifierKind


@dataclass(frozen=True, slots=True)
class PatientIdentifier:
    """`value` as issued by `authority` ('' = the issuer is not known).

    With `kind` STUDY_BOUND, `value` is the UID of a study that came without a PatientID.
    """

    authority: str
    value: str
    kind: IdentifierKind = IdentifierKind.PATIENT

    def __str__(self) -> str:
        return f"{self.authority}|{self.value}" if self.authority else self.value


def parse_identifier(text: str) -> PatientIdentifier:
    """Read "ID", "AUTHORITY|ID" or "study:STUDYUID" (a study without a PatientID)."""
    if text.startswith("study:"):
        return PatientIdentifier("", text.removeprefix("study:"), IdentifierKind.STUDY_BOUND)
    authority, bar, value = text.rpartition("|")
    return PatientIdentifier(authority if bar else "", value)

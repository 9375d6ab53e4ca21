"""Which patient an identifier means: merge, unmerge, and what is shown of a patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vna.model.caller import Caller
from vna.model.patient import PatientIdentifier


@dataclass(frozen=True, slots=True)
class PatientOperation:
    """A merge or correction. `at` and `ended_at` in ms since 1970 UTC; `ended_at` 0: in force."""

    operation: str  # ULID
    kind: str  # "merge", "correction"
    source: PatientIdentifier
    target: PatientIdentifier | None
    values: Mapping[str, str | None]  # of a correction: keyword → text, None removes it
    at: int
    actor: str
    reason: str
    ended_at: int


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """A patient as it stands now. `shown`: DICOM JSON of the patient level."""

    identifiers: tuple[PatientIdentifier, ...]
    shown: Mapping[str, Any]
    studies: int
    operations: tuple[PatientOperation, ...]


class Patients:
    """Patients, addressed by identifier. Nothing here rewrites a study, a series or an instance.

    Every change is durable, audited and in the change feed when its call returns; each call names
    its operation by a ULID. Raises `NotFound` for an identifier the caller sees nothing of,
    `Forbidden` without the right to correct.
    """

    def find(self, caller: Caller, identifier: PatientIdentifier) -> PatientRecord:
        """The patient that `identifier` means now."""
        raise NotImplementedError

    def merge(
        self, caller: Caller, source: PatientIdentifier, target: PatientIdentifier, reason: str
    ) -> str:
        """From now on `source` means the patient of `target` and shows its demographics.

        Raises `Conflict` when they already mean one patient.
        """
        raise NotImplementedError

    def unmerge(self, caller: Caller, merged: str | PatientIdentifier, reason: str) -> str:
        """Take back a merge, named by its operation or by the identifier that was merged away."""
        raise NotImplementedError

    def correct(
        self,
        caller: Caller,
        identifier: PatientIdentifier,
        values: Mapping[str, str | None],
        reason: str,
    ) -> str:
        """Show other values for every study of the patient. Keywords: PatientName,
        PatientBirthDate, PatientSex, PatientID, IssuerOfPatientID; None removes."""
        raise NotImplementedError

    def withdraw(self, caller: Caller, operation: str, reason: str) -> str:
        """Take back a correction made by `correct`."""
        raise NotImplementedError

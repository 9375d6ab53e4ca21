"""/api/v1/patients: which patient an identifier means, and what is shown of a patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vna.api.endpoint import Call, Endpoint, moment
from vna.api.held import Done
from vna.errors import InvalidValue
from vna.model.patient import parse_identifier
from vna.services.patients import PatientOperation, PatientRecord, Patients


@dataclass(frozen=True, slots=True)
class OperationView:
    """A merge or a correction; `ended_at` is null while it is in force."""

    operation: str
    kind: str
    source: str
    target: str | None
    values: Mapping[str, str | None]
    at: str | None
    actor: str
    reason: str
    ended_at: str | None


@dataclass(frozen=True, slots=True)
class PatientView:
    """A patient as it stands. Identifiers are "ID" or "AUTHORITY|ID"; `shown`: DICOM JSON."""

    identifiers: list[str]
    shown: Mapping[str, Any]
    studies: int
    operations: list[OperationView]


@dataclass(frozen=True, slots=True)
class Merge:
    """From now on `source` means the patient of `target`."""

    source: str
    target: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unmerge:
    """Name the merge by its `operation`, or by the `source` that it merged away."""

    reason: str
    operation: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class PatientCorrection:
    """`values`: PatientName, PatientBirthDate, PatientSex, PatientID, IssuerOfPatientID; null
    removes one."""

    identifier: str
    values: dict[str, str | None]
    reason: str


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """`operation`: what to take back."""

    operation: str
    reason: str


def operations(patients: Patients) -> list[Endpoint]:
    """The operations of patients."""

    def show_patient(call: Call) -> PatientView:
        """The patient that an identifier means now."""
        return _view(patients.find(call.caller, parse_identifier(call.path["identifier"])))

    def merge_patients(call: Call) -> Done:
        """Let one identifier mean the patient of another. No study is rewritten."""
        body: Merge = call.body
        source, target = parse_identifier(body.source), parse_identifier(body.target)
        return Done(patients.merge(call.caller, source, target, body.reason))

    def unmerge_patients(call: Call) -> Done:
        """Take back a merge."""
        body: Unmerge = call.body
        if (body.operation is None) == (body.source is None):
            raise InvalidValue("operation", "", "be given, or else source")
        merged = body.operation or parse_identifier(body.source or "")
        return Done(patients.unmerge(call.caller, merged, body.reason))

    def correct_patient(call: Call) -> Done:
        """Show other values for every study of a patient."""
        body: PatientCorrection = call.body
        identifier = parse_identifier(body.identifier)
        return Done(patients.correct(call.caller, identifier, body.values, body.reason))

    def withdraw_patient_correction(call: Call) -> Done:
        """Take back a correction of a patient."""
        body: Withdrawal = call.body
        return Done(patients.withdraw(call.caller, body.operation, body.reason))

    return [
        Endpoint("POST", "/patients/merge", merge_patients, Done, body=Merge),
        Endpoint("POST", "/patients/unmerge", unmerge_patients, Done, body=Unmerge),
        Endpoint("POST", "/patients/correct", correct_patient, Done, body=PatientCorrection),
        Endpoint("POST", "/patients/withdraw", withdraw_patient_correction, Done, body=Withdrawal),
        Endpoint("GET", "/patients/{identifier:rest}", show_patient, PatientView),
    ]


def _view(record: PatientRecord) -> PatientView:
    return PatientView(
        identifiers=[str(each) for each in record.identifiers],
        shown=record.shown,
        studies=record.studies,
        operations=[_operation(each) for each in record.operations],
    )


def _operation(each: PatientOperation) -> OperationView:
    return OperationView(
        operation=each.operation,
        kind=each.kind,
        source=str(each.source),
        target=str(each.target) if each.target else None,
        values=each.values,
        at=moment(each.at),
        actor=each.actor,
        reason=each.reason,
        ended_at=moment(each.ended_at),
    )

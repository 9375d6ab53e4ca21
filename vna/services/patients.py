"""Which patient an identifier means: merge, unmerge, and what is shown of a patient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vna.dicom.dictionary import keyword_of
from vna.errors import Conflict, InvalidValue, UnknownName
from vna.index import identity, patient_operations
from vna.index.engine import Change, Index, Session
from vna.index.patient_operations import Group, OperationKind
from vna.model.caller import Caller, Right
from vna.model.patient import PatientIdentifier
from vna.services.correctable import value_of
from vna.services.journal import Journal, Stamp
from vna.services.rights import require

CORRECTABLE = {
    "PatientName": "00100010",
    "PatientID": "00100020",
    "IssuerOfPatientID": "00100021",
    "PatientBirthDate": "00100030",
    "PatientSex": "00100040",
}


@dataclass(frozen=True, slots=True)
class PatientOperation:
    """A merge or correction. `at` and `ended_at` in ms since 1970 UTC; `ended_at` 0: in force."""

    operation: str  # ULID
    kind: str  # "merge", "correction"
    source: PatientIdentifier
    target: PatientIdentifier | None
    values: Mapping[str, Any]  # of a correction: keyword → DICOM JSON attribute, None removes it
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

    def __init__(self, index: Index, journal: Journal) -> None:
        self._index = index
        self._journal = journal

    def find(self, caller: Caller, identifier: PatientIdentifier) -> PatientRecord:
        """The patient that `identifier` means now."""
        require(caller, Right.READ)
        with self._index.reading() as session:
            key = _visible(session, caller, identifier)
            keys = identity.same_patient(session, key)
            called = identity.names(session, keys)
            return PatientRecord(
                tuple(called[each] for each in keys),
                identity.shown_demographics(session, key),
                len(identity.studies(session, keys, caller.organisations)),
                tuple(_operation(each) for each in patient_operations.operations(session, keys)),
            )

    def merge(
        self, caller: Caller, source: PatientIdentifier, target: PatientIdentifier, reason: str
    ) -> str:
        """From now on `source` means the patient of `target` and shows its demographics.

        Raises `Conflict` when they already mean one patient.
        """
        require(caller, Right.CORRECT)
        if source == target:
            raise Conflict("a patient is not merged into itself")
        with self._index.reading() as session:
            keys = [_visible(session, caller, each) for each in (source, target)]
            patient_operations.require_separate(session, *keys)
            shown = identity.own_demographics(session, keys[1])

        def apply(session: Session, stamp: Stamp) -> Group:
            keys = [_visible(session, caller, each) for each in (source, target)]
            return patient_operations.merge(session, keys[0], keys[1], shown, **stamp.columns())

        data = {"source": _named(source), "target": _named(target), "shown": shown}
        return self._record(caller, "patient-merge", data, apply, reason)

    def unmerge(self, caller: Caller, merged: str | PatientIdentifier, reason: str) -> str:
        """Take back a merge, named by its operation or by the identifier that was merged away."""
        require(caller, Right.CORRECT)
        with self._index.reading() as session:
            if isinstance(merged, PatientIdentifier):
                key = _visible(session, caller, merged)
                ended = patient_operations.merge_in_force(session, key)
            else:
                ended = merged
                self._require_standing(session, caller, ended, OperationKind.MERGE)
        return self._end(caller, "patient-unmerge", ended, reason)

    def correct(
        self,
        caller: Caller,
        identifier: PatientIdentifier,
        values: Mapping[str, str | None],
        reason: str,
    ) -> str:
        """Show other values for every study of the patient. Keywords: PatientName,
        PatientBirthDate, PatientSex, PatientID, IssuerOfPatientID; None removes."""
        require(caller, Right.CORRECT)
        edits = _edits(values)
        with self._index.reading() as session:
            key = _visible(session, caller, identifier)
            base = identity.own_demographics(session, key)

        def apply(session: Session, stamp: Stamp) -> Group:
            key = _visible(session, caller, identifier)
            return patient_operations.correct(session, key, base, edits, **stamp.columns())

        data = {"patient": _named(identifier), "base": base, "edits": edits}
        return self._record(caller, "patient-correct", data, apply, reason)

    def withdraw(self, caller: Caller, operation: str, reason: str) -> str:
        """Take back a correction made by `correct`."""
        require(caller, Right.CORRECT)
        with self._index.reading() as session:
            self._require_standing(session, caller, operation, OperationKind.CORRECTION)
        return self._end(caller, "patient-withdraw", operation, reason)

    def _require_standing(
        self, session: Session, caller: Caller, operation: str, kind: OperationKind
    ) -> None:
        found = patient_operations.standing(session, caller.partition, operation, kind)
        identity.require_visible(session, found, caller.organisations)

    def _end(self, caller: Caller, kind: str, ended: str, reason: str) -> str:
        def apply(session: Session, stamp: Stamp) -> Group:
            return patient_operations.end(session, ended, **stamp.columns())

        return self._record(caller, kind, {"ended": ended}, apply, reason)

    def _record(
        self,
        caller: Caller,
        kind: str,
        data: Mapping[str, Any],
        apply: Callable[[Session, Stamp], Group],
        reason: str,
    ) -> str:
        """Apply an operation and announce it once for each study that may show another patient."""

        def announced(session: Session, stamp: Stamp) -> str:
            group = apply(session, stamp)
            detail = {"operation": stamp.operation, "cause": kind}
            session.changes += [
                Change("patient changed", item_fk, study_uid, detail=detail)
                for item_fk, study_uid in identity.studies(session, group.members)
            ] or [Change("patient changed", detail=detail)]
            return stamp.operation

        return self._journal.record(caller, kind, data, announced, reason=reason)


def _visible(session: Session, caller: Caller, who: PatientIdentifier) -> int:
    key = identity.find(session, caller.partition, who)
    identity.require_visible(session, key, caller.organisations)
    return key


def _named(who: PatientIdentifier) -> dict[str, Any]:
    return {"kind": who.kind.name.lower(), "authority": who.authority, "value": who.value}


def _edits(values: Mapping[str, str | None]) -> dict[str, Any]:
    """DICOM JSON by tag."""
    if not values:
        raise InvalidValue("values", "", "name at least one attribute of the patient")
    edits: dict[str, Any] = {}
    for keyword, text in values.items():
        if keyword not in CORRECTABLE:
            raise UnknownName("attribute of a patient", keyword, CORRECTABLE)
        tag = CORRECTABLE[keyword]
        edits[tag] = value_of(tag, None if text is None else [text] if text else [])
    return edits


def _operation(found: patient_operations.Operation) -> PatientOperation:
    return PatientOperation(
        found.operation,
        found.kind.name.lower(),
        found.source,
        found.target,
        {keyword_of(int(tag, 16)): value for tag, value in found.edits.items()},
        found.at,
        found.actor,
        found.reason,
        found.ended_at,
    )

"""The DIMSE tables of the conformance statement (PS3.2), from what the code works by."""

from __future__ import annotations

from collections.abc import Iterable

from dimse import statuses
from dimse.acceptor import REASONS
from dimse.sop_classes import (
    COMMITMENT_PUSH,
    FIND,
    GET,
    INSTANCE_AVAILABILITY,
    MOVE,
    VERIFICATION,
    Service,
    service_of,
)
from vna.errors import VnaError
from vna.model.statement import Row, Table

_ROLES = {
    Service.ECHO: "SCP, SCU",
    Service.STORE: "SCP, SCU",
    Service.FIND: "SCP, SCU of Study Root",
    Service.MOVE: "SCP, SCU of Study Root",
    Service.GET: "SCP, SCU of Study Root",
    Service.COMMIT: "SCP, SCU",
}


def statement() -> tuple[Table, ...]:
    """Every table, in the order of the page."""
    return (
        Table(
            "DIMSE SOP classes",
            "SOP classes over DIMSE",
            "An abstract syntax that no table knows, private or newer, is taken for storage; "
            "so is one that the peer declares as storage (PS3.7 §D.3.3.6). Storage is level 2 "
            "(full), digital signatures level 3, in any transfer syntax; the rest in Explicit and "
            "Implicit VR Little Endian.",
            ("SOP class", "UID", "service", "role"),
            tuple(_classes()),
        ),
        Table(
            "DIMSE statuses",
            "Statuses of C-STORE and others",
            "The most specific row counts. Final statuses of retrievals are those of PS3.4 §C.4.2.",
            ("status", "when"),
            tuple(_statuses()),
        ),
        Table(
            "DIMSE rejections",
            "Associations that are rejected",
            "By result, source and reason (PS3.8 table 9-21); the log says why in words.",
            ("result", "source", "reason", "meaning"),
            tuple((*map(str, key), words) for key, words in REASONS.items()),
        ),
    )


def _classes() -> Iterable[Row]:
    from pydicom.uid import UID
    from pynetdicom.presentation import AllStoragePresentationContexts

    storage = [str(each.abstract_syntax) for each in AllStoragePresentationContexts]
    for uid in (VERIFICATION, *FIND, *MOVE, *GET, COMMITMENT_PUSH, *sorted(storage)):
        service = service_of(uid)
        yield UID(uid).name, uid, service.value, _ROLES[service]
    uid = INSTANCE_AVAILABILITY
    yield UID(uid).name, uid, "instance availability", "SCU"


def _statuses() -> Iterable[Row]:
    yield f"{statuses.SUCCESS:04X}", "durable and indexed, or known already"
    for warning, status in statuses.WARNINGS.items():
        yield f"{status:04X}", f"{statuses.WORDS[warning]} ({warning})"
    for kind, status in statuses.FAILURES:
        yield f"{status:04X}", _said(kind)
    yield f"{statuses.PROCESSING_FAILURE:04X}", "any other"


def _said(kind: type[VnaError]) -> str:
    return f"`{kind.code}`"

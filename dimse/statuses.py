"""Our errors and outcomes as DIMSE statuses (PS3.7 annex C, PS3.4 §B.2.3, §C.4)."""

from __future__ import annotations

from vna.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    NotAcceptable,
    NotFound,
    ObjectRefused,
    Refused,
    Unavailable,
    VnaError,
)
from vna.model.archive import Outcome

SUCCESS = 0x0000
PROCESSING_FAILURE = 0x0110
NO_SUCH_INSTANCE = 0x0112
NO_SUCH_EVENT = 0x0113
INVALID_ARGUMENT = 0x0115
INVALID_INSTANCE = 0x0117
MISSING_ATTRIBUTE = 0x0120
NO_SUCH_CLASS = 0x0122
NO_SUCH_ACTION = 0x0123
NOT_AUTHORISED = 0x0124
UNRECOGNISED = 0x0211
OUT_OF_RESOURCES = 0xA700
NO_MATCHES_CALCULATED = 0xA701
NO_SUB_OPERATIONS = 0xA702
UNKNOWN_DESTINATION = 0xA801
DOES_NOT_MATCH = 0xA900
CANNOT_UNDERSTAND = 0xC000
WARNING = 0xB000
NOT_OF_ITS_CLASS = 0xB007
CANCELLED = 0xFE00
PENDING = 0xFF00
PENDING_UNSUPPORTED = 0xFF01  # optional keys were not matched, only named

WARNINGS = {
    "version": WARNING,
    "held": WARNING,
    "hidden": WARNING,
    "odd": NOT_OF_ITS_CLASS,
    "coerced": WARNING,
}
WORDS = {
    "version": "kept as another version of a known instance",
    "held": "kept; waits for a decision, as it contradicts what is known",
    "hidden": "kept, but what it belongs to is in the trash",
    "odd": "kept; the object breaks a rule of its class",
    "coerced": "kept; attributes are shown as a rule for this AE has them",
}
FAILURES: tuple[tuple[type[VnaError], int], ...] = (
    (Unavailable, OUT_OF_RESOURCES),
    (Forbidden, NOT_AUTHORISED),
    (Refused, PROCESSING_FAILURE),
    (ObjectRefused, DOES_NOT_MATCH),
    (Conflict, PROCESSING_FAILURE),
    (NotFound, NO_SUCH_INSTANCE),
    (NotAcceptable, PROCESSING_FAILURE),
    (BadRequest, CANNOT_UNDERSTAND),
)


def stored(outcome: Outcome) -> tuple[int, str]:
    """Status and comment for an object that was kept."""
    if outcome.warning is None:
        return SUCCESS, ""
    return WARNINGS[outcome.warning], WORDS[outcome.warning]


def failure(error: BaseException) -> tuple[int, str]:
    """Status and comment for what went wrong; what is no error of ours is told as nothing more."""
    for kind, status in FAILURES:
        if isinstance(error, kind):
            return status, str(error)
    if isinstance(error, VnaError):
        return PROCESSING_FAILURE, str(error)
    return PROCESSING_FAILURE, "an error in the archive; its log has more"


def is_warning(status: int) -> bool:
    """Whether an operation was done, with something to tell (PS3.7 §C.3)."""
    return status & 0xF000 == 0xB000 or status in (0x0001, 0x0107, 0x0116)

"""Exit codes: fixed, documented in docs/operate.md, decided here for every verb."""

from __future__ import annotations

from enum import IntEnum

from vna import errors


class Exit(IntEnum):
    """What a verb ends with."""

    OK = 0
    FAILED = 1  # refused by the state of the archive, or unexpected
    USAGE = 2
    NOT_FOUND = 3
    PARTIAL = 4  # some of several failed; each is named
    DAMAGED = 5  # an integrity problem was found
    REMOTE = 6  # another machine could not be reached or refused
    FORBIDDEN = 7
    CONFIGURATION = 8
    UNAVAILABLE = 9  # storage or database full, failed or out of reach
    INTERRUPTED = 130  # by SIGINT; what was done stays done


MEANING = {
    Exit.OK: "done",
    Exit.FAILED: "the state of the archive stands against it, or an unexpected error",
    Exit.USAGE: "the command line or a value in it is wrong",
    Exit.NOT_FOUND: "nothing of that name, or no match",
    Exit.PARTIAL: "some of several failed; the output names each",
    Exit.DAMAGED: "stored bytes are missing or differ from their digest",
    Exit.REMOTE: "another machine could not be reached or refused",
    Exit.FORBIDDEN: "a right is missing",
    Exit.CONFIGURATION: "a setting is unknown or out of its domain",
    Exit.UNAVAILABLE: "storage or database full, failed or out of reach; try again",
    Exit.INTERRUPTED: "interrupted; running it again continues",
}

_BY_ERROR: tuple[tuple[type[errors.VnaError], Exit], ...] = (
    (errors.BadRequest, Exit.USAGE),
    (errors.NotFound, Exit.NOT_FOUND),
    (errors.NotAcceptable, Exit.USAGE),
    (errors.RangeNotSatisfiable, Exit.USAGE),
    (errors.Unauthenticated, Exit.FORBIDDEN),
    (errors.TooManyAttempts, Exit.FORBIDDEN),
    (errors.Forbidden, Exit.FORBIDDEN),
    (errors.Conflict, Exit.FAILED),
    (errors.Unavailable, Exit.UNAVAILABLE),
    (errors.Damaged, Exit.DAMAGED),
    (errors.RemoteFailed, Exit.REMOTE),
    (errors.InvalidConfiguration, Exit.CONFIGURATION),
)


def exit_of(error: errors.VnaError) -> Exit:
    """The code for an error of the archive."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), Exit.FAILED)

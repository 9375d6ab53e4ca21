"""Which HTTP status says which error of the archive.

The most specific class of `STATUS` counts. An `InvalidValue` is told without the value: it may be a
patient's name.
"""

from __future__ import annotations

from typing import Any

from vna.errors import (
    BadRequest,
    Conflict,
    Damaged,
    DecoderFailed,
    Forbidden,
    Gone,
    InvalidConfiguration,
    InvalidValue,
    KeyNotIndexed,
    NotAcceptable,
    NotFound,
    RangeNotSatisfiable,
    TooManyAttempts,
    Unauthenticated,
    Unavailable,
    UnknownName,
    UnsupportedMedia,
    VnaError,
)
from vna.http.answer import Answer, Headers, problem


class BodyTooLarge(BadRequest):
    """The request has more bytes than its resource takes."""

    code = "body-too-large"


class SlowBody(BadRequest):
    """No byte of the request's body arrived for too long."""

    code = "body-timeout"


STATUS: dict[type[VnaError], int] = {
    BadRequest: 400,
    BodyTooLarge: 413,
    SlowBody: 408,
    UnsupportedMedia: 415,
    Unauthenticated: 401,
    TooManyAttempts: 429,
    Forbidden: 403,
    NotFound: 404,
    Gone: 410,
    NotAcceptable: 406,
    Conflict: 409,
    RangeNotSatisfiable: 416,
    Damaged: 500,
    DecoderFailed: 500,
    InvalidConfiguration: 500,
    Unavailable: 503,
    VnaError: 500,
}


def status_of(error: VnaError) -> int:
    """The HTTP status that says `error`."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def problem_of(error: VnaError) -> Answer:
    """The answer that says `error`."""
    answer = problem(status_of(error), error.code, _detail(error), _facts(error))
    return Answer(answer.status, answer.headers + _headers(error), answer.body)


def internal_error() -> Answer:
    """The answer to our own fault; the log knows more."""
    return problem(500, "internal", "the server failed; its log says how")


def no_such_path() -> Answer:
    """404 for a path that names no resource."""
    return problem(404, "not-found", "no resource has this path")


def method_not_allowed(allowed: tuple[str, ...]) -> Answer:
    """405 with what the resource allows."""
    methods = ", ".join(allowed)
    answer = problem(405, "method-not-allowed", f"this resource allows {methods}")
    return Answer(405, (*answer.headers, ("Allow", methods)), answer.body)


def _detail(error: VnaError) -> str:
    if isinstance(error, InvalidValue):
        return f"{error.name} must {error.rule}"
    return str(error)


def _facts(error: VnaError) -> dict[str, Any]:
    match error:
        case UnknownName():
            return {"name": error.name[:80], "nearest": error.nearest}
        case InvalidValue() | KeyNotIndexed():
            return {"name": error.name}
        case RangeNotSatisfiable():
            return {"size": error.size}
        case Unavailable() | TooManyAttempts():
            return {"retry_after_seconds": error.retry_after_seconds}
        case _:
            return {}


def _headers(error: VnaError) -> Headers:
    match error:
        case RangeNotSatisfiable():
            return (("Content-Range", f"bytes */{error.size}"),)
        case Unauthenticated():
            return (("WWW-Authenticate", 'Bearer realm="archive"'),)
        case Unavailable() | TooManyAttempts():
            return (("Retry-After", str(error.retry_after_seconds)),)
        case _:
            return ()

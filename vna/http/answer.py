"""An answer as a value: what handlers give back, and the few shapes all of them share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from vna.http.request import Request
from vna.wire.byte_range import parse_range

Headers = tuple[tuple[str, str], ...]

# Clinical content: a browser may keep it, but asks each time; a proxy may not.
PRIVATE: Headers = (("Cache-Control", "private, no-cache"),)


@dataclass(frozen=True, slots=True)
class Stream:
    """A body made while it is sent. `size` in bytes, None where it is not known beforehand;
    `chunks` is called once and iterated on plain threads."""

    size: int | None
    chunks: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers without Content-Length, and the body."""

    status: int
    headers: Headers = ()
    body: bytes | Stream = b""

    @property
    def size(self) -> int | None:
        """Bytes of the body, None where they are not known."""
        return len(self.body) if isinstance(self.body, bytes) else self.body.size


def json_answer(value: Any, status: int = 200, headers: Headers = ()) -> Answer:
    """`value` as application/json."""
    body = orjson.dumps(value)
    return Answer(status, (("Content-Type", "application/json"), *PRIVATE, *headers), body)


def not_modified(request: Request, etag: str) -> Answer | None:
    """304 where the client holds the entity already (RFC 9110 §13.1.2); `etag` is unquoted."""
    held = request.header("if-none-match")
    if held is None:
        return None
    tags = {each.strip().removeprefix("W/").strip('"') for each in held.split(",")}
    if etag in tags or "*" in tags:
        return Answer(304, (("ETag", f'"{etag}"'), *PRIVATE))
    return None


def ranged(
    request: Request,
    headers: Headers,
    etag: str,
    size: int,
    chunks: Callable[[int, int | None], Iterator[bytes]],
) -> Answer:
    """The one range asked for (206), or everything (200). Raises `RangeNotSatisfiable`.

    `chunks(start, length)` opens a part of the body; None as length means up to its end.
    """
    headers = (*headers, ("ETag", f'"{etag}"'), ("Accept-Ranges", "bytes"), *PRIVATE)
    wanted = request.header("range")
    condition = request.header("if-range")
    if condition is not None and condition.strip().strip('"') != etag:
        wanted = None
    part = parse_range(wanted, size)
    if part is None:
        return Answer(200, headers, Stream(size, lambda: chunks(0, None)))
    start, length = part.start, part.length
    return Answer(
        206,
        (*headers, ("Content-Range", part.content_range)),
        Stream(length, lambda: chunks(start, length)),
    )


def problem(status: int, code: str, detail: str, facts: Mapping[str, Any] | None = None) -> Answer:
    """An error for machines and people (RFC 9457). `code` is stable and names the `type`."""
    body = {"type": f"urn:vna:problem:{code}", "status": status, "code": code, "detail": detail}
    return Answer(
        status,
        (("Content-Type", "application/problem+json"), ("Cache-Control", "no-store")),
        orjson.dumps(body | dict(facts or {})),
    )

"""One operation of /api/v1: what it takes and gives as types, and how HTTP reaches it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from vna.api.reading import from_json, from_query
from vna.errors import NotFound
from vna.http.answer import PRIVATE, Answer
from vna.http.body import Body
from vna.http.request import Request
from vna.http.router import Intake, Route
from vna.model.caller import Caller

BODY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Nothing:
    """No parameters."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to an operation. `path`: the values of the path; `query` and `body` are of the
    types that the operation declares."""

    caller: Caller
    path: dict[str, str]
    query: Any
    body: Any
    request: Request

    def id(self) -> int:
        """The number that the path names. Raises `NotFound` for what is no number."""
        text = self.path["id"]
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            raise NotFound("nothing has this id")
        return int(text)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An operation that takes parameters or a small JSON body.

    `query` and `body` are dataclasses (`Nothing`: none); `result` is the type that `handle` gives
    (None: 204), or `Answer` where it makes its own, described by `media_type`. The docstring of
    `handle` is its description in the OpenAPI document, its name the operation's id.
    """

    method: str
    path: str
    handle: Callable[[Call], Any]
    result: Any
    query: type = Nothing
    body: type = Nothing
    status: int = 200
    media_type: str = "application/json"

    def route(self) -> Route:
        """The operation as a route."""
        most = BODY_BYTES if self.body is not Nothing else 0
        return Route(self.method, self.path, self._answer, most)

    def _answer(self, request: Request) -> Answer:
        body = from_json(self.body, request.body) if self.body is not Nothing else None
        result = self.handle(_call(request, self.query, body))
        if isinstance(result, Answer):
            return result
        if result is None:
            return Answer(204, PRIVATE)
        headers = (("Content-Type", "application/json"), *PRIVATE)
        return Answer(self.status, headers, orjson.dumps(result))


@dataclass(frozen=True, slots=True)
class Upload:
    """An operation whose body is content of any size and media type, taken as it arrives."""

    method: str
    path: str
    handle: Callable[[Call, Body], Awaitable[Answer]]
    result: Any
    query: type = Nothing
    status: int = 201

    def route(self) -> Intake:
        """The operation as a route."""
        return Intake(self.method, self.path, self._answer)

    async def _answer(self, request: Request, body: Body) -> Answer:
        return await self.handle(_call(request, self.query, None), body)


Operation = Endpoint | Upload


def moment(ms: int) -> str | None:
    """Milliseconds since 1970 UTC as ISO 8601; None for 0, which means never."""
    if not ms:
        return None
    found = datetime.fromtimestamp(ms / 1000, UTC)
    return found.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _call(request: Request, query: type, body: Any) -> Call:
    parameters = dict(request.parameters)
    return Call(request.caller, parameters, from_query(query, request.query), body, request)

"""A request as a value: what handlers know of HTTP."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from vna.errors import InvalidValue
from vna.model.caller import Caller

Scope = MutableMapping[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """`path` begins below the application's root and is percent-decoded; header names are in lower
    case; `query` keeps order and repetition; `parameters` are the route's; `body` is empty where
    the route takes none."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    caller: Caller
    peer: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The value of a header, or None."""
        return self.headers.get(name)

    def has(self, name: str) -> bool:
        """Whether the query names `name`, with or without a value."""
        return any(key == name for key, _ in self.query)

    def one(self, name: str) -> str | None:
        """The value of a query parameter, or None. Raises `InvalidValue` when it is repeated."""
        values = [value for key, value in self.query if key == name]
        if len(values) > 1:
            raise InvalidValue(name, ", ".join(values), "be given once")
        return values[0] if values else None

    def flag(self, name: str) -> bool:
        """Whether a query parameter is true; false where it is absent. Raises `InvalidValue`."""
        value = self.one(name)
        if value not in (None, "true", "false"):
            raise InvalidValue(name, value, "be true or false")
        return value == "true"


def headers_of(scope: Scope) -> dict[str, str]:
    """The headers of an ASGI scope; repeated ones are joined as lists (RFC 9110 §5.3)."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def query_of(scope: Scope) -> tuple[tuple[str, str], ...]:
    """The decoded query of an ASGI scope. Raises `InvalidValue` unless it is UTF-8."""
    raw: bytes = scope.get("query_string", b"")
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise InvalidValue("query", "", "be percent-encoded UTF-8") from error
    return tuple(pairs)


def peer_of(scope: Scope, headers: Mapping[str, str], *, behind_proxy: bool = False) -> str:
    """The address of the other side, or "" where the server does not know it.

    Behind a proxy it is the one that the proxy saw: the last of X-Forwarded-For. Those before it
    are what the client says.
    """
    client = scope.get("client")
    seen = client[0] if client else ""
    if behind_proxy and (said := headers.get("x-forwarded-for")):
        return said.rpartition(",")[2].strip()[:64] or seen
    return seen


def content_length(headers: Mapping[str, str]) -> int | None:
    """The announced size of the body in bytes; None where it is chunked, 0 where there is none."""
    text = headers.get("content-length")
    if text is not None and text.isascii() and text.isdigit():
        return int(text)
    return None if "transfer-encoding" in headers else 0

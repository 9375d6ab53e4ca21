"""Requests as handlers get them."""

from __future__ import annotations

from urllib.parse import parse_qsl

from vna.http.request import Request
from vna.model.caller import local_administrator


def get(query: str = "", *, headers: dict[str, str] | None = None) -> Request:
    """A GET with a raw query."""
    pairs = tuple(parse_qsl(query, keep_blank_values=True))
    return Request("GET", "/", pairs, headers or {}, local_administrator("127.0.0.1"))

"""Who is asking over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from vna.errors import Unauthenticated
from vna.model.caller import Caller, local_administrator, nobody
from vna.services.access import Access

OPEN = frozenset(("/livez", "/readyz"))  # answer anybody: they tell nothing of what is stored


class Callers(Protocol):
    """Tells who is asking, by the path, headers and address of a request."""

    def at_once(self, path: str, headers: Mapping[str, str], peer: str) -> Caller | None:
        """The caller, where it is known without asking the database. Raises `Unauthenticated`."""

    def looked_up(self, headers: Mapping[str, str], peer: str) -> Caller:
        """The caller, on a thread that may wait. Raises `Unauthenticated`, `IndexUnavailable`."""


class Anybody:
    """Without access control, on loopback: whoever can connect is the administrator."""

    def at_once(self, path: str, headers: Mapping[str, str], peer: str) -> Caller | None:
        """See `Callers`."""
        return local_administrator(peer)

    def looked_up(self, headers: Mapping[str, str], peer: str) -> Caller:
        """See `Callers`."""
        return local_administrator(peer)


class Bearers:
    """With access control: who shows a token (RFC 6750 §2.1)."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def at_once(self, path: str, headers: Mapping[str, str], peer: str) -> Caller | None:
        """See `Callers`."""
        if path in OPEN:
            return nobody(peer)
        return self._access.remembered(_secret(headers), peer)

    def looked_up(self, headers: Mapping[str, str], peer: str) -> Caller:
        """See `Callers`."""
        return self._access.caller_of(_secret(headers), peer)


def _secret(headers: Mapping[str, str]) -> str:
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthenticated("this server wants a token: Authorization: Bearer …")
    return secret.strip()

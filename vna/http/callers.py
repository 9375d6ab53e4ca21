"""Who is asking over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from vna.errors import Unauthenticated
from vna.http.cookie import session_of
from vna.http.origin import refuse_other_pages
from vna.model.caller import Caller, local_administrator, nobody
from vna.model.certificate import Certificate
from vna.services.access import Access
from vna.services.sessions import Sessions

OPEN = frozenset(("/livez", "/readyz"))  # answer anybody: they tell nothing of what is stored
SIGN_IN = ("POST", "/api/v1/session")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a request shows of who is asking. `certificate`: of the connection, checked by TLS."""

    method: str
    path: str
    headers: Mapping[str, str]
    peer: str
    certificate: Certificate | None = None


class Callers(Protocol):
    """Tells who is asking."""

    def at_once(self, shown: Shown) -> Caller | None:
        """The caller, where it is known without asking the database; None where it must be asked.

        Raises `Unauthenticated`, `Forbidden`.
        """

    def looked_up(self, shown: Shown) -> Caller:
        """The caller, on a thread that may wait. Raises `Unauthenticated`, `IndexUnavailable`."""


class Anybody:
    """Without access control, on loopback: whoever can connect is the administrator."""

    def at_once(self, shown: Shown) -> Caller | None:
        """See `Callers`."""
        return local_administrator(shown.peer)

    def looked_up(self, shown: Shown) -> Caller:
        """See `Callers`."""
        return local_administrator(shown.peer)


class Controlled:
    """With access control: who shows a token (RFC 6750 §2.1), else a session's cookie, else a
    certificate. A token that is shown decides alone, good or not.

    A browser adds cookie and certificate to whatever any page has it send, so that these two change
    something only where `public_url` or no page at all asks.
    """

    def __init__(self, access: Access, sessions: Sessions, public_url: str) -> None:
        self._access, self._sessions, self._public_url = access, sessions, public_url

    def at_once(self, shown: Shown) -> Caller | None:
        """See `Callers`."""
        if shown.path in OPEN:
            return nobody(shown.peer)
        if (shown.method, shown.path) == SIGN_IN:
            self._refuse_other_pages(shown)
            return nobody(shown.peer)
        bearer = _bearer(shown.headers)
        if bearer is not None:
            return self._access.remembered(bearer, shown.peer)
        secret = session_of(shown.headers)
        if secret is None and shown.certificate is None:
            raise Unauthenticated("say who is asking: Authorization: Bearer …, or sign in")
        self._refuse_other_pages(shown)
        if secret is not None:
            return self._sessions.remembered(secret, shown.peer)
        assert shown.certificate is not None
        return self._sessions.remembered_by(shown.certificate, shown.peer)

    def looked_up(self, shown: Shown) -> Caller:
        """See `Callers`."""
        bearer = _bearer(shown.headers)
        if bearer is not None:
            return self._access.caller_of(bearer, shown.peer)
        secret = session_of(shown.headers)
        if secret is not None:
            try:
                return self._sessions.caller_of(secret, shown.peer)
            except Unauthenticated:
                if shown.certificate is None:
                    raise
        assert shown.certificate is not None
        return self._sessions.caller_by(shown.certificate, shown.peer)

    def _refuse_other_pages(self, shown: Shown) -> None:
        refuse_other_pages(shown.method, shown.headers, self._public_url)


def _bearer(headers: Mapping[str, str]) -> str | None:
    """The token that is shown; None where there is no Authorization at all."""
    shown = headers.get("authorization")
    if shown is None:
        return None
    scheme, _, secret = shown.partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthenticated("this server takes Authorization: Bearer … only")
    return secret.strip()

"""The cookie of a session (RFC 6265; `__Host-` by draft-ietf-httpbis-rfc6265bis §4.1.3.2)."""

from __future__ import annotations

from collections.abc import Mapping

# With the prefix no other host of the domain can set it, and no plain HTTP.
SECURE, PLAIN = "__Host-vna-session", "vna-session"


def session_of(headers: Mapping[str, str]) -> str | None:
    """The secret of the session that a request shows, or None."""
    found: dict[str, str] = {}
    for each in headers.get("cookie", "").replace(",", ";").split(";"):
        name, _, value = each.strip().partition("=")
        if name in (SECURE, PLAIN):
            found.setdefault(name, value)
    return found.get(SECURE) or found.get(PLAIN) or None


def given(secret: str, *, secure: bool) -> tuple[str, str]:
    """The header that gives a browser the cookie, until it is closed."""
    return "Set-Cookie", _cookie(secret, secure=secure)


def taken(*, secure: bool) -> tuple[str, str]:
    """The header that takes it away."""
    return "Set-Cookie", f"{_cookie('', secure=secure)}; Max-Age=0"


def _cookie(value: str, *, secure: bool) -> str:
    name = SECURE if secure else PLAIN
    return f"{name}={value}; Path=/; HttpOnly; SameSite=Strict{'; Secure' if secure else ''}"

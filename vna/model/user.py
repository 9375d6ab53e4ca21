"""Users: who signs in with a password, or shows a certificate."""

from __future__ import annotations

from dataclasses import dataclass

from vna.model.caller import Role


@dataclass(frozen=True, slots=True)
class User:
    """A user without the password, which is kept by its hash only.

    `organisations`: codes of those whose items are seen; None is all. `certificate`: the SHA-256 or
    a name of the certificate that is as good as the password, '' for none. Times: ms since 1970 UTC
    by the database's clock, 0 for never; `used_at` is known by the minute.
    """

    name: str
    full_name: str
    roles: frozenset[Role]
    organisations: frozenset[str] | None
    has_password: bool = False
    certificate: str = ""
    disabled_at: int = 0
    created_at: int = 0
    created_by: str = ""
    used_at: int = 0

    @property
    def disabled(self) -> bool:
        """Whether nobody gets in as this user."""
        return self.disabled_at > 0


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session: whose, and until when at the latest (ms since 1970 UTC)."""

    user: User
    expires_at: int

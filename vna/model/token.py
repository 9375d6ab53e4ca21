"""Tokens: what programs say who they are by."""

from __future__ import annotations

from dataclasses import dataclass

from vna.model.caller import Role


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret, which is kept by its digest only.

    `organisations`: codes of those whose items are seen; None is all. Times: ms since 1970 UTC by
    the database's clock; `expires_at` and `revoked_at` are 0 where it does not, or was not.
    """

    id: int
    label: str
    roles: frozenset[Role]
    organisations: frozenset[str] | None
    created_at: int
    created_by: str
    expires_at: int
    revoked_at: int

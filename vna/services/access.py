"""Who is asking: bearer tokens become callers."""

from __future__ import annotations

import hashlib
import secrets

from vna.errors import InvalidValue, NotFound, Unauthenticated
from vna.index import audit, organisations, tokens
from vna.index.engine import Index, Session
from vna.model.caller import Caller, Right, Role
from vna.model.token import Token
from vna.services.remembered import Remembered
from vna.services.rights import check_roles, require, rights_of

PREFIX = "vna_"  # of every secret, so that scanners of leaked secrets know one
SECRET_BYTES = 32


class Access:
    """The tokens of the archive. Thread-safe.

    A secret has 256 random bits, so that its SHA-256 may be kept: nobody guesses it, and a slow
    hash would protect nothing.
    """

    def __init__(self, index: Index, remembered: Remembered | None = None) -> None:
        self._index, self._remembered = index, remembered or Remembered()

    def create(
        self,
        caller: Caller,
        label: str,
        roles: frozenset[Role],
        *,
        organisations: frozenset[str] | None = None,
        milliseconds: int = 0,
    ) -> tuple[Token, str]:
        """Make a token; its secret is told this once and never again.

        `organisations`: codes of those whose items it sees, None for all; `milliseconds`: how long
        it is good, 0 for ever. Raises `InvalidValue`, `Forbidden`.
        """
        require(caller, Right.ADMINISTER)
        label = label.strip()
        if not label or len(label) > 100 or not label.isprintable():
            raise InvalidValue("label", label, "say what the token is for, in 1 to 100 characters")
        check_roles(roles, organisations)
        if milliseconds < 0:
            raise InvalidValue("expires", str(milliseconds), "lie in the future")
        secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)

        def work(session: Session) -> Token:
            made = tokens.add(
                session,
                caller.partition,
                _digest(secret),
                label=label,
                roles=roles,
                organisations=organisations,
                created_by=caller.name,
                milliseconds=milliseconds,
            )
            detail = {"roles": sorted(each.value for each in roles)}
            audit.record(session, caller, "token", str(made.id), detail)
            return made

        return self._index.transact(work), secret

    def all(self, caller: Caller) -> list[Token]:
        """Every token, oldest first. Raises `Forbidden`."""
        require(caller, Right.ADMINISTER)
        with self._index.reading() as session:
            return tokens.find(session, caller.partition)

    def revoke(self, caller: Caller, id: int) -> None:
        """Make a token good for nothing, everywhere within five seconds.

        Raises `NotFound`, `Forbidden`.
        """
        require(caller, Right.ADMINISTER)

        def work(session: Session) -> bool:
            revoked = tokens.revoke(session, caller.partition, id)
            if revoked:
                audit.record(session, caller, "token revoked", str(id))
            return revoked

        if not self._index.transact(work):
            raise NotFound(f"no token {id} is in force; vna token list shows those that are")
        self._remembered.clear()

    def remembered(self, secret: str, origin: str) -> Caller | None:
        """The caller of a secret that was seen within five seconds; asks nobody."""
        return self._remembered.get(("token", _digest(secret)), origin)

    def caller_of(self, secret: str, origin: str) -> Caller:
        """The caller of a secret. Raises `Unauthenticated`, `IndexUnavailable`."""
        digest = _digest(secret)
        with self._index.reading() as session:
            found = tokens.by_digest(session, digest)
            if found is None:
                raise Unauthenticated("the token is not known, has expired or was revoked")
            partition, token = found
            keys = organisations.keys_of(session, token.organisations)
        rights = rights_of(token.roles, token.organisations)
        caller = Caller(f"token:{token.label}", origin, keys, rights, partition)
        self._remembered.put(("token", digest), caller)
        return caller


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()

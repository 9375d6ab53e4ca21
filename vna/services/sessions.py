"""Signing in and out, and who comes in with a session or a certificate."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from contextlib import suppress

from vna.errors import IndexUnavailable, Overloaded, TooManyAttempts, Unauthenticated
from vna.index import attempts, audit, organisations, sessions, users
from vna.index.engine import Index, Session
from vna.model.caller import DEFAULT_PARTITION, Caller, nobody
from vna.model.certificate import Certificate
from vna.model.user import SignedIn, User
from vna.services import passwords
from vna.services.remembered import Remembered, Shown
from vna.services.rights import rights_of
from vna.services.users import plain

PREFIX = "vns_"
SECRET_BYTES = 32
WINDOW_MILLISECONDS = 15 * 60 * 1000
# Failures within the window: of one name from one address, so that who knocks shuts out only
# himself; of one name, so that many who share the work do not guess; of one address, for all names.
MOST_OF_PAIR, MOST_OF_NAME, MOST_OF_ADDRESS = 10, 100, 100
_WRONG = "the name or the password is wrong"


class Sessions:
    """Who has signed in. Thread-safe; every process and node knows the same by the database.

    The secret of a session has 256 random bits and is kept by its SHA-256. `idle_milliseconds`,
    `milliseconds`: it ends when it is not used for so long (by the minute), and after so long.
    """

    def __init__(
        self,
        index: Index,
        remembered: Remembered | None = None,
        *,
        idle_milliseconds: int = 30 * 60_000,
        milliseconds: int = 12 * 3_600_000,
    ) -> None:
        self._index, self._remembered = index, remembered or Remembered()
        self._idle, self._milliseconds = idle_milliseconds, milliseconds

    def sign_in(self, name: str, password: str, origin: str) -> tuple[SignedIn, str]:
        """Open a session; its secret is told this once.

        A name that nobody has, one that is disabled, and a wrong password have one answer and take
        one time. Raises `Unauthenticated`, `TooManyAttempts`, `Overloaded`, `IndexUnavailable`.
        """
        name = plain(name)[:64]
        kept = self._verify(name, password, origin)
        secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)

        def work(session: Session) -> SignedIn:
            user = self._passed(session, name, origin, kept)
            users.used(session, DEFAULT_PARTITION, name)
            until = sessions.add(
                session, DEFAULT_PARTITION, name, _digest(secret), origin, self._milliseconds
            )
            audit.record(session, _as(user, origin, None), "signed in", name)
            return SignedIn(user, until)

        return self._index.transact(work), secret

    def change_password(self, name: str, current: str, new: str, origin: str) -> None:
        """A user's own new password; it ends all of its sessions.

        Raises `InvalidValue`, and as `sign_in`.
        """
        made = passwords.hashed(new)
        name = plain(name)[:64]
        kept = self._verify(name, current, origin)

        def work(session: Session) -> None:
            user = self._passed(session, name, origin, kept)
            users.change(session, DEFAULT_PARTITION, user, disabled=False, password=made)
            sessions.close_all(session, DEFAULT_PARTITION, name)
            audit.record(session, _as(user, origin, None), "password changed", name)

        self._index.transact(work)
        self._remembered.clear()

    def sign_out(self, caller: Caller, secret: str) -> bool:
        """End a session, in other processes within five seconds; whether there was one."""

        def work(session: Session) -> bool:
            closed = sessions.close(session, _digest(secret))
            if closed:
                audit.record(session, caller, "signed out", "")
            return closed

        closed = self._index.transact(work)
        self._remembered.clear()
        return closed

    def find(self, secret: str) -> SignedIn | None:
        """The session of a secret, while it is good."""
        with self._index.reading() as session:
            found = sessions.by_digest(session, _digest(secret), self._idle)
        return None if found is None else SignedIn(users.user_of(found.row), found.expires_at)

    def user(self, caller: Caller) -> User | None:
        """The user that a caller is, None for a token and the like."""
        kind, _, name = caller.name.partition(":")
        if kind != "user":
            return None
        with self._index.reading() as session:
            return users.get(session, caller.partition, name)

    def organisations(self, caller: Caller) -> list[str] | None:
        """The codes of the organisations that a caller sees, None for all."""
        if caller.organisations is None:
            return None
        with self._index.reading() as session:
            return organisations.codes_of(session, caller.organisations)

    def remembered(self, secret: str, origin: str) -> Caller | None:
        """The caller of a session's secret that was seen within five seconds; asks nobody."""
        return self._remembered.get(("session", _digest(secret)), origin)

    def remembered_by(self, certificate: Certificate, origin: str) -> Caller | None:
        """The same for a certificate."""
        return self._remembered.get(_key(certificate), origin)

    def caller_of(self, secret: str, origin: str) -> Caller:
        """The caller of a session's secret. Raises `Unauthenticated`, `IndexUnavailable`.

        That it was used is noted once a minute.
        """
        with self._index.reading() as session:
            found = sessions.by_digest(session, _digest(secret), self._idle)
            if found is None:
                raise Unauthenticated("the session has ended: sign in again")
            user = users.user_of(found.row)
            keys = organisations.keys_of(session, user.organisations)
        if found.stale:
            self._note(found.partition, user.name, found.key)
        caller = _as(user, origin, keys, found.partition)
        self._remembered.put(("session", _digest(secret)), caller)
        return caller

    def caller_by(self, certificate: Certificate, origin: str) -> Caller:
        """The caller for whom a certificate was registered. Raises as `caller_of`."""
        with self._index.reading() as session:
            found = users.by_certificate(session, certificate)
            if found is None:
                raise Unauthenticated("no user is registered with this certificate")
            partition, user = found
            keys = organisations.keys_of(session, user.organisations)
            stale = session.now() - user.used_at >= sessions.USED_MILLISECONDS
        if stale:
            self._note(partition, user.name)
        caller = _as(user, origin, keys, partition)
        self._remembered.put(_key(certificate), caller)
        return caller

    def forget(self) -> None:
        """Remove what has ended or counts no more; a chore."""

        def work(session: Session) -> None:
            sessions.forget(session, self._idle)
            attempts.forget(session, WINDOW_MILLISECONDS)

        self._index.transact(work)

    def _note(self, partition: int, name: str, key: int | None = None) -> None:
        def work(session: Session) -> None:
            users.used(session, partition, name)
            if key is not None:
                sessions.used(session, key)

        with suppress(IndexUnavailable):  # who reads must not fail because nothing can be written
            self._index.transact(work)

    def _verify(self, name: str, password: str, origin: str) -> str:
        """Count an attempt, then look at the password; what is kept of it."""
        most = _subjects(name, origin)
        with self._index.reading() as session:
            _refuse(attempts.wait_of(session, most, WINDOW_MILLISECONDS))

        def begin(session: Session) -> str:
            # Counted before it is looked at, or else many at once would not be bounded: who counts
            # waits for the others that count the same. A refusal takes the count back.
            attempts.count(session, list(most), WINDOW_MILLISECONDS)
            _refuse(attempts.wait_of(session, most, WINDOW_MILLISECONDS, counted=True))
            return users.password_of(session, DEFAULT_PARTITION, name)

        kept = self._index.transact(begin)
        try:
            if passwords.verified(password, kept):
                return kept
        except Overloaded:
            self._index.transact(lambda session: attempts.give_back(session, list(most)))
            raise

        def failed(session: Session) -> None:
            known = users.get(session, DEFAULT_PARTITION, name) is not None
            # What nobody is called may be a password that was typed into the wrong field.
            audit.record(session, nobody(origin), "sign-in failed", name if known else "")

        self._index.transact(failed)
        raise Unauthenticated(_WRONG)

    def _passed(self, session: Session, name: str, origin: str, kept: str) -> User:
        """The user whose password was good, unless something else holds by now."""
        user = users.get(session, DEFAULT_PARTITION, name)
        if user is None or users.password_of(session, DEFAULT_PARTITION, name) != kept:
            raise Unauthenticated(_WRONG)
        pair, *others = _subjects(name, origin)
        attempts.clear(session, pair)
        attempts.give_back(session, others)
        return user


def _refuse(wait_milliseconds: int) -> None:
    if wait_milliseconds:
        raise TooManyAttempts(-(-wait_milliseconds // 1000))


def _subjects(name: str, origin: str) -> dict[bytes, int]:
    """What is counted, and how many failures each may have; the pair first."""
    network = _network(origin)
    return {
        _digest(f"pair\0{name}\0{network}"): MOST_OF_PAIR,
        _digest(f"name\0{name}"): MOST_OF_NAME,
        _digest(f"address\0{network}"): MOST_OF_ADDRESS,
    }


def _network(origin: str) -> str:
    """An address, of IPv6 the 64 bits that one customer has."""
    try:
        address = ipaddress.ip_address(origin.partition("%")[0])
    except ValueError:
        return origin
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _as(
    user: User,
    origin: str,
    keys: frozenset[int] | None,
    partition: int = DEFAULT_PARTITION,
) -> Caller:
    rights = rights_of(user.roles, user.organisations)
    return Caller(f"user:{user.name}", origin, keys, rights, partition)


def _key(certificate: Certificate) -> Shown:
    names = "\0".join(sorted(certificate.names))
    return "certificate", _digest(f"{certificate.fingerprint}\0{names}")


def _digest(shown: str) -> bytes:
    return hashlib.sha256(shown.encode("utf-8", "surrogatepass")).digest()

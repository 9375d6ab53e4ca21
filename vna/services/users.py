"""Users: made, changed, shut out and removed by administrators."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from vna.errors import Conflict, InvalidValue, NotFound
from vna.index import audit, sessions, users
from vna.index.engine import Index, Session
from vna.model.caller import Caller, Right
from vna.model.certificate import registered
from vna.model.user import User
from vna.services import passwords
from vna.services.remembered import Remembered
from vna.services.rights import check_roles, require

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_CERTIFICATE = re.compile(r"[a-z0-9._@*+-]+(?: [a-z0-9._@*+-]+)*")


class Users:
    """The users of the archive. Thread-safe. Everything needs the right to administer.

    A change holds in this process at once, in others within five seconds.
    """

    def __init__(self, index: Index, remembered: Remembered | None = None) -> None:
        self._index, self._remembered = index, remembered or Remembered()

    def add(self, caller: Caller, user: User, password: str | None) -> User:
        """Make a user, who signs in with `password`, by the certificate, or either.

        Raises `InvalidValue`, `Conflict` for a name or certificate that is in use, `Forbidden`.
        """
        require(caller, Right.ADMINISTER)
        made = _checked(user)
        if password is None and not made.certificate:
            raise InvalidValue("password", "", "be given, or a certificate")
        kept = "" if password is None else passwords.hashed(password)

        def work(session: Session) -> User:
            if users.get(session, caller.partition, made.name) is not None:
                raise Conflict(f"there is a user {made.name} already")
            _refuse_shared(session, caller, made)
            users.add(session, caller.partition, made, kept, caller.name)
            audit.record(session, caller, "user", made.name, _detail(made))
            return _found(session, caller, made.name)

        return self._index.transact(work)

    def change(
        self,
        caller: Caller,
        name: str,
        change: Callable[[User], User],
        *,
        disabled: bool | None = None,
        password: str | None = None,
    ) -> User:
        """Replace what is known of a user by what `change` makes of it; as it is kept.

        `disabled`: nobody gets in as it; None leaves it. A new password and being disabled end
        every session. Raises `InvalidValue`, `Conflict`, `NotFound`, `Forbidden`.
        """
        require(caller, Right.ADMINISTER)
        kept = None if password is None else passwords.hashed(password)

        def work(session: Session) -> User:
            known = _found(session, caller, plain(name))
            wanted = replace(_checked(change(known)), name=known.name)
            _refuse_shared(session, caller, wanted)
            shut_out = known.disabled if disabled is None else disabled
            users.change(session, caller.partition, wanted, disabled=shut_out, password=kept)
            if shut_out or kept is not None:
                sessions.close_all(session, caller.partition, known.name)
            detail = _detail(wanted) | {"disabled": shut_out, "password": kept is not None}
            audit.record(session, caller, "user changed", known.name, detail)
            return _found(session, caller, known.name)

        changed = self._index.transact(work)
        self._remembered.clear()
        return changed

    def remove(self, caller: Caller, name: str) -> None:
        """Forget a user; what it did stays in the trail. Raises `NotFound`, `Forbidden`."""
        require(caller, Right.ADMINISTER)

        def work(session: Session) -> None:
            known = _found(session, caller, plain(name))
            users.remove(session, caller.partition, known.name)
            audit.record(session, caller, "user removed", known.name)

        self._index.transact(work)
        self._remembered.clear()

    def all(self, caller: Caller) -> list[User]:
        """Every user, by name. Raises `Forbidden`."""
        require(caller, Right.ADMINISTER)
        with self._index.reading() as session:
            return users.find(session, caller.partition)

    def get(self, caller: Caller, name: str) -> User:
        """One user. Raises `NotFound`, `Forbidden`."""
        require(caller, Right.ADMINISTER)
        with self._index.reading() as session:
            return _found(session, caller, plain(name))


def plain(name: str) -> str:
    """A name as it is kept: case does not count."""
    return name.strip().lower()


def certificate(text: str) -> str:
    """What is registered of a certificate, as it is kept. Raises `InvalidValue`."""
    kept = registered(text)
    if kept and (len(kept) > 200 or not _CERTIFICATE.fullmatch(kept)):
        rule = "be the SHA-256 of a certificate in hex, or a DNS name, mail address or common name"
        raise InvalidValue("certificate", text, rule)
    return kept


def _checked(user: User) -> User:
    name, full_name = plain(user.name), user.full_name.strip()
    if not _NAME.fullmatch(name):
        rule = "have 1 to 64 of the characters a-z 0-9 . _ @ - and begin with a letter or digit"
        raise InvalidValue("name", user.name, rule)
    if len(full_name) > 100 or not full_name.isprintable():
        raise InvalidValue("full_name", full_name, "have at most 100 printable characters")
    check_roles(user.roles, user.organisations)
    return replace(user, name=name, full_name=full_name, certificate=certificate(user.certificate))


def _refuse_shared(session: Session, caller: Caller, user: User) -> None:
    for each in users.find(session, caller.partition):
        if user.certificate and each.certificate == user.certificate and each.name != user.name:
            raise Conflict(f"this certificate is that of {each.name}")


def _found(session: Session, caller: Caller, name: str) -> User:
    found = users.get(session, caller.partition, name)
    if found is None:
        raise NotFound(f"there is no user {name[:64]!r}; vna user list shows those there are")
    return found


def _detail(user: User) -> dict[str, object]:
    seen = user.organisations
    return {
        "roles": sorted(each.value for each in user.roles),
        "organisations": None if seen is None else sorted(seen),
        "certificate": user.certificate,
    }

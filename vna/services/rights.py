"""What a caller must hold before a service does its work, and where that comes from."""

from __future__ import annotations

from vna.errors import Forbidden, InvalidValue
from vna.model.caller import RIGHTS_OF, Caller, Right, Role


def require(caller: Caller, right: Right) -> None:
    """Raise `Forbidden` unless the caller holds `right`."""
    if not caller.may(right):
        raise Forbidden(f"this needs the right to {right.value}")


def rights_of(roles: frozenset[Role], organisations: frozenset[str] | None) -> frozenset[Right]:
    """What the roles bring to somebody who sees `organisations` (None: all).

    What is administered concerns the whole archive (who may enter, where images go, how much there
    is), so that nobody who sees a part of it administers.
    """
    found = frozenset[Right]().union(*(RIGHTS_OF[each] for each in roles))
    return found if organisations is None else found - {Right.ADMINISTER}


def check_roles(roles: frozenset[Role], organisations: frozenset[str] | None) -> None:
    """Raise `InvalidValue` for roles that nobody can have."""
    if not roles:
        raise InvalidValue("roles", "", "name one at least")
    if organisations is not None and Role.ADMINISTRATOR in roles:
        rule = "be left out for an administrator, who administers the whole archive"
        raise InvalidValue("organisations", "", rule)
    for code in organisations or ():
        if not code.strip() or not code.isprintable() or len(code) > 64:
            raise InvalidValue("organisations", code, "be codes of 1 to 64 characters")

"""What a caller must hold before a service does its work."""

from __future__ import annotations

from vna.errors import Forbidden
from vna.model.caller import Caller, Right


def require(caller: Caller, right: Right) -> None:
    """Raise `Forbidden` unless the caller holds `right`."""
    if not caller.may(right):
        raise Forbidden(f"this needs the right to {right.value}")

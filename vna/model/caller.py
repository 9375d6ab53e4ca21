"""Who asks: established by the edges, checked by the services, compiled into every query."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

DEFAULT_PARTITION = 1


class Right(Enum):
    """What a caller may do."""

    READ = "read"
    SEND = "send"
    CORRECT = "correct"  # overlays, patient links, held, trash
    ADMINISTER = "administer"


class Role(Enum):
    """What somebody is to the archive; each brings its rights."""

    READER = "reader"
    SENDER = "sender"
    ARCHIVIST = "archivist"
    ADMINISTRATOR = "administrator"


RIGHTS_OF = {
    Role.READER: frozenset({Right.READ}),
    Role.SENDER: frozenset({Right.SEND}),
    Role.ARCHIVIST: frozenset({Right.READ, Right.SEND, Right.CORRECT}),
    Role.ADMINISTRATOR: frozenset(Right),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, from where, for which organisations, with which rights.

    `organisations`: keys of the organisations whose items the caller may see; None means all.
    """

    name: str
    origin: str
    organisations: frozenset[int] | None
    rights: frozenset[Right]
    partition: int = DEFAULT_PARTITION

    def may(self, right: Right) -> bool:
        """Whether the caller holds `right`."""
        return right in self.rights


def nobody(origin: str) -> Caller:
    """Whoever has not said who it is: no right at all."""
    return Caller("nobody", origin, frozenset(), frozenset())


@lru_cache(maxsize=64)  # of every request
def local_administrator(origin: str) -> Caller:
    """The one caller of the embedded default: every right, every organisation, loopback only."""
    return Caller("local-administrator", origin, None, frozenset(Right))

"""What the log says of an association that has ended: plain words, no patient data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal

Direction = Literal["in", "out"]

# PS3.7 annex C: what is neither a failure nor a refusal. Pending and cancel are PS3.4's.
_HARMLESS = frozenset(("0000", "0001", "0107", "0116", "FE00", "FF00", "FF01"))


class Ending(Enum):
    """How an association ended; words for people."""

    RELEASED = "released"
    ABORTED_BY_PEER = "aborted by peer"
    ABORTED_BY_US = "aborted by us"
    REJECTED = "rejected"
    LOST = "connection lost"
    TIMED_OUT = "timed out"


@dataclass(frozen=True, slots=True)
class Association:
    """One association. Times: ms since 1970 UTC.

    `address`: of the other side. `implementation_uid`, `implementation_version`: what it says it
    is. `offered`: (abstract syntax, transfer syntaxes) of each presentation context, `accepted`:
    (abstract syntax, transfer syntax). `counts`: operation → status, four hexadecimal digits → how
    many. `why`: what led to the ending, '' where nothing is to be said.
    """

    began_at: int
    ended_at: int
    direction: Direction
    calling: str
    called: str
    address: str
    implementation_uid: str
    implementation_version: str
    offered: tuple[tuple[str, tuple[str, ...]], ...]
    accepted: tuple[tuple[str, str], ...]
    counts: Mapping[str, Mapping[str, int]]
    bytes_received: int
    bytes_sent: int
    ending: Ending
    why: str = ""

    @property
    def failed(self) -> bool:
        """Whether it was not released, or an operation of it failed."""
        return self.ending is not Ending.RELEASED or any(
            status not in _HARMLESS and not status.startswith("B")
            for statuses in self.counts.values()
            for status in statuses
        )


@dataclass(frozen=True, slots=True)
class Logged:
    """An association as the log has it; ids rise with the time of writing."""

    id: int
    association: Association

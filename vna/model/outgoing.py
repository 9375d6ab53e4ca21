"""What waits to be sent to others."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Sending(IntEnum):
    """How far the sending of one instance is."""

    WAITING = 0
    LEASED = 1  # somebody is sending it
    SENT = 2
    DEAD = 3  # given up; stays listed until somebody decides


@dataclass(frozen=True, slots=True)
class NewOutgoing:
    """An instance to be sent. `version`: of its current object; the same one is not sent again to
    the same destination unless somebody asks for it."""

    partition: int
    destination: str
    study_uid: str
    series_uid: str
    sop_uid: str
    version: int
    rule: str
    priority: int


@dataclass(frozen=True, slots=True)
class Due:
    """An instance that is leased to be sent now. `attempts` counts this one."""

    id: int
    lease: str
    study_uid: str
    series_uid: str
    sop_uid: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Queued:
    """An instance in the queue. Times: ms since 1970 UTC; `next_at`: when it is tried (again),
    `sent_at`: 0 until it was. `rule`: whose wish it was, '' for a person's."""

    id: int
    destination: str
    study_uid: str
    series_uid: str
    sop_uid: str
    state: Sending
    attempts: int
    queued_at: int
    next_at: int
    sent_at: int
    last_error: str
    rule: str

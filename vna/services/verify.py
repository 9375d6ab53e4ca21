"""Proof that the store still holds what the index says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from vna.model.caller import Caller


@dataclass(frozen=True, slots=True)
class Selection:
    """Which holdings: every condition given must hold; none given means everything."""

    study_uid: str | None = None
    series_uid: str | None = None
    sop_uid: str | None = None
    patient_id: str | None = None
    received_from: int | None = None  # milliseconds since 1970 UTC, inclusive
    received_to: int | None = None  # exclusive


class Health(Enum):
    """What was found in the store."""

    GOOD = "good"
    DAMAGED = "damaged"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Verified:
    """The result for one object. `name`: what it belongs to, as UIDs; `total`: objects selected."""

    health: Health
    sha256: str
    size: int
    name: str
    done: int
    total: int
    reason: str = ""


class Verify:
    """Recomputes the SHA-256 of stored objects."""

    def run(self, caller: Caller, selection: Selection) -> Iterator[Verified]:
        """Yield a result for each selected object: every version, held and trashed ones too."""
        raise NotImplementedError

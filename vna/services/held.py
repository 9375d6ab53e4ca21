"""What was stored and acknowledged but waits for a decision (architecture decision 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vna.model.archive import HeldReason
from vna.model.caller import Caller


@dataclass(frozen=True, slots=True)
class HeldObject:
    """One held object. `resolution`: "" while it waits, then "existing", "new" or "discarded"."""

    id: int
    reason: HeldReason
    study_uid: str
    series_uid: str
    sop_uid: str
    patient: Mapping[str, Any]  # DICOM JSON of the patient level, as received
    sha256: bytes
    size: int
    at: int
    detail: Mapping[str, Any]  # what conflicts with what
    resolved_at: int
    resolution: str
    actor: str


@dataclass(frozen=True, slots=True)
class Released:
    """Where a released object is shown now: equal to the received UIDs unless they conflicted."""

    operation: str
    study_uid: str
    series_uid: str
    sop_uid: str


class HeldObjects:
    """Held objects: find, show, release, discard. Bytes never change; `NotFound`, `Forbidden`,
    and `Conflict` for what is resolved already."""

    def find(
        self,
        caller: Caller,
        *,
        study_uid: str | None = None,
        reason: HeldReason | None = None,
        resolved: bool = False,
        limit: int = 1000,
        after: int = 0,
    ) -> list[HeldObject]:
        """Waiting objects (or the resolved ones), oldest first, with an id above `after`."""
        raise NotImplementedError

    def show(self, caller: Caller, id: int) -> HeldObject:
        """One held object."""
        raise NotImplementedError

    def release(
        self, caller: Caller, id: int, into: Literal["existing", "new"], reason: str
    ) -> Released:
        """Make it an instance.

        "existing": it joins the study or series that stands and is shown with that study's patient.
        "new": UIDs that conflict are replaced by ones derived from the old UID and the patient, so
        that all instances of one wrong study land together. A SOP Instance UID in use is replaced
        either way.
        """
        raise NotImplementedError

    def discard(self, caller: Caller, id: int, reason: str) -> str:
        """Decide that it will not be shown. The object stays in the store."""
        raise NotImplementedError

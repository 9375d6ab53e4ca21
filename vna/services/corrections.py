"""Corrections of attributes: overlays at study, series or instance scope; the bytes stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vna.model.archive import Rank
from vna.model.caller import Caller


@dataclass(frozen=True, slots=True)
class Scope:
    """What a correction applies to: a study, one series of it, or one instance."""

    study_uid: str
    series_uid: str | None = None
    sop_uid: str | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """One attribute to correct. `attribute`: keyword, tag or dotted path ("StudyDescription",
    "00081030", "RequestAttributesSequence.00400009", items numbered "…[2]…", the first by default).
    `values`: DICOM text values; None removes the attribute, an empty list empties it."""

    attribute: str
    values: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Overlay:
    """A correction as it stands. `value`: DICOM JSON attribute, None removes it. Times in ms."""

    operation: str
    scope: Scope
    path: str  # '00081030' or '00400275/1/00400009'
    keyword: str
    rank: Rank
    value: Mapping[str, Any] | None
    at: int
    actor: str
    reason: str
    withdrawn_at: int  # 0: stands
    in_force: bool  # stands, and none of higher rank or later hides it


class Corrections:
    """Overlays. Search, metadata and retrieval show them; `?original` never does.

    The highest rank wins, then the latest. Raises `NotFound`, `Forbidden`, `InvalidValue` for a
    value its VR does not allow, `UnknownName`, and `Conflict` for what may not be corrected by
    hand (UIDs, pixel description, file meta, patient attributes: see `Patients.correct`).
    """

    def correct(
        self,
        caller: Caller,
        scope: Scope,
        corrections: Sequence[Correction],
        reason: str,
        *,
        rank: Rank = Rank.HAND,
    ) -> str:
        """Lay corrections over `scope`; returns the operation (ULID) that `withdraw` takes."""
        raise NotImplementedError

    def withdraw(self, caller: Caller, operation: str, reason: str) -> str:
        """Take back what `correct` laid with that operation."""
        raise NotImplementedError

    def find(self, caller: Caller, scope: Scope) -> list[Overlay]:
        """Every overlay at `scope` and below, withdrawn ones too, oldest first."""
        raise NotImplementedError

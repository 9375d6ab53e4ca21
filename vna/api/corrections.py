"""/api/v1/corrections: overlays over studies, series and instances; the bytes stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vna.api.endpoint import Call, Endpoint, moment
from vna.api.held import Because, Done
from vna.services.corrections import Correction, Corrections, Overlay, Scope


@dataclass(frozen=True, slots=True)
class CorrectedAttribute:
    """`attribute`: keyword, tag or dotted path. `values`: as DICOM text; null removes it."""

    attribute: str
    values: list[str] | None


@dataclass(frozen=True, slots=True)
class CorrectionRequest:
    """What to correct, in a study, one series or one instance."""

    study: str
    corrections: list[CorrectedAttribute]
    reason: str
    series: str | None = None
    instance: str | None = None


@dataclass(frozen=True, slots=True)
class ScopeQuery:
    """A study, one series of it, or one instance."""

    study: str
    series: str | None = None
    instance: str | None = None


@dataclass(frozen=True, slots=True)
class OverlayView:
    """A correction as it stands. `value`: DICOM JSON attribute, null removes it."""

    operation: str
    study: str
    series: str | None
    instance: str | None
    path: str
    keyword: str
    rank: str
    value: Mapping[str, Any] | None
    at: str | None
    actor: str
    reason: str
    withdrawn_at: str | None
    in_force: bool


@dataclass(frozen=True, slots=True)
class OverlayList:
    """Oldest first, withdrawn ones too."""

    corrections: list[OverlayView]


def operations(corrections: Corrections) -> list[Endpoint]:
    """The operations of corrections."""

    def list_corrections(call: Call) -> OverlayList:
        """Every correction at a study, series or instance, and below it."""
        query: ScopeQuery = call.query
        scope = Scope(query.study, query.series, query.instance)
        return OverlayList([_view(each) for each in corrections.find(call.caller, scope)])

    def correct(call: Call) -> Done:
        """Show other values; what was received is kept and can be retrieved."""
        body: CorrectionRequest = call.body
        scope = Scope(body.study, body.series, body.instance)
        asked = [Correction(each.attribute, each.values) for each in body.corrections]
        return Done(corrections.correct(call.caller, scope, asked, body.reason))

    def withdraw_correction(call: Call) -> Done:
        """Take back what one operation corrected."""
        body: Because = call.body
        return Done(corrections.withdraw(call.caller, call.path["operation"], body.reason))

    return [
        Endpoint("GET", "/corrections", list_corrections, OverlayList, ScopeQuery),
        Endpoint("POST", "/corrections", correct, Done, body=CorrectionRequest),
        Endpoint(
            "POST", "/corrections/{operation}/withdraw", withdraw_correction, Done, body=Because
        ),
    ]


def _view(each: Overlay) -> OverlayView:
    return OverlayView(
        operation=each.operation,
        study=each.scope.study_uid,
        series=each.scope.series_uid,
        instance=each.scope.sop_uid,
        path=each.path,
        keyword=each.keyword,
        rank=each.rank.name.lower(),
        value=each.value,
        at=moment(each.at),
        actor=each.actor,
        reason=each.reason,
        withdrawn_at=moment(each.withdrawn_at),
        in_force=each.in_force,
    )

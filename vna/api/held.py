"""/api/v1/held: what was stored and acknowledged but waits for a decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vna.api.endpoint import Call, Endpoint, moment
from vna.model.archive import HeldReason
from vna.services.held import HeldObject, HeldObjects


@dataclass(frozen=True, slots=True)
class HeldQuery:
    """`after`: the id of the last one seen."""

    study: str | None = None
    reason: HeldReason | None = None
    resolved: bool = False
    limit: int = 1000
    after: int = 0


@dataclass(frozen=True, slots=True)
class HeldView:
    """A held object. `resolution`: "" while it waits, then "existing", "new" or "discarded".
    `patient`: DICOM JSON as received. `detail`: what conflicts with what."""

    id: int
    reason: HeldReason
    study: str
    series: str
    instance: str
    patient: Mapping[str, Any]
    sha256: str
    size: int
    at: str | None
    detail: Mapping[str, Any]
    resolved_at: str | None
    resolution: str
    actor: str


@dataclass(frozen=True, slots=True)
class HeldList:
    """Oldest first."""

    held: list[HeldView]


@dataclass(frozen=True, slots=True)
class Release:
    """`into`: "existing" joins the study or series that stands, "new" gets UIDs of its own where
    they conflict."""

    into: Literal["existing", "new"]
    reason: str


@dataclass(frozen=True, slots=True)
class ReleasedView:
    """Where the object is shown now."""

    operation: str
    study: str
    series: str
    instance: str


@dataclass(frozen=True, slots=True)
class Because:
    """Why something is done, for the audit."""

    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """The operation's ULID, by which it can be found and taken back."""

    operation: str


def operations(held: HeldObjects) -> list[Endpoint]:
    """The operations of held objects."""

    def list_held(call: Call) -> HeldList:
        """Objects that wait for a decision, or that have been decided on."""
        query: HeldQuery = call.query
        found = held.find(
            call.caller,
            study_uid=query.study,
            reason=query.reason,
            resolved=query.resolved,
            limit=min(query.limit, 1000),
            after=query.after,
        )
        return HeldList([_view(each) for each in found])

    def show_held(call: Call) -> HeldView:
        """One held object."""
        return _view(held.show(call.caller, call.id()))

    def release_held(call: Call) -> ReleasedView:
        """Show a held object as an instance."""
        body: Release = call.body
        found = held.release(call.caller, call.id(), body.into, body.reason)
        return ReleasedView(found.operation, found.study_uid, found.series_uid, found.sop_uid)

    def discard_held(call: Call) -> Done:
        """Decide that a held object will not be shown. It stays in the store."""
        body: Because = call.body
        return Done(held.discard(call.caller, call.id(), body.reason))

    return [
        Endpoint("GET", "/held", list_held, HeldList, HeldQuery),
        Endpoint("GET", "/held/{id}", show_held, HeldView),
        Endpoint("POST", "/held/{id}/release", release_held, ReleasedView, body=Release),
        Endpoint("POST", "/held/{id}/discard", discard_held, Done, body=Because),
    ]


def _view(each: HeldObject) -> HeldView:
    return HeldView(
        id=each.id,
        reason=each.reason,
        study=each.study_uid,
        series=each.series_uid,
        instance=each.sop_uid,
        patient=each.patient,
        sha256=each.sha256.hex(),
        size=each.size,
        at=moment(each.at),
        detail=each.detail,
        resolved_at=moment(each.resolved_at),
        resolution=each.resolution,
        actor=each.actor,
    )

"""/api/v1/associations: what was spoken over DIMSE, and why it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vna.api.endpoint import Call, Endpoint, moment
from vna.model.association import Direction, Ending, Logged
from vna.services.association_log import AssociationLog


@dataclass(frozen=True, slots=True)
class AssociationsQuery:
    """`ae`: calling or called. `since`: ms since 1970 UTC. `after`: the id of the last one seen."""

    ae: str | None = None
    since: int = 0
    failed: bool = False
    limit: int = 100
    after: int = 0


@dataclass(frozen=True, slots=True)
class OfferedView:
    """A presentation context that was offered."""

    abstract_syntax: str
    transfer_syntaxes: list[str]


@dataclass(frozen=True, slots=True)
class AcceptedView:
    """A presentation context that was accepted."""

    abstract_syntax: str
    transfer_syntax: str


@dataclass(frozen=True, slots=True)
class AssociationView:
    """An association that has ended. `counts`: operation → status → how many."""

    id: int
    began_at: str | None
    ended_at: str | None
    direction: Direction
    calling: str
    called: str
    address: str
    implementation_uid: str
    implementation_version: str
    offered: list[OfferedView]
    accepted: list[AcceptedView]
    counts: Mapping[str, Mapping[str, int]]
    bytes_received: int
    bytes_sent: int
    failed: bool
    ending: Ending
    why: str


@dataclass(frozen=True, slots=True)
class AssociationList:
    """The latest first."""

    associations: list[AssociationView]


def operations(log: AssociationLog) -> list[Endpoint]:
    """The operations of the log."""

    def list_associations(call: Call) -> AssociationList:
        """The log of associations: who, what was agreed, how much, why it ended."""
        query: AssociationsQuery = call.query
        found = log.find(
            call.caller,
            title=query.ae,
            since=query.since,
            failed_only=query.failed,
            limit=query.limit,
            after=query.after,
        )
        return AssociationList([_association(each) for each in found])

    def show_association(call: Call) -> AssociationView:
        """One association."""
        return _association(log.get(call.caller, call.id()))

    return [
        Endpoint("GET", "/associations", list_associations, AssociationList, AssociationsQuery),
        Endpoint("GET", "/associations/{id}", show_association, AssociationView),
    ]


def _association(each: Logged) -> AssociationView:
    one = each.association
    return AssociationView(
        id=each.id,
        began_at=moment(one.began_at),
        ended_at=moment(one.ended_at),
        direction=one.direction,
        calling=one.calling,
        called=one.called,
        address=one.address,
        implementation_uid=one.implementation_uid,
        implementation_version=one.implementation_version,
        offered=[OfferedView(abstract, list(transfers)) for abstract, transfers in one.offered],
        accepted=[AcceptedView(abstract, transfer) for abstract, transfer in one.accepted],
        counts=one.counts,
        bytes_received=one.bytes_received,
        bytes_sent=one.bytes_sent,
        failed=one.failed,
        ending=one.ending,
        why=one.why,
    )

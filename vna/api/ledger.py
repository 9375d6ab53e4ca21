"""/api/v1/changes, /receptions and /attention: what has happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vna.api.endpoint import Call, Endpoint, moment
from vna.api.held import Because
from vna.services.ledger import Entry, Ledger, Matter, Row


@dataclass(frozen=True, slots=True)
class ChangesQuery:
    """`after`: the `next` of the last answer, 0 from the beginning."""

    after: int = 0
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One change; UIDs that it does not concern are empty."""

    seq: int
    at: str | None
    kind: str
    study: str
    series: str
    instance: str
    detail: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class ChangeList:
    """In the order of commits. `next`: `after` of the next question. `last`: the number of the
    latest change of all; a reader at or beyond it waits before it asks again."""

    changes: list[ChangeView]
    next: int
    last: int


@dataclass(frozen=True, slots=True)
class ReceptionsQuery:
    """`before`: the lowest id seen, 0 from the newest."""

    before: int = 0
    limit: int = 100


@dataclass(frozen=True, slots=True)
class ReceptionView:
    """One request, association or import run. `outcomes`: what became of how many objects.
    `finished_at` is null while it runs."""

    id: int
    source: str
    caller: str
    peer: str
    path: str
    started_at: str | None
    finished_at: str | None
    objects: int
    bytes: int
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ReceptionList:
    """Newest first."""

    receptions: list[ReceptionView]


@dataclass(frozen=True, slots=True)
class AttentionQuery:
    """`after`: the id of the last one seen."""

    after: int = 0
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class AttentionView:
    """Something a person should look at."""

    id: int
    kind: str
    study: str
    series: str
    instance: str
    detail: Mapping[str, Any]
    at: str | None


@dataclass(frozen=True, slots=True)
class AttentionList:
    """Oldest first."""

    attention: list[AttentionView]


def operations(ledger: Ledger) -> list[Endpoint]:
    """The operations of the archive's history."""

    def list_changes(call: Call) -> ChangeList:
        """The change feed: numbers in the order of commits, none left out."""
        query: ChangesQuery = call.query
        feed = ledger.changes(call.caller, after=query.after, limit=query.limit)
        reached = feed.changes[-1].seq if feed.changes else query.after
        return ChangeList([_change(each) for each in feed.changes], reached, feed.last)

    def list_receptions(call: Call) -> ReceptionList:
        """What was received, by whom it was sent and what became of it."""
        query: ReceptionsQuery = call.query
        found = ledger.receptions(call.caller, before=query.before, limit=query.limit)
        return ReceptionList([_reception(each) for each in found])

    def show_reception(call: Call) -> ReceptionView:
        """One reception."""
        return _reception(ledger.reception(call.caller, call.id()))

    def list_attention(call: Call) -> AttentionList:
        """What a person should look at."""
        query: AttentionQuery = call.query
        found = ledger.attention(call.caller, after=query.after, limit=query.limit)
        return AttentionList([_attention(each) for each in found])

    def resolve_attention(call: Call) -> None:
        """Somebody has looked: take it off the list."""
        body: Because = call.body
        ledger.resolve(call.caller, call.id(), body.reason)

    return [
        Endpoint("GET", "/changes", list_changes, ChangeList, ChangesQuery),
        Endpoint("GET", "/receptions", list_receptions, ReceptionList, ReceptionsQuery),
        Endpoint("GET", "/receptions/{id}", show_reception, ReceptionView),
        Endpoint("GET", "/attention", list_attention, AttentionList, AttentionQuery),
        Endpoint("POST", "/attention/{id}/resolve", resolve_attention, None, body=Because),
    ]


def _change(each: Entry) -> ChangeView:
    uids = (each.study_uid, each.series_uid, each.sop_uid)
    return ChangeView(each.seq, moment(each.at), each.kind, *uids, each.detail)


def _reception(each: Row) -> ReceptionView:
    return ReceptionView(
        id=each.id,
        source=each.source,
        caller=each.caller,
        peer=each.peer,
        path=each.path,
        started_at=moment(each.started_at),
        finished_at=moment(each.finished_at),
        objects=each.objects,
        bytes=each.bytes,
        outcomes=each.outcomes,
    )


def _attention(each: Matter) -> AttentionView:
    return AttentionView(
        id=each.id,
        kind=each.kind,
        study=each.study_uid,
        series=each.series_uid,
        instance=each.sop_uid,
        detail=each.detail,
        at=moment(each.at),
    )

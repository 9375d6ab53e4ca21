"""/api/v1/outgoing: what is on its way to others, and what was given up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from vna.api.endpoint import Call, Endpoint, moment
from vna.model.outgoing import Queued, Sending
from vna.services.outgoing import Outgoing

State = Literal["waiting", "leased", "sent", "dead"]


@dataclass(frozen=True, slots=True)
class OutgoingQuery:
    """`to`: "ae:TITLE" or a DICOMweb URL. `after`: the id of the last one seen."""

    to: str | None = None
    state: State | None = None
    study: str | None = None
    limit: int = 1000
    after: int = 0


@dataclass(frozen=True, slots=True)
class OutgoingView:
    """An instance in the queue. `next_at`: when it is tried (again). `rule`: whose wish it was, ""
    for a person's."""

    id: int
    to: str
    study: str
    series: str
    instance: str
    state: str
    attempts: int
    queued_at: str | None
    next_at: str | None
    sent_at: str | None
    last_error: str
    rule: str


@dataclass(frozen=True, slots=True)
class OutgoingList:
    """Oldest first."""

    outgoing: list[OutgoingView]


@dataclass(frozen=True, slots=True)
class CountView:
    """How many instances of one destination are in one state."""

    to: str
    state: str
    instances: int


@dataclass(frozen=True, slots=True)
class CountList:
    """By destination."""

    counts: list[CountView]


@dataclass(frozen=True, slots=True)
class Wish:
    """Send a study, a series or an instance, also where it was sent before."""

    to: str
    study: str
    series: str | None = None
    instance: str | None = None
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Chosen:
    """By ids, destination or study, one of them at least."""

    ids: list[int] = field(default_factory=list)
    to: str | None = None
    study: str | None = None


@dataclass(frozen=True, slots=True)
class HowMany:
    """Instances that it concerned."""

    instances: int


def operations(outgoing: Outgoing) -> list[Endpoint]:
    """The operations of the queue."""

    def list_outgoing(call: Call) -> OutgoingList:
        """What is on its way, what was sent in the last thirty days, and what was given up."""
        query: OutgoingQuery = call.query
        found = outgoing.find(
            call.caller,
            destination=query.to,
            state=Sending[query.state.upper()] if query.state else None,
            study_uid=query.study,
            limit=query.limit,
            after=query.after,
        )
        return OutgoingList([_view(each) for each in found])

    def count_outgoing(call: Call) -> CountList:
        """How many instances of each destination are in each state."""
        counted = outgoing.counts(call.caller)
        rows = [CountView(to, state.name.lower(), n) for (to, state), n in counted.items()]
        return CountList(rows)

    def send(call: Call) -> HowMany:
        """Queue what is stored for another archive or workstation."""
        body: Wish = call.body
        count = outgoing.enqueue(
            call.caller, body.to, body.study, body.series, body.instance, priority=body.priority
        )
        return HowMany(count)

    def retry_outgoing(call: Call) -> HowMany:
        """Try at once what waits or was given up."""
        body: Chosen = call.body
        count = outgoing.retry(call.caller, ids=body.ids, destination=body.to, study_uid=body.study)
        return HowMany(count)

    def drop_outgoing(call: Call) -> HowMany:
        """Take what has not been sent from the queue."""
        body: Chosen = call.body
        count = outgoing.drop(call.caller, ids=body.ids, destination=body.to, study_uid=body.study)
        return HowMany(count)

    return [
        Endpoint("GET", "/outgoing", list_outgoing, OutgoingList, OutgoingQuery),
        Endpoint("POST", "/outgoing", send, HowMany, body=Wish, status=202),
        Endpoint("GET", "/outgoing/counts", count_outgoing, CountList),
        Endpoint("POST", "/outgoing/retry", retry_outgoing, HowMany, body=Chosen),
        Endpoint("POST", "/outgoing/drop", drop_outgoing, HowMany, body=Chosen),
    ]


def _view(each: Queued) -> OutgoingView:
    return OutgoingView(
        id=each.id,
        to=each.destination,
        study=each.study_uid,
        series=each.series_uid,
        instance=each.sop_uid,
        state=each.state.name.lower(),
        attempts=each.attempts,
        queued_at=moment(each.queued_at),
        next_at=moment(each.next_at),
        sent_at=moment(each.sent_at),
        last_error=each.last_error,
        rule=each.rule,
    )

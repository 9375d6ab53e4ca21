"""From an open connection to an established association: the acceptor's side (PS3.8 §7.1)."""

from __future__ import annotations

from collections.abc import Callable

from dimse.association import Association
from dimse.connection import Connection, Ended
from dimse.negotiation import Accepted, negotiate
from dimse.pdu import AssociateReject, AssociateRequest, MalformedPdu, decode
from dimse.sop_classes import Service
from dimse.states import Event
from vna.model.association import Ending

ARTIM_SECONDS = 30.0

REASONS = {
    (1, 1, 1): "without a reason",
    (1, 1, 2): "application context not supported",
    (1, 1, 3): "calling AE title not known",
    (1, 1, 7): "called AE title not known",
    (1, 2, 1): "not authorised",
    (1, 2, 2): "protocol version not supported",
    (2, 3, 1): "too busy for now",
    (2, 3, 2): "too many associations for now",
}

Judge = Callable[[AssociateRequest], AssociateReject | Callable[[Service], bool]]


def read_request(connection: Connection) -> AssociateRequest:
    """The A-ASSOCIATE-RQ that must come first. Raises `Ended`."""
    kind, body = connection.receive(ARTIM_SECONDS)
    try:
        request = decode(kind, body)
    except MalformedPdu as error:
        raise connection.abort(str(error), source=2, reason=error.reason) from None
    assert isinstance(request, AssociateRequest)  # the state table lets nothing else pass
    return request


def answer(
    connection: Connection,
    request: AssociateRequest,
    verdict: AssociateReject | Callable[[Service], bool],
    *,
    identified: bool = False,
    idle: float,
    reply: float,
) -> tuple[Association, Accepted]:
    """Accept with the services that `verdict` allows, or reject by it. `identified`: the user
    identity was believed, which is said where the peer asked for it.

    Raises `Ended`; of a rejection too, once it is sent.
    """
    found = (
        verdict
        if isinstance(verdict, AssociateReject)
        else negotiate(request, verdict, identified=identified)
    )
    if isinstance(found, AssociateReject):
        connection.send(Event.REJECT, found)
        raise Ended(Ending.REJECTED, reason_of(found))
    connection.send(Event.ACCEPT, found.answer)
    association = Association(
        connection,
        found.contexts,
        called=request.called,
        calling=request.calling,
        peer_longest=request.user.longest,
        idle=idle,
        reply=reply,
    )
    return association, found


def reason_of(rejection: AssociateReject) -> str:
    """A rejection in plain words."""
    key = (rejection.result, rejection.source, rejection.reason)
    return REASONS.get(key, f"result {key[0]}, source {key[1]}, reason {key[2]}")

"""Who may open an association, as whom, for what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dimse.negotiation import UNKNOWN_CALLED, UNKNOWN_CALLING
from dimse.pdu import AssociateReject, AssociateRequest
from dimse.settings import ScpSettings
from dimse.sop_classes import Service as Offered
from vna.model.caller import DEFAULT_PARTITION, Caller, Right
from vna.model.peer import ALL_SERVICES, CalledView, Peer, Service, View
from vna.services.peers import Peers, unknown_called

_NEEDS = {
    Offered.STORE: {Service.STORE, Service.RETRIEVE},  # with C-GET the peer stores what it asked
    Offered.FIND: {Service.FIND},
    Offered.MOVE: {Service.RETRIEVE},
    Offered.GET: {Service.RETRIEVE},
    Offered.COMMIT: {Service.COMMIT},
}
_READING = {Service.FIND, Service.RETRIEVE, Service.COMMIT}


@dataclass(frozen=True, slots=True)
class Admission:
    """A caller that was let in. `peer`: what is known of it; `view`: what it sees."""

    caller: Caller
    peer: Peer | None
    services: frozenset[Service]
    view: View = View.NORMAL

    def allows(self, offered: Offered) -> bool:
        """Whether it may use a service at all."""
        return offered is Offered.ECHO or bool(_NEEDS[offered] & self.services)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A caller that was not let in; `why` in plain words. `stranger`: because nobody knows it."""

    answer: AssociateReject
    why: str
    stranger: bool = False


def judge(
    request: AssociateRequest, address: str, peers: Peers, settings: ScpSettings
) -> Admission | Refusal:
    """Whether the caller at `address` is let in. Raises `IndexUnavailable`."""
    ours: Mapping[str, CalledView] = {
        **{title: CalledView(title) for title in settings.titles},
        **peers.views(DEFAULT_PARTITION),
    }
    view = ours.get(request.called)
    if view is None:
        return Refusal(UNKNOWN_CALLED, unknown_called(request.called, ours))
    peer = peers.known(DEFAULT_PARTITION, request.calling)
    if peer is None and settings.unknown_callers != "open":
        why = peers.unknown(DEFAULT_PARTITION, request.calling)
        return Refusal(UNKNOWN_CALLING, why, settings.unknown_callers == "ask")
    services = peer.services if peer else ALL_SERVICES
    rights = {Right.READ} if services & _READING else set()
    if Service.STORE in services:
        rights.add(Right.SEND)
    seen = None
    if view.view is View.ORGANISATION:
        seen = peers.organisation(view.organisation)
    name = request.calling or "(no title)"
    caller = Caller(name, address, seen, frozenset(rights))
    return Admission(caller, peer, services, view.view)

"""Who may open an association, as whom, for what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dimse.negotiation import NOT_AUTHORISED, UNKNOWN_CALLED, UNKNOWN_CALLING
from dimse.pdu import AssociateReject, AssociateRequest, Identity
from dimse.settings import ScpSettings
from dimse.sop_classes import Service as Offered
from vna.errors import Unauthenticated
from vna.model.caller import DEFAULT_PARTITION, Caller, Right
from vna.model.certificate import Certificate
from vna.model.peer import ALL_SERVICES, CalledView, Peer, Service, View
from vna.services.access import PREFIX, Access
from vna.services.peers import Peers, unknown_called

_NEEDS = {
    Offered.STORE: {Service.STORE, Service.RETRIEVE},  # with C-GET the peer stores what it asked
    Offered.FIND: {Service.FIND},
    Offered.MOVE: {Service.RETRIEVE},
    Offered.GET: {Service.RETRIEVE},
    Offered.COMMIT: {Service.COMMIT},
}
_PASSCODE, _JWT = 2, 5  # kinds of user identity
_RIGHT = {
    Service.STORE: Right.SEND,
    Service.FIND: Right.READ,
    Service.RETRIEVE: Right.READ,
    Service.COMMIT: Right.READ,
}
_READING = {Service.FIND, Service.RETRIEVE, Service.COMMIT}


@dataclass(frozen=True, slots=True)
class Admission:
    """A caller that was let in. `peer`: what is known of it; `view`: what it sees."""

    caller: Caller
    peer: Peer | None
    services: frozenset[Service]
    view: View = View.NORMAL
    identified: bool = False  # by its user identity, which is to be answered

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
    request: AssociateRequest,
    address: str,
    peers: Peers,
    access: Access,
    settings: ScpSettings,
    shown: Certificate | None = None,
) -> Admission | Refusal:
    """Whether the caller at `address` is let in. Raises `IndexUnavailable`.

    `shown`: the certificate of its connection, which must be the one that its entry names.

    Who shows a token as the passcode of its user identity, or as its JWT, is let in as its holder,
    known or not, and may what both the token and its entry allow.
    """
    ours: Mapping[str, CalledView] = {
        **{title: CalledView(title) for title in settings.titles},
        **peers.views(DEFAULT_PARTITION),
    }
    view = ours.get(request.called)
    if view is None:
        return Refusal(UNKNOWN_CALLED, unknown_called(request.called, ours))
    peer = peers.known(DEFAULT_PARTITION, request.calling)
    if peer is not None and peer.certificate:
        if shown is None:
            return Refusal(NOT_AUTHORISED, f"{peer.title} must call over TLS with its certificate")
        if not shown.fits(peer.certificate):
            return Refusal(NOT_AUTHORISED, f"the certificate shown is not that of {peer.title}")
    try:
        holder = _holder(request.user.identity, address, access)
    except Unauthenticated as error:
        return Refusal(NOT_AUTHORISED, str(error))
    if peer is None and holder is None and settings.unknown_callers != "open":
        why = peers.unknown(DEFAULT_PARTITION, request.calling)
        return Refusal(UNKNOWN_CALLING, why, settings.unknown_callers == "ask")
    services = peer.services if peer else ALL_SERVICES
    rights = {Right.READ} if services & _READING else set()
    if Service.STORE in services:
        rights.add(Right.SEND)
    seen = None
    if view.view is View.ORGANISATION:
        seen = peers.organisation(view.organisation)
    if peer is not None and peer.own_only:
        own = peers.organisation(peer.organisation)
        seen = own if seen is None else seen & own
    name = request.calling or "(no title)"
    if holder is not None:
        rights &= holder.rights
        services = frozenset(each for each in services if _RIGHT[each] in rights)
        mine = holder.organisations
        seen = mine if seen is None else seen if mine is None else seen & mine
    caller = Caller(name, address, seen, frozenset(rights))
    return Admission(caller, peer, services, view.view, holder is not None)


def _holder(identity: Identity | None, address: str, access: Access) -> Caller | None:
    """Whose token the user identity shows; None for an identity of another kind, which is passed
    over without an answer (PS3.7 §D.3.3.7). Raises `Unauthenticated`, `IndexUnavailable`."""
    if identity is None or identity.kind not in (_PASSCODE, _JWT):
        return None
    shown = identity.secondary if identity.kind == _PASSCODE else identity.primary
    secret = shown.decode("latin-1").strip()
    if not secret.startswith(PREFIX):
        return None
    return access.remembered(secret, address) or access.caller_of(secret, address)

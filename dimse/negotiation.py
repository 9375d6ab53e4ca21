"""What is accepted of an association that a peer requests (PS3.7 §D.3, PS3.8 §9.3). Sans-IO."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dimse.association import OUR_LONGEST, Context
from dimse.pdu import (
    APPLICATION_CONTEXT,
    Answered,
    AssociateAccept,
    AssociateReject,
    AssociateRequest,
    Proposed,
    User,
)
from dimse.sop_classes import STORAGE_SERVICE, Service, service_of
from vna.dicom.convert import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from vna.dicom.transfer_syntax import (
    DEFLATED_EXPLICIT_LE,
    EXPLICIT_BE,
    EXPLICIT_LE,
    IMPLICIT_LE,
    transfer_syntax,
)

ACCEPTED, USER_REJECTION, NO_ABSTRACT, NO_TRANSFER = 0, 1, 3, 4
# PS3.8 table 9-21
NO_APPLICATION_CONTEXT = AssociateReject(1, 1, 2)
UNKNOWN_CALLING = AssociateReject(1, 1, 3)
UNKNOWN_CALLED = AssociateReject(1, 1, 7)
NO_PROTOCOL = AssociateReject(1, 2, 2)
NOT_AUTHORISED = AssociateReject(1, 2, 1)
CONGESTED = AssociateReject(2, 3, 1)
LIMIT_EXCEEDED = AssociateReject(2, 3, 2)

_PLAIN = (EXPLICIT_LE, IMPLICIT_LE)
_COMBINED, _FUZZY = 1, 2  # bytes of the extended negotiation of C-FIND (PS3.4 §C.5.1.1)
_STORAGE_LEVEL = bytes((2, 0, 3, 0, 0, 0))  # full storage, signatures level 3, no coercion (§B.3.1)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer to a request and what came of it."""

    answer: AssociateAccept
    contexts: tuple[Context, ...]


def negotiate(
    request: AssociateRequest, allowed: Callable[[Service], bool], *, identified: bool = False
) -> Accepted | AssociateReject:
    """Answer a request; `allowed`: whether the caller may use a service at all; `identified`: its
    user identity was believed (PS3.7 §D.3.3.7)."""
    if request.application_context != APPLICATION_CONTEXT:
        return NO_APPLICATION_CONTEXT
    if not request.protocol_version & 1:
        return NO_PROTOCOL
    declared = {
        each.sop_class
        for each in request.user.common
        if STORAGE_SERVICE in (each.service_class, *each.related)
    }
    roles = {each.sop_class: each for each in request.user.roles}
    offered = dict(request.user.extended)
    answers: list[Answered] = []
    contexts: list[Context] = []
    agreed: dict[str, bytes] = {}
    for proposed in request.contexts:
        service = Service.STORE if proposed.abstract in declared else service_of(proposed.abstract)
        result, transfer = _judge(proposed, service, allowed)
        answers.append(Answered(proposed.id, result, transfer))
        if result != ACCEPTED:
            continue
        extended = _extended(service, offered.get(proposed.abstract, b""))
        if extended:
            agreed[proposed.abstract] = extended
        role = roles.get(proposed.abstract)
        contexts.append(
            Context(
                proposed.id,
                proposed.abstract,
                service,
                transfer,
                ours=role is not None and role.scp,
                theirs=role is None or role.scu,
                extended=extended,
            )
        )
    names = {each.abstract for each in contexts}
    wants_answer = request.user.identity is not None and request.user.identity.wants_answer
    user = User(
        longest=OUR_LONGEST,
        implementation=IMPLEMENTATION_CLASS_UID,
        version=IMPLEMENTATION_VERSION_NAME,
        roles=tuple(role for role in roles.values() if role.sop_class in names),
        extended=tuple(agreed.items()),
        identity_answer=b"" if identified and wants_answer else None,
    )
    answer = AssociateAccept(request.called, request.calling, tuple(answers), user)
    return Accepted(answer, tuple(contexts))


def _judge(
    proposed: Proposed, service: Service, allowed: Callable[[Service], bool]
) -> tuple[int, str]:
    first = proposed.transfers[0] if proposed.transfers else IMPLICIT_LE
    if service is Service.NONE:
        return NO_ABSTRACT, first
    if not allowed(service):
        return USER_REJECTION, first
    if service is Service.STORE:
        usable = sorted(filter(None, proposed.transfers), key=_reluctance)
    else:
        usable = [uid for uid in _PLAIN if uid in proposed.transfers]
    return (ACCEPTED, usable[0]) if usable else (NO_TRANSFER, first)


def _reluctance(uid: str) -> int:
    """Order of the transfer syntaxes that one context offers for storage; equals keep the order of
    the request.

    What is lossless or uncompressed and says its VRs comes first. A lossy syntax is taken only
    where nothing else is offered beside it: offered a choice, a sender might compress for us.
    """
    if uid in (DEFLATED_EXPLICIT_LE, EXPLICIT_BE):
        return 2
    if uid == IMPLICIT_LE:
        return 1
    row = transfer_syntax(uid)
    return 3 if row.lossy else 0


def _extended(service: Service, offered: bytes) -> bytes:
    """The service class application information that we agree to; as long as what was offered."""
    if not offered:
        return b""
    if service is Service.FIND:
        ours = [1, 1, 1, 0, 0, 1, 0]  # relational, date-time, fuzzy, -, -, empty value, -
        return bytes(byte & mine for byte, mine in zip(offered, ours, strict=False))
    if service in (Service.MOVE, Service.GET):
        return bytes((offered[0] & 1,)) + bytes(len(offered[1:2]))
    if service is Service.STORE:
        return _STORAGE_LEVEL
    return b""


def combined_datetime(context: Context) -> bool:
    """Whether StudyDate and StudyTime ranges are one interval in this context."""
    return len(context.extended) > _COMBINED and bool(context.extended[_COMBINED])


def fuzzy(context: Context) -> bool:
    """Whether person names match by words in this context."""
    return len(context.extended) > _FUZZY and bool(context.extended[_FUZZY])

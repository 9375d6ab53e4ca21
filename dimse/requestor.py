"""Requesting an association: the side of an SCU (PS3.8 §7.1)."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass

from dimse.acceptor import reason_of
from dimse.association import OUR_LONGEST, Association, Context
from dimse.connection import Connection, Ended
from dimse.pdu import (
    AssociateAccept,
    AssociateReject,
    AssociateRequest,
    Identity,
    MalformedPdu,
    Proposed,
    Role,
    User,
    decode,
)
from dimse.sop_classes import service_of
from dimse.states import Event, State
from vna.dicom.convert import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from vna.model.association import Ending

MOST_CONTEXTS = 128  # ids are odd and one byte


@dataclass(frozen=True, slots=True)
class Address:
    """Whom to call. `tls`: None for a plain connection."""

    title: str
    host: str
    port: int
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        return f"{self.title}@{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, for the peer's silence within a message, for a response."""

    connect: float = 15.0
    network: float = 60.0
    reply: float = 120.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A presentation context to propose. `serve`: we want to be its SCP (role selection)."""

    abstract: str
    transfers: tuple[str, ...]
    serve: bool = False
    extended: bytes = b""


def request(
    address: Address,
    calling: str,
    wanted: Iterable[Wanted],
    *,
    identity: Identity | None = None,
    timeouts: Timeouts = Timeouts(),
) -> Association:
    """An established association with `address`, as `calling`.

    Raises `Ended` where it cannot be had, and `ValueError` for more than 128 contexts.
    """
    contexts = list(wanted)
    if len(contexts) > MOST_CONTEXTS:
        raise ValueError(f"an association has at most {MOST_CONTEXTS} contexts")
    proposed = {
        2 * place + 1: Proposed(2 * place + 1, each.abstract, each.transfers)
        for place, each in enumerate(contexts)
    }
    roles = {each.abstract: Role(each.abstract, False, True) for each in contexts if each.serve}
    asked = AssociateRequest(
        address.title,
        calling,
        tuple(proposed.values()),
        User(
            longest=OUR_LONGEST,
            implementation=IMPLEMENTATION_CLASS_UID,
            version=IMPLEMENTATION_VERSION_NAME,
            roles=tuple(roles.values()),
            extended=tuple({e.abstract: e.extended for e in contexts if e.extended}.items()),
            identity=identity,
        ),
    )
    connection = Connection(
        _connected(address, timeouts), requestor=True, longest=OUR_LONGEST, seconds=timeouts.network
    )
    try:
        connection.send(Event.CONNECTED, asked)
        answered = _answer(connection, timeouts)
    except BaseException:
        connection.close()
        raise
    granted = {each.sop_class: each for each in answered.user.roles}
    agreed = dict(answered.user.extended)
    accepted = [
        _context(each.id, each.transfer, proposed[each.id].abstract, roles, granted, agreed)
        for each in answered.contexts
        if each.result == 0 and each.id in proposed
    ]
    return Association(
        connection,
        accepted,
        called=address.title,
        calling=calling,
        peer_longest=answered.user.longest,
        idle=timeouts.reply,
        reply=timeouts.reply,
    )


def _connected(address: Address, timeouts: Timeouts) -> socket.socket:
    try:
        sock = socket.create_connection((address.host, address.port), timeouts.connect)
        if address.tls is None:
            return sock
        try:
            return address.tls.wrap_socket(sock, server_hostname=address.host)
        except BaseException:
            sock.close()
            raise
    except TimeoutError:
        raise Ended(Ending.LOST, f"{address} does not answer on its port") from None
    except ssl.SSLError as error:
        raise Ended(Ending.LOST, f"no TLS with {address}: {error.reason}") from None
    except OSError as error:
        raise Ended(Ending.LOST, f"cannot connect to {address}: {error.strerror}") from None


def _answer(connection: Connection, timeouts: Timeouts) -> AssociateAccept:
    assert connection.state is State.AWAITING_ANSWER
    kind, body = connection.receive(timeouts.reply)
    try:
        answered = decode(kind, body)
    except MalformedPdu as error:
        raise connection.abort(str(error), source=2, reason=error.reason) from None
    if isinstance(answered, AssociateReject):
        raise Ended(Ending.REJECTED, f"the peer rejected it: {reason_of(answered)}")
    assert isinstance(answered, AssociateAccept)  # the state table lets nothing else pass
    return answered


def _context(
    id: int,
    transfer: str,
    abstract: str,
    roles: dict[str, Role],
    granted: dict[str, Role],
    agreed: dict[str, bytes],
) -> Context:
    """No echo of a role means the default: we are SCU (PS3.7 §D.3.3.4)."""
    serves = abstract in roles and abstract in granted and granted[abstract].scp
    uses = abstract not in roles or (abstract in granted and granted[abstract].scu)
    return Context(
        id, abstract, service_of(abstract), transfer, uses, serves, agreed.get(abstract, b"")
    )

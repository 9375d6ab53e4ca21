"""One association from its first byte to its entry in the log; the services do what is asked."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from dimse import commit, find, statuses, store
from dimse.acceptor import answer, read_request
from dimse.association import OUR_LONGEST, Association, Message
from dimse.command import Field
from dimse.connection import Connection, Ended
from dimse.gate import Admission, Refusal, judge
from dimse.negotiation import CONGESTED, LIMIT_EXCEEDED
from dimse.noting import Noting
from dimse.pdu import AssociateReject, AssociateRequest
from dimse.requestor import Address
from dimse.retrieve import Retrieval
from dimse.settings import ScpSettings
from dimse.sop_classes import Service
from vna.errors import Unavailable, VnaError
from vna.model.association import Association as Logged
from vna.model.association import Ending
from vna.model.caller import DEFAULT_PARTITION
from vna.model.certificate import Certificate
from vna.model.peer import View
from vna.services.access import Access
from vna.services.asked_commitments import AskedCommitments
from vna.services.association_log import AssociationLog
from vna.services.budget import Budget
from vna.services.commitment import Commitment
from vna.services.ingest import Ingest
from vna.services.peer_certificate import shown_by
from vna.services.peers import Peers
from vna.services.reception import Reception
from vna.services.retrieve import Retrieve
from vna.services.search import Search
from vna.services.titles import printable

log = logging.getLogger("vna.dimse")

SOURCE = "dimse"


@dataclass(frozen=True)
class Services:
    """What DIMSE is a language for."""

    ingest: Ingest
    search: Search
    retrieve: Retrieve
    commitment: Commitment
    asked_commitments: AskedCommitments
    peers: Peers
    association_log: AssociationLog
    access: Access


class Scp:
    """Serves associations, each on a thread of its own."""

    def __init__(self, services: Services, settings: ScpSettings) -> None:
        self._services, self._settings = services, settings
        self._budget = Budget(settings.budget_bytes)
        self._noting = Noting(services.association_log)

    def flush(self, seconds: float) -> None:
        """Wait until what has ended is in the log, at most so long."""
        self._noting.flush(seconds)

    def serve(self, sock: socket.socket, place: Callable[[str], bool], slot: Slot) -> None:
        """Serve one connection until it ends, and note it in the log. Never raises.

        `slot`: where others find the association while it runs.
        """
        began = time.time_ns() // 1_000_000
        address = _address(sock)
        connection = Connection(
            sock, requestor=False, longest=OUR_LONGEST, seconds=self._settings.network
        )
        slot.connection = connection
        asked: AssociateRequest | None = None
        association: Association | None = None
        try:
            asked = read_request(connection)
            shown = shown_by(sock) if isinstance(sock, ssl.SSLSocket) else None
            admission = self._judge(connection, asked, address, place, shown)
            association, _ = answer(
                connection,
                asked,
                admission.allows,
                identified=admission.identified,
                idle=self._settings.idle,
                reply=self._settings.reply,
            )
            slot.association = association
            self._operate(association, admission, address)
            ended = Ended(Ending.RELEASED, "")
        except Ended as error:
            ended = error
        except Exception as error:  # ours: the others must not end with it
            log.exception("an association failed")
            ended = connection.abort(f"an error in the archive: {type(error).__name__}")
        finally:
            connection.close()
        if asked is not None:
            self._note(began, asked, association, connection, address, ended)

    def _judge(
        self,
        connection: Connection,
        asked: AssociateRequest,
        address: str,
        place: Callable[[str], bool],
        shown: Certificate | None,
    ) -> Admission:
        """Who is let in. Raises `Ended` for anybody else, who has been told."""
        try:
            verdict = judge(
                asked,
                address,
                self._services.peers,
                self._services.access,
                self._settings,
                shown,
            )
            if isinstance(verdict, Refusal) and verdict.stranger:
                self._services.peers.refused(
                    DEFAULT_PARTITION, asked.calling, address, asked.called, verdict.why
                )
        except Unavailable as error:
            raise _rejected(connection, asked, CONGESTED, str(error)) from None
        if isinstance(verdict, Refusal):
            raise _rejected(connection, asked, verdict.answer, verdict.why)
        if not place(asked.calling):
            why = "too many associations at once, of this caller or of all"
            raise _rejected(connection, asked, LIMIT_EXCEEDED, why)
        return verdict

    def _operate(self, association: Association, admission: Admission, address: str) -> None:
        reception: Reception | None = None
        try:
            while (message := association.receive()) is not None:
                field, service = message.command.field, message.context.service
                if field == Field.STORE and service is Service.STORE and message.context.theirs:
                    try:
                        reception = reception or self._reception(association, admission, address)
                    except VnaError as error:
                        status, comment = statuses.failure(error)
                        association.respond(message, status, comment=comment)
                        continue
                    store.store(association, message, reception, self._budget)
                elif field != Field.CANCEL:
                    self._answer(association, message, service, admission)
        finally:
            if reception is not None:
                reception.finish()

    def _reception(self, association: Association, admission: Admission, address: str) -> Reception:
        peer = admission.peer
        return self._services.ingest.reception(
            admission.caller,
            SOURCE,
            peer=f"{association.calling}@{address}",
            path=association.called,
            organisation=(peer.organisation if peer else "") or None,
            policy=peer.policy if peer else None,
            authority=peer.authority if peer else "",
            coercions=peer.coercions if peer else (),
            lasting=True,
        )

    def _answer(
        self, association: Association, message: Message, service: Service, admission: Admission
    ) -> None:
        services, caller = self._services, admission.caller
        match message.command.field, service:
            case Field.ECHO, Service.ECHO:
                association.respond(message, statuses.SUCCESS)
            case Field.FIND, Service.FIND:
                peer = admission.peer
                find.find(
                    association,
                    message,
                    services.search,
                    caller,
                    character_set=peer.character_set if peer else "",
                )
            case Field.GET, Service.GET:
                self._retrieval(association, message, admission).get()
            case Field.MOVE, Service.MOVE:
                retrieval = self._retrieval(association, message, admission)
                retrieval.move(self._address_of, self._settings.timeouts)
            case Field.ACTION, Service.COMMIT:
                commit.take(
                    association,
                    message,
                    services.commitment,
                    caller,
                    can_be_called=admission.peer is not None and admission.peer.can_be_called,
                )
            case Field.EVENT_REPORT, Service.COMMIT:
                commit.told(
                    association,
                    message,
                    services.asked_commitments,
                    association.calling,
                    DEFAULT_PARTITION,
                )
            case _:
                association.respond(
                    message,
                    statuses.UNRECOGNISED,
                    comment=f"no such operation in a context of {service.value}",
                )

    def _retrieval(
        self, association: Association, message: Message, admission: Admission
    ) -> Retrieval:
        return Retrieval(
            association,
            message,
            self._services.search,
            self._services.retrieve,
            admission.caller,
            as_received=admission.view is View.AS_RECEIVED,
        )

    def _address_of(self, title: str) -> Address | None:
        peer = self._services.peers.known(DEFAULT_PARTITION, title)
        if peer is None or not peer.can_be_called:
            return None
        return self._settings.address_of(peer)

    def _note(
        self,
        began: int,
        asked: AssociateRequest,
        association: Association | None,
        connection: Connection,
        address: str,
        ended: Ended,
    ) -> None:
        """The entry in the log."""
        counts: dict[str, dict[str, int]] = defaultdict(dict)
        accepted: list[tuple[str, str]] = []
        if association is not None:
            for (operation, status), number in association.counts.items():
                counts[operation][f"{status:04X}"] = number
            accepted = [(each.abstract, each.transfer) for each in association.contexts.values()]
        record = Logged(
            began_at=began,
            ended_at=time.time_ns() // 1_000_000,
            direction="in",
            calling=asked.calling,
            called=asked.called,
            address=address,
            implementation_uid=asked.user.implementation,
            implementation_version=asked.user.version,
            offered=tuple((each.abstract, each.transfers) for each in asked.contexts),
            accepted=tuple(accepted),
            counts=counts,
            bytes_received=connection.received,
            bytes_sent=connection.sent,
            ending=ended.ending,
            why=ended.why,
        )
        log.log(
            logging.WARNING if record.failed else logging.INFO,
            "association",
            extra={
                "calling": printable(record.calling),
                "called": printable(record.called),
                "address": address,
                "ending": record.ending.value,
                "why": record.why,
                "counts": dict(counts),
                "ms": record.ended_at - began,
            },
        )
        self._noting.note(record)


@dataclass(eq=False)
class Slot:
    """A connection that is being served, as other threads see it."""

    connection: Connection | None = None
    association: Association | None = None

    def interrupt(self) -> None:
        """End it, unless it is in the middle of something."""
        if self.association is not None:
            self.association.interrupt()
        elif self.connection is not None:
            self.connection.interrupt()


def _rejected(
    connection: Connection, asked: AssociateRequest, rejection: AssociateReject, why: str
) -> Ended:
    """Tell the peer; returns what to raise."""
    try:
        answer(connection, asked, rejection, idle=0, reply=0)
    except Ended as ended:
        return Ended(ended.ending, why)
    raise AssertionError


def _address(sock: socket.socket) -> str:
    try:
        return str(sock.getpeername()[0])
    except (OSError, IndexError):
        return ""

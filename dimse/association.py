"""Messages over an established association: commands and data sets, streamed (PS3.7, PS3.8 §E).

One thread uses an association. Operations are synchronous, one at a time; what a peer may send
beside is its C-CANCEL, and between the sub-operations of a C-GET its responses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dimse import command, pdu
from dimse.command import RESPONSE, Command, Field, MalformedCommand, Value
from dimse.connection import Connection, Ended
from dimse.pdu import IS_COMMAND, IS_LAST, Kind, MalformedPdu, ReleaseReply, ReleaseRequest
from dimse.sop_classes import Service
from dimse.states import Event, State

LONGEST_IDENTIFIER = 16 << 20  # bytes of a data set that is read into memory: not an object
OUR_LONGEST = 128 << 10  # bytes of a P-DATA-TF body that we take, and the most we make
_SHORTEST = 128  # bytes; a peer that takes less has a mistake in its settings
_NAMES = {
    Field.STORE: "C-STORE",
    Field.GET: "C-GET",
    Field.FIND: "C-FIND",
    Field.MOVE: "C-MOVE",
    Field.ECHO: "C-ECHO",
    Field.EVENT_REPORT: "N-EVENT-REPORT",
    Field.N_GET: "N-GET",
    Field.N_SET: "N-SET",
    Field.ACTION: "N-ACTION",
    Field.CREATE: "N-CREATE",
    Field.DELETE: "N-DELETE",
}


@dataclass(frozen=True, slots=True)
class Context:
    """An accepted presentation context. `ours`: we may act as SCU of it, `theirs`: the peer may."""

    id: int
    abstract: str
    service: Service
    transfer: str
    ours: bool
    theirs: bool
    extended: bytes = b""  # service class application information that was agreed


@dataclass(frozen=True, slots=True)
class Message:
    """A command that was received. Its data set, where it has one, is still to be read."""

    context: Context
    command: Command


class Association:
    """An established association.

    `peer_longest`: bytes of a P-DATA-TF body that the peer takes, 0 = no limit. `idle`: seconds
    that a peer may leave between messages. `reply`: seconds to wait for a response.
    """

    def __init__(
        self,
        connection: Connection,
        contexts: Iterable[Context],
        *,
        called: str,
        calling: str,
        peer_longest: int,
        idle: float,
        reply: float,
    ) -> None:
        self.contexts: Mapping[int, Context] = {each.id: each for each in contexts}
        self.called, self.calling = called, calling
        self.counts: Counter[tuple[str, int]] = Counter()  # operation and final status
        self.idle_now = False  # waiting for a command: may be interrupted
        self._connection = connection
        longest = min(peer_longest or OUR_LONGEST, OUR_LONGEST)
        self._room = max(longest, _SHORTEST) - pdu.FRAGMENT_HEAD
        self._idle, self._reply = idle, reply
        self._fragments: Iterator[tuple[int, int, memoryview]] = iter(())
        self._reading: Context | None = None  # whose data set is still to be read
        self._cancelled: set[int] = set()
        self._last_id = 0

    # ── receiving ────────────────────────────────────────────────────────────────────────────────

    def receive(self) -> Message | None:
        """The next command; None where the peer releases, which is answered.

        Raises `Ended`. What was left unread of the last data set is skipped.
        """
        self.skip()
        self.idle_now = True
        try:
            return self._command(self._idle)
        finally:
            self.idle_now = False

    def data(self) -> Iterator[memoryview]:
        """The data set of the last message in pieces, each valid until the next is asked for."""
        while (context := self._reading) is not None:
            id, control, piece = self._fragment(self._reply)
            if id != context.id or control & IS_COMMAND:
                raise self._unexpected("a data set was broken off by something else")
            if control & IS_LAST:
                self._reading = None
            yield piece

    def read(self) -> bytes:
        """The whole data set of the last message. Raises `Ended` beyond 16 MiB."""
        out = bytearray()
        for piece in self.data():
            out += piece
            if len(out) > LONGEST_IDENTIFIER:
                raise self.abort("an identifier of more than 16 MiB")
        return bytes(out)

    def skip(self) -> None:
        """Read and forget what is left of the last data set."""
        for _ in self.data():
            pass

    def comes(self, seconds: float) -> bool:
        """Whether the peer sends something within so long."""
        return self._connection.waiting(seconds)

    def response(self, message_id: int) -> Command:
        """The response to a request of ours; its data set, if any, is still to be read.

        C-CANCEL that comes meanwhile is remembered. Raises `Ended`.
        """
        while True:
            self.skip()
            message = self._command(self._reply)
            if message is None:
                raise self._unexpected("the peer released instead of answering")
            found = message.command
            if found.field == Field.CANCEL:
                self._cancelled.add(found.number(command.RESPONDED_TO))
            elif found.field & RESPONSE and found.number(command.RESPONDED_TO) == message_id:
                self._count(found.field & ~RESPONSE, found.number(command.STATUS))
                return found
            else:
                raise self._unexpected("another message came instead of a response")

    def cancelled(self, request: Command) -> bool:
        """Whether the peer has cancelled `request`; waits for nothing."""
        id = request.number(command.MESSAGE_ID)
        while id not in self._cancelled and self._connection.waiting():
            message = self._command(self._reply)
            if message is None or message.command.field != Field.CANCEL:
                raise self._unexpected("another message came while one was being answered")
            self._cancelled.add(message.command.number(command.RESPONDED_TO))
        return id in self._cancelled

    def _command(self, seconds: float) -> Message | None:
        parts = bytearray()
        context: Context | None = None
        while True:
            try:
                id, control, piece = self._fragment(seconds)
            except _Released:
                return None
            if not control & IS_COMMAND or (context is not None and context.id != id):
                raise self._unexpected("a data set came where a command belongs")
            context = self.contexts.get(id)
            if context is None:
                raise self._unexpected(f"presentation context {id} was not accepted")
            parts += piece
            if len(parts) > command.LONGEST:
                raise self.abort("a command of more than 64 KiB")
            seconds = self._reply
            if control & IS_LAST:
                break
        try:
            found = command.decode(bytes(parts))
        except MalformedCommand as error:
            raise self.abort(str(error)) from None
        if found.field == Field.CANCEL:
            self._reading = None
        else:
            self._reading = context if found.has_data_set else None
        return Message(context, found)

    def _fragment(self, seconds: float) -> tuple[int, int, memoryview]:
        while True:
            try:
                for fragment in self._fragments:
                    return fragment
            except MalformedPdu as error:
                raise self.abort(str(error), reason=error.reason) from None
            kind, body = self._connection.receive(seconds)
            if kind == Kind.DATA:
                self._fragments = pdu.fragments(body)
            elif kind == Kind.RELEASE_RQ:
                self._connection.send(Event.RELEASE_REPLY, ReleaseReply())
                raise _Released
            else:
                raise self._unexpected("the peer answered what nobody asked")

    # ── sending ──────────────────────────────────────────────────────────────────────────────────

    def next_id(self) -> int:
        """A message id for a request of ours."""
        self._last_id = self._last_id % 0xFFFF + 1
        return self._last_id

    def respond(
        self,
        message: Message,
        status: int,
        values: Mapping[int, Value] | None = None,
        data: bytes | None = None,
        *,
        comment: str = "",
        offending: int = 0,
    ) -> None:
        """Answer a request; its data set must have been read, or is skipped. Raises `Ended`."""
        self.skip()
        if status & 0xFF00 != 0xFF00:
            self._count(message.command.field, status)
            self._cancelled.discard(message.command.number(command.MESSAGE_ID))
        answer = command.response(message.command, status, comment=comment, offending=offending)
        pieces = None if data is None else [data]
        self.send(message.context, {**answer, **(values or {})}, pieces)

    def send(
        self, context: Context, values: Mapping[int, Value], data: Iterable[bytes] | None = None
    ) -> None:
        """Send a message; `data`: pieces of its data set, read as they are sent. Raises `Ended`,
        and what `data` raises: then the association can only be aborted."""
        head = command.encode(values, data_set=data is not None)
        parts: list[bytes | memoryview] = []
        for at in range(0, len(head), self._room):
            piece = head[at : at + self._room]
            last = IS_LAST if at + self._room >= len(head) else 0
            parts += [pdu.data_head(context.id, IS_COMMAND | last, len(piece)), piece]
        if data is None:
            self._connection.write(parts)
            return
        size, held = 0, list[memoryview]()
        for each in data:
            view = memoryview(each)
            while size + len(view) > self._room:  # more is to come, so this is not the last
                taken = self._room - size
                held.append(view[:taken])
                view = view[taken:]
                self._connection.write([*parts, pdu.data_head(context.id, 0, self._room), *held])
                parts, size, held = [], 0, []
            if view:
                held.append(view)
                size += len(view)
        self._connection.write([*parts, pdu.data_head(context.id, IS_LAST, size), *held])

    # ── ending ───────────────────────────────────────────────────────────────────────────────────

    def release(self) -> None:
        """Release in order. Raises `Ended` where the peer does not."""
        self._connection.send(Event.RELEASE, ReleaseRequest())
        while True:
            kind, _ = self._connection.receive(self._reply)
            if kind == Kind.RELEASE_RP:
                if self._connection.state is State.COLLISION_ACCEPTOR_LOCAL:
                    self._connection.send(Event.RELEASE_REPLY, ReleaseReply())
                return
            if (
                kind == Kind.RELEASE_RQ
                and self._connection.state is State.COLLISION_REQUESTOR_LOCAL
            ):
                self._connection.send(Event.RELEASE_REPLY, ReleaseReply())

    def abort(self, why: str, *, reason: int = 0) -> Ended:
        """Abort; returns what to raise."""
        return self._connection.abort(why, source=2 if reason else 0, reason=reason)

    def interrupt(self) -> None:
        """From another thread: end it, if it waits for a command; else it is left alone."""
        if self.idle_now:
            self._connection.interrupt()

    def close(self) -> None:
        """Close the connection; a second call does nothing."""
        self._connection.close()

    @property
    def received(self) -> int:
        """Bytes received over the connection."""
        return self._connection.received

    @property
    def sent(self) -> int:
        """Bytes sent over the connection."""
        return self._connection.sent

    def _unexpected(self, why: str) -> Ended:
        return self.abort(why, reason=pdu.UNEXPECTED_PDU)

    def _count(self, field: int, status: int) -> None:
        self.counts[_NAMES.get(field, f"{field:04X}"), status] += 1  # type: ignore[call-overload]


class _Released(Exception):
    """The peer asked to release, and has its reply."""

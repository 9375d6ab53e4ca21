"""One TCP connection that speaks the upper layer: bytes, time limits and the state table.

It blocks its thread; nothing polls. Every PDU leaves in one write, and what came in is acknowledged
at once (TCP_QUICKACK): a peer that leaves Nagle's algorithm on otherwise waits 40 ms for each of
its messages.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time
from collections.abc import Sequence

from dimse import pdu
from dimse.pdu import Abort, Kind, MalformedPdu, Pdu
from dimse.reader import PduReader
from dimse.states import TABLE, Action, Event, State, collided
from vna.model.association import Ending

_EVENTS = {
    Kind.ASSOCIATE_RQ: Event.GOT_REQUEST,
    Kind.ASSOCIATE_AC: Event.GOT_ACCEPT,
    Kind.ASSOCIATE_RJ: Event.GOT_REJECT,
    Kind.DATA: Event.GOT_DATA,
    Kind.RELEASE_RQ: Event.GOT_RELEASE,
    Kind.RELEASE_RP: Event.GOT_RELEASE_REPLY,
    Kind.ABORT: Event.GOT_ABORT,
}
_ABORT_REASONS = {
    0: "no reason given",
    1: "it did not know a PDU of ours",
    2: "it did not expect a PDU of ours",
    4: "it did not know a parameter",
    5: "it did not expect a parameter",
    6: "it found a parameter invalid",
}
LINGER_SECONDS = 2.0  # for the peer to close first, so that it reads our last PDU
_LONGEST_VECTOR = 64  # pieces of one write


class Ended(Exception):
    """The association is over; `why` says it in plain words, without patient data."""

    def __init__(self, ending: Ending, why: str) -> None:
        self.ending, self.why = ending, why
        super().__init__(f"{ending.value}: {why}")


class Connection:
    """An open socket and the state of its association. Used by one thread, but for `interrupt`.

    `longest`: bytes of a P-DATA-TF body that we take. `seconds`: how long the peer may stay silent
    within a PDU, and how long a write may take.
    """

    def __init__(
        self, sock: socket.socket, *, requestor: bool, longest: int, seconds: float
    ) -> None:
        self.state = State.AWAITING_CONNECTION if requestor else State.AWAITING_REQUEST
        self.received = self.sent = 0  # bytes
        self._requestor = requestor
        self._socket = sock
        self._seconds = seconds
        self._reader = PduReader(longest)
        self._interrupted = False
        self._is_tls = isinstance(sock, ssl.SSLSocket)
        self._timeout = -1.0
        with contextlib.suppress(OSError):  # a socket pair has no TCP
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    # ── receiving ────────────────────────────────────────────────────────────────────────────────

    def receive(self, idle: float) -> tuple[int, memoryview]:
        """Type and body of the next PDU that means something here.

        `idle`: seconds to wait for its first byte. The body is valid until the next call. Raises
        `Ended`, having answered what the table says.
        """
        while True:
            try:
                found = self._next(idle)
            except MalformedPdu as error:
                raise self._unfit(Event.GOT_INVALID, error.reason, str(error)) from None
            kind = found[0]
            if kind == Kind.DATA and self.state is State.ESTABLISHED:
                return found
            action, following = TABLE[self.state, _EVENTS[Kind(kind)]]
            if action is Action.AA_6:
                continue
            if action in (Action.AA_1, Action.AA_7, Action.AA_8):
                name = Kind(kind).name.replace("_", "-")
                raise self._unfit(
                    _EVENTS[Kind(kind)], pdu.UNEXPECTED_PDU, f"the peer sent {name} out of turn"
                )
            if action is Action.AR_8:
                following = collided(self._requestor)
            self.state = following
            if action in (Action.AA_3, Action.AA_2):
                raise Ended(Ending.ABORTED_BY_PEER, _reason(found[1]))
            return found

    def waiting(self, seconds: float = 0.0) -> bool:
        """Whether something has come in already, or comes within so long."""
        if self._reader.begun or (self._is_tls and self._socket.pending()):  # type: ignore[attr-defined]
            return True
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def interrupt(self) -> None:
        """From another thread: end the waiting of `receive`, as if the peer had closed."""
        self._interrupted = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RD)

    def _next(self, idle: float) -> tuple[int, memoryview]:
        found = self._reader.next()
        if found is not None:
            return found
        now = time.monotonic()
        began = self._reader.begun
        deadline = now + (self._seconds if began else idle)
        while found is None:
            self._fill(deadline - now, began)
            found = self._reader.next()
            now = time.monotonic()
            if not began:
                began, deadline = True, now + self._seconds
        return found

    def _fill(self, seconds: float, began: bool) -> None:
        if seconds <= 0:
            raise self._timed_out(began)
        self._limit(seconds)
        try:
            count = self._socket.recv_into(self._reader.room())
            if not self._is_tls:
                self._quick()
        except TimeoutError:
            raise self._timed_out(began) from None
        except OSError as error:
            raise self._lost(str(error.strerror or error)) from None
        if not count:
            if self._interrupted:
                raise self.abort("this server is shutting down")
            raise self._lost("the peer closed the connection")
        self.received += count
        self._reader.filled(count)

    def _quick(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _limit(self, seconds: float) -> None:
        """Set the socket's timeout, if it is another than it has: each setting is a system call."""
        if not 0.5 * seconds <= self._timeout <= seconds:
            self._timeout = seconds
            self._socket.settimeout(seconds)

    # ── sending ──────────────────────────────────────────────────────────────────────────────────

    def send(self, event: Event, message: Pdu) -> None:
        """Send an association control PDU, which `event` allows. Raises `Ended`."""
        _, self.state = TABLE[self.state, event]
        self.write([pdu.encode(message)])

    def write(self, parts: Sequence[bytes | memoryview]) -> None:
        """Send bytes, in as few writes as they take. Raises `Ended`."""
        self._limit(self._seconds)
        try:
            if self._is_tls:
                data = b"".join(parts)
                self._socket.sendall(data)
                self.sent += len(data)
                return
            for first in range(0, len(parts), _LONGEST_VECTOR):
                some = parts[first : first + _LONGEST_VECTOR]
                size = sum(map(len, some))
                done = self._socket.sendmsg(some)
                if done < size:
                    self._socket.sendall(memoryview(b"".join(some))[done:])
                self.sent += size
        except TimeoutError:
            raise self._timed_out(True) from None
        except OSError as error:
            raise self._lost(str(error.strerror or error)) from None

    # ── ending ───────────────────────────────────────────────────────────────────────────────────

    def abort(self, why: str, *, source: int = 0, reason: int = 0) -> Ended:
        """Send A-ABORT, if the state lets us; returns what to raise."""
        if (self.state, Event.ABORT) in TABLE or self.state is State.AWAITING_REQUEST:
            self.state = State.AWAITING_CLOSE
            with contextlib.suppress(Ended):
                self.write([pdu.encode(Abort(source, reason))])
        return Ended(Ending.ABORTED_BY_US, why)

    def close(self) -> None:
        """Close the socket; where our PDU was the last, once the peer has had it. What is still
        established is aborted."""
        if self.state is State.ESTABLISHED:
            self.abort("closed")
        if self.state is State.AWAITING_CLOSE:
            self._linger()
        self.state = State.IDLE
        with contextlib.suppress(OSError):
            self._socket.close()

    def _linger(self) -> None:
        """Read what the peer still sends, until it closes: closing before that resets the
        connection, and then the peer may never see our last PDU."""
        deadline = time.monotonic() + LINGER_SECONDS
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
            while (left := deadline - time.monotonic()) > 0:
                self._socket.settimeout(left)
                if not self._socket.recv(65536):
                    return

    def _unfit(self, event: Event, reason: int, why: str) -> Ended:
        action, _ = TABLE[self.state, event]
        source = 0 if action is Action.AA_1 else 2
        return self.abort(why, source=source, reason=0 if source == 0 else reason)

    def _timed_out(self, began: bool) -> Ended:
        why = "the peer stopped within a message" if began else "the peer was silent for too long"
        ended = self.abort(why, source=2)
        return Ended(Ending.TIMED_OUT, ended.why)

    def _lost(self, why: str) -> Ended:
        self.state = State.IDLE
        return Ended(Ending.LOST, why)


def _reason(body: memoryview) -> str:
    source, reason = (body[2], body[3]) if len(body) >= 4 else (0, 0)
    if source == 0:
        return "the peer's application ended it"
    return f"the peer's upper layer ended it: {_ABORT_REASONS.get(reason, 'no reason given')}"

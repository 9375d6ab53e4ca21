"""What is queued leaves: each destination by one thread at a time, several destinations at once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from vna.errors import Unavailable
from vna.model.outgoing import Due
from vna.services.outgoing import Outgoing

log = logging.getLogger("vna.forward")

AT_ONCE = 100  # instances leased together; one association or connection carries them
POLL_SECONDS = 1.0
PARALLEL = 4  # destinations

# Sends to a destination and yields, in any order, each instance with why it failed, '' where it
# did not. What it does not yield counts as failed.
Send = Callable[[str, Sequence[Due]], Iterator[tuple[Due, str]]]


class Forward:
    """Empties the queue; safe beside others of its kind. A destination that fails holds up no
    other, and what it took stays taken."""

    def __init__(self, outgoing: Outgoing, send: Send) -> None:
        self._outgoing, self._send = outgoing, send
        self._busy: set[str] = set()
        self._lock = threading.Lock()

    def run(self, stop: threading.Event) -> None:
        """Send until `stop` is set; what is under way is finished."""
        with ThreadPoolExecutor(PARALLEL, "forward") as pool:
            while not stop.is_set():
                try:
                    for destination in self._outgoing.destinations():
                        with self._lock:
                            if destination in self._busy:
                                continue
                            self._busy.add(destination)
                        pool.submit(self._empty, destination, stop)
                except Unavailable as error:
                    log.warning("sending waits: %s", error)
                stop.wait(POLL_SECONDS)

    def once(self, destination: str) -> int:
        """Send what is due for a destination now, at most one batch; how many were tried.

        Raises `Unavailable`.
        """
        batch = self._outgoing.claim(destination, AT_ONCE)
        left = {due.id: due for due in batch}
        why = "the association ended before its turn"
        try:
            for due, error in self._send(destination, batch) if batch else ():
                del left[due.id]
                if error:
                    self._outgoing.failed([due], error)
                else:
                    self._outgoing.done([due])
        except Unavailable:
            raise  # the lease runs out, and they are sent again
        except Exception as error:  # a destination may fail in any way
            why = str(error) or type(error).__name__
            log.warning("not sent", extra={"to": destination, "why": why})
        if left:
            self._outgoing.failed(list(left.values()), why)
        return len(batch)

    def _empty(self, destination: str, stop: threading.Event) -> None:
        try:
            while not stop.is_set() and self.once(destination) == AT_ONCE:
                pass
        except Unavailable as error:
            log.warning("sending waits: %s", error)
        finally:
            with self._lock:
                self._busy.discard(destination)

"""Accepting connections: a thread for each, as many as the settings allow."""

from __future__ import annotations

import logging
import os
import select
import socket
import ssl
import threading
import time
from collections import Counter

from dimse.acceptor import ARTIM_SECONDS
from dimse.scp import Scp, Slot
from dimse.settings import ScpSettings

log = logging.getLogger("vna.dimse")

UNJUDGED = 32  # connections beyond the limit that may be waiting to be told so


class Listening:
    """Serves the connections of one listening socket until `stop`. Made and run in one thread."""

    def __init__(
        self,
        listener: socket.socket,
        scp: Scp,
        settings: ScpSettings,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._listener, self._scp, self._settings, self._tls = listener, scp, settings, tls
        self._lock = threading.Condition()
        self._slots: set[Slot] = set()
        self._by_title: Counter[str] = Counter()
        self._wake, self._waker = os.pipe()

    def stop(self) -> None:
        """From a signal handler or another thread: accept no more."""
        os.write(self._waker, b"x")

    def run(self) -> None:
        """Accept until `stop`."""
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        self._listener.setblocking(False)
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self._wake in ready:
                return
            try:
                sock, _ = self._listener.accept()
            except BlockingIOError:
                continue  # it went away, or to another worker
            except OSError as error:  # no descriptors left: those who wait keep waiting
                log.error("cannot accept", extra={"why": str(error)})
                time.sleep(0.1)
                continue
            sock.setblocking(True)
            with self._lock:
                crowded = len(self._slots) >= self._settings.limit + UNJUDGED
            if crowded:
                sock.close()
                continue
            slot = Slot()
            with self._lock:
                self._slots.add(slot)
            threading.Thread(
                target=self._serve, args=(sock, slot), name="association", daemon=True
            ).start()

    def drain(self, seconds: float) -> None:
        """End the associations that wait for their peer; wait for the others."""
        deadline = time.monotonic() + seconds
        with self._lock:
            while self._slots and (left := deadline - time.monotonic()) > 0:
                for slot in self._slots:
                    slot.interrupt()
                self._lock.wait(min(left, 0.2))
        self._scp.flush(max(deadline - time.monotonic(), 1.0))

    def _secured(self, sock: socket.socket) -> socket.socket | None:
        """The connection after its handshake; None where that failed, and it is closed."""
        if self._tls is None:
            return sock
        try:
            sock.settimeout(ARTIM_SECONDS)
            return self._tls.wrap_socket(sock, server_side=True)
        except OSError as error:
            log.warning("no TLS with a caller", extra={"why": str(error)})
            sock.close()
            return None

    def _serve(self, sock: socket.socket, slot: Slot) -> None:
        titles: list[str] = []

        def place(title: str) -> bool:
            """Whether there is room for one more of this title; then it has its place."""
            with self._lock:
                admitted = sum(self._by_title.values())
                if admitted >= self._settings.limit:
                    return False
                if self._by_title[title] >= self._settings.limit_per_peer:
                    return False
                self._by_title[title] += 1
                titles.append(title)
                return True

        try:
            secured = self._secured(sock)
            if secured is not None:
                self._scp.serve(secured, place, slot)
        finally:
            with self._lock:
                self._slots.discard(slot)
                for title in titles:
                    self._by_title[title] -= 1
                    if not self._by_title[title]:
                        del self._by_title[title]
                self._lock.notify_all()

"""A wire to an HTTP service that fails as told: in front of a real one, never instead of it."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HANG_SECONDS = 5.0  # then a hanging request is broken off


class Fault(Enum):
    """What becomes of one request."""

    ERROR = "500 instead of the service's answer"
    SLOW_DOWN = "503 instead of the service's answer"
    RESET = "a reset before the service hears of it"
    LOST = "the service does it, and its answer is lost"
    HANG = "nothing comes for a while"
    SHORT = "the answer ends in its middle"
    WRONG = "one bit of the answer's body is another"


Choose = Callable[[str, str], Fault | None]


class Proxy:
    """`choose(method, path)` says what becomes of each request; None: it goes through. `met`
    counts what happened."""

    def __init__(self, target: int) -> None:
        self.choose: Choose = lambda method, path: None
        self.met: Counter[Fault] = Counter()
        self._target = target
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.hanging = threading.Event()  # set: nothing hangs any more

    @property
    def endpoint(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def serve(self) -> None:
        """Answer until `close`."""
        self._server.serve_forever(0.05)

    def close(self) -> None:
        """Answer no more."""
        self.hanging.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(proxy) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:  # the client went away
                    self.close_connection = True

            def answered(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fault = proxy.choose(self.command, self.path)
                if fault is not None:
                    proxy.met[fault] += 1
                if fault in (Fault.ERROR, Fault.SLOW_DOWN):
                    self.told(500 if fault is Fault.ERROR else 503)
                elif fault is Fault.HANG:
                    proxy.hanging.wait(HANG_SECONDS)
                    self.reset()
                elif fault is Fault.RESET:
                    self.reset()
                else:
                    self.passed(body, fault)

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answered

            def passed(self, body: bytes, fault: Fault | None) -> None:
                service = http.client.HTTPConnection("127.0.0.1", proxy._target, timeout=60)
                try:
                    service.putrequest(
                        self.command, self.path, skip_host=True, skip_accept_encoding=True
                    )
                    for name, value in self.headers.items():
                        service.putheader(name, value)
                    service.endheaders(body)
                    answer = service.getresponse()
                    content = bytearray(answer.read())
                finally:
                    service.close()
                if fault is Fault.LOST:
                    self.reset()
                    return
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                length = answer.headers["Content-Length"] or str(len(content))
                self.send_header("Content-Length", length)
                self.end_headers()
                if fault is Fault.WRONG and content:
                    content[len(content) // 2] ^= 4
                if fault is Fault.SHORT:
                    self.wfile.write(content[: len(content) // 2])
                    self.reset()
                else:
                    self.wfile.write(content)

            def told(self, status: int) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def reset(self) -> None:
                self.connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
                self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        return Handler


@contextmanager
def running(target: int) -> Iterator[Proxy]:
    """A proxy to the service at this port of loopback, until the block ends."""
    proxy = Proxy(target)
    thread = threading.Thread(target=proxy.serve)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()

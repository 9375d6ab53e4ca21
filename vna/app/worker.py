"""What the children of `vna serve` do. Importing this module imports all that they need."""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
from collections.abc import Sequence

import httptools  # noqa: F401  loaded before the fork, used by uvicorn
import uvicorn
import uvloop

from dimse.tls import server_context
from vna.app.archive import Archive
from vna.app.faces import Faces, application
from vna.app.listener import Listener
from vna.app.metrics import Metrics
from vna.app.release import release
from vna.app.supervisor import ask_for_new_beginning
from vna.app.warm import warm
from vna.config import Settings
from vna.dicom import dictionary
from vna.http.certificate import CertifiedProtocol

log = logging.getLogger("vna.worker")

KEEP_ALIVE_SECONDS = 75  # longer than most proxies keep an idle connection, so that they close it

dictionary.vr_of(0x00100010)  # loads pydicom's tables before the fork


class HttpWorker:
    """Answers HTTP on one of the listeners."""

    def __init__(
        self, settings: Settings, listener: Listener, listeners: Sequence[Listener], history: str
    ) -> None:
        self.name = f"http-{listeners.index(listener)}"
        self._settings, self._history = settings, history
        self._listener = listener
        self._others = [each for each in listeners if each is not listener]

    def before_fork(self) -> None:
        """Listen."""
        self._listener.open()

    def while_down(self) -> None:
        """Leave new connections to the other workers."""
        self._listener.close()

    def run(self) -> None:
        """Serve until SIGTERM, then answer what has been asked and seal the segment."""
        for other in self._others:  # a copy kept open would swallow its connections
            other.close()
        assert self._listener.socket is not None
        signal.signal(signal.SIGTERM, _leave)  # while nothing is under way
        metrics = Metrics(release())
        with Archive.open(
            self._settings,
            ingested=metrics.ingested,
            history=self._history,
            replaced=ask_for_new_beginning,
        ) as archive:
            faces = application(archive, self._settings, metrics)
            warm(archive.index)
            server = uvicorn.Server(self._config(faces))
            # uvicorn has a handler of its own while it serves: this one is for just before, and
            # for just after, when it raises the signal again.
            signal.signal(signal.SIGTERM, lambda *_: _end(server))
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(server.serve(sockets=[self._listener.socket]))
            faces.close()

    def _config(self, app: Faces) -> uvicorn.Config:
        return uvicorn.Config(
            app,
            http=CertifiedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=self._settings.server.drain_seconds,
            ssl_context_factory=self._context if self._settings.tls.certificate else None,
        )

    def _context(self, *_: object) -> ssl.SSLContext:
        """TLS by the rules of PS3.15 §B.12. Who has a certificate may show it, nobody must."""
        tls = self._settings.tls
        authorities = tls.client_ca if self._settings.access.control == "on" else ""
        return server_context(tls.certificate, tls.key, authorities, wanted=ssl.CERT_OPTIONAL)


def _leave(*_: object) -> None:
    raise SystemExit(0)


def _end(server: uvicorn.Server) -> None:
    server.should_exit = True

"""The children of `vna serve` that speak DIMSE. Importing this loads all that they need."""

from __future__ import annotations

import signal
import ssl
from collections.abc import Sequence

import pynetdicom.sop_class  # noqa: F401  loaded before the fork

from dimse.listening import Listening
from dimse.scp import Scp, Services
from dimse.settings import ScpSettings
from dimse.tls import client_context, server_context
from vna.app.archive import Archive
from vna.app.listener import Listener
from vna.app.metrics import Metrics
from vna.app.release import release
from vna.app.supervisor import ask_for_new_beginning
from vna.config import Settings


class DimseWorker:
    """Serves associations on one of the listeners."""

    def __init__(
        self,
        settings: Settings,
        listener: Listener,
        listeners: Sequence[Listener],
        history: str,
        *,
        tls: bool = False,
    ) -> None:
        self.name = f"dimse-{listeners.index(listener)}"
        self._settings, self._history, self._tls = settings, history, tls
        self._listener = listener
        self._others = [each for each in listeners if each is not listener]

    def before_fork(self) -> None:
        """Listen."""
        self._listener.open()

    def while_down(self) -> None:
        """Leave new connections to the other workers."""
        self._listener.close()

    def run(self) -> None:
        """Serve until SIGTERM, then finish what is under way and seal the segment."""
        for other in self._others:  # a copy kept open would swallow its connections
            other.close()
        assert self._listener.socket is not None
        scp = scp_settings(self._settings)
        with Archive.open(
            self._settings,
            ingested=Metrics(release()).ingested,
            history=self._history,
            replaced=ask_for_new_beginning,
        ) as archive:
            services = Services(
                archive.ingest,
                archive.search,
                archive.retrieve,
                archive.commitment,
                archive.asked_commitments,
                archive.peers,
                archive.association_log,
                archive.access,
            )
            context = tls_of(self._settings) if self._tls else None
            listening = Listening(self._listener.socket, Scp(services, scp), scp, context)
            signal.signal(signal.SIGTERM, lambda *_: listening.stop())
            listening.run()
            self._listener.close()
            listening.drain(self._settings.server.drain_seconds)


def scp_settings(settings: Settings) -> ScpSettings:
    """What one DIMSE worker is told: its share of what is allowed in all."""
    share = settings.scp.workers
    return ScpSettings(
        titles=settings.ae_title,
        limit=-(-settings.scp.limit // share),
        limit_per_peer=-(-settings.scp.limit_per_peer // share),
        unknown_callers=settings.scp.unknown_callers,
        idle=settings.scp.idle_seconds,
        network=settings.scp.network_seconds,
        reply=settings.scp.reply_seconds,
        budget_bytes=settings.server.budget,
        client_tls=client_context(settings.tls.certificate, settings.tls.key, settings.tls.trusted),
    )


def tls_of(settings: Settings) -> ssl.SSLContext:
    """What callers over TLS meet. Raises `InvalidConfiguration`."""
    tls = settings.tls
    return server_context(tls.certificate, tls.key, tls.client_ca)

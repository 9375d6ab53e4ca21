"""Children of `vna serve` that listen to nobody: jobs, and calls to others."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence

from dicomweb.forwarding import WebForwarding
from dimse.announcing import Announcer
from dimse.forwarding import AeForwarding
from dimse.reporter import Reporter
from dimse.settings import ScpSettings
from vna.app.archive import Archive
from vna.app.dimse_worker import scp_settings
from vna.app.listener import Listener
from vna.app.supervisor import ask_for_new_beginning
from vna.config import Settings
from vna.model.outgoing import Due
from vna.services.commitment import REPORT
from vna.services.forward import Forward, Send
from vna.services.jobs import Handler, Jobs
from vna.services.settle import ANNOUNCE
from vna.services.titles import AE

Work = Callable[[Archive, Settings, threading.Event], None]


class BackgroundWorker:
    """Does `work` until SIGTERM sets its event; what is at hand is finished."""

    def __init__(
        self,
        name: str,
        work: Work,
        settings: Settings,
        listeners: Sequence[Listener],
        history: str,
    ) -> None:
        self.name, self._work = name, work
        self._settings, self._listeners, self._history = settings, listeners, history

    def before_fork(self) -> None:
        """Nothing is inherited."""

    def while_down(self) -> None:
        """Nothing is given up."""

    def run(self) -> None:
        """Work until SIGTERM."""
        for listener in self._listeners:
            listener.close()
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        with Archive.open(
            self._settings, history=self._history, replaced=ask_for_new_beginning
        ) as archive:
            self._work(archive, self._settings, stop)


def run_jobs(archive: Archive, settings: Settings, stop: threading.Event) -> None:
    """Do what outlives requests, and look after what is stored."""
    beside = [
        threading.Thread(target=run, args=(stop,), name=name)
        for name, run in (("custody", archive.custody.run), ("scrub", archive.scrub.run))
    ]
    for thread in beside:
        thread.start()
    with archive.row_log.running():
        archive.jobs.run(stop)
    for thread in beside:
        thread.join()


def call_others(archive: Archive, settings: Settings, stop: threading.Event) -> None:
    """Send others what is queued, and tell them what they asked for and want to know."""
    scp = scp_settings(settings)
    forward = Forward(archive.outgoing, _sending(archive, scp))
    sending = threading.Thread(target=forward.run, args=(stop,), name="forward")
    sending.start()
    told: dict[str, Handler] = {
        REPORT: Reporter(archive.commitment, archive.peers, scp),
        ANNOUNCE: Announcer(archive.search, archive.peers, scp),
    }
    Jobs(archive.index, told).run(stop)
    sending.join()


def _sending(archive: Archive, scp: ScpSettings) -> Send:
    entities = AeForwarding(archive.search, archive.retrieve, archive.peers, scp)
    services = WebForwarding(archive.retrieve)

    def send(destination: str, batch: Sequence[Due]) -> Iterator[tuple[Due, str]]:
        if destination.startswith(AE):
            return entities.send(destination.removeprefix(AE), batch)
        return services.send(destination, batch)

    return send

"""Work that outlives a request: leased from the index, run by any process."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from vna.errors import Unavailable
from vna.index import jobs
from vna.index.engine import Index, Session
from vna.index.jobs import Job

log = logging.getLogger("vna.jobs")

LEASE_MILLISECONDS = 5 * 60_000  # a dead worker's job waits so long
RENEW_SECONDS = 60.0
AT_ONCE = 16  # jobs leased in one transaction
POLL_SECONDS = 1.0

CHORE_SECONDS = 3600.0

Handler = Callable[[Job], None]
Chore = Callable[[], object]


class Jobs:
    """Runs jobs by their kind. A job that fails is tried again later, then given up as dead."""

    def __init__(
        self, index: Index, handlers: Mapping[str, Handler], chores: Sequence[Chore] = ()
    ) -> None:
        """`chores`: done by `run` when it begins and then once an hour."""
        self._index, self._handlers, self._chores = index, dict(handlers), tuple(chores)
        self._at_hand: Job | None = None
        self._owner = f"{socket.gethostname()}/{os.getpid()}"

    def run_once(self) -> int:
        """Lease what is due and run it; returns how many jobs were run. Raises `Unavailable`."""
        found = self._index.transact(
            lambda session: jobs.lease(
                session,
                list(self._handlers),
                self._owner,
                milliseconds=LEASE_MILLISECONDS,
                limit=AT_ONCE,
            )
        )
        for job in found:
            self._run(job)
        return len(found)

    def run(self, stop: threading.Event) -> None:
        """Run until `stop` is set; a database or store that is away is waited for."""
        renewal = threading.Thread(target=self._renew, args=(stop,), name="lease", daemon=True)
        renewal.start()
        due = time.monotonic()
        while not stop.is_set():
            try:
                if time.monotonic() >= due:
                    due = time.monotonic() + CHORE_SECONDS
                    for chore in self._chores:
                        chore()
                if self.run_once():
                    continue
            except Unavailable as error:
                log.warning("jobs wait: %s", error)
            stop.wait(POLL_SECONDS)

    def _renew(self, stop: threading.Event) -> None:
        """Keep the job at hand ours while it lasts."""
        while not stop.wait(RENEW_SECONDS):
            if (job := self._at_hand) is not None:
                with suppress(Unavailable):
                    self._index.transact(lambda session: self._keep(session, job))

    def _keep(self, session: Session, job: Job) -> None:
        jobs.renew(session, job, self._owner, milliseconds=LEASE_MILLISECONDS)

    def _run(self, job: Job) -> None:
        self._at_hand = job
        try:
            self._handlers[job.kind](job)
        except Unavailable:
            raise  # nobody's fault: the lease runs out and the job is taken again
        # A job may fail in any way; it must not end the others.
        except Exception as error:
            log.exception("a %s job failed", job.kind)
            reason = f"{type(error).__name__}: {error}"
            self._index.transact(lambda session: jobs.failed(session, job, self._owner, reason))
        else:
            self._index.transact(lambda session: jobs.done(session, job, self._owner))
        finally:
            self._at_hand = None

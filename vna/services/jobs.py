"""Work that outlives a request: leased from the index, run by any process."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from vna.errors import Unavailable
from vna.index import jobs
from vna.index.engine import Index
from vna.index.jobs import Job

log = logging.getLogger("vna.jobs")

LEASE_MILLISECONDS = 5 * 60_000  # longer than any job takes; a dead worker's job waits so long
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

    def _run(self, job: Job) -> None:
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

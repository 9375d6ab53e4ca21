"""Entries for the log of associations, written behind: what has ended keeps nobody waiting."""

from __future__ import annotations

import logging
import threading
from collections import deque

from vna.errors import Unavailable
from vna.model.association import Association
from vna.services.association_log import AssociationLog

log = logging.getLogger("vna.dimse")

MOST_WAITING = 10_000  # entries; beyond it the oldest are lost, and the process's log says so
AT_ONCE = 500  # entries of one transaction


class Noting:
    """Writes entries in the order in which they are noted, many at once. Thread-safe."""

    def __init__(self, association_log: AssociationLog) -> None:
        self._log = association_log
        self._waiting: deque[Association] = deque()
        self._changed = threading.Condition()
        self._writing = False

    def note(self, ended: Association) -> None:
        """Have an entry written soon; returns at once."""
        with self._changed:
            if len(self._waiting) >= MOST_WAITING:
                self._waiting.popleft()
                log.warning("associations are missing in the log: it cannot keep up")
            self._waiting.append(ended)
            if not self._writing:
                self._writing = True
                threading.Thread(target=self._write, name="noting", daemon=True).start()

    def flush(self, seconds: float) -> None:
        """Wait until what was noted is written, at most so long."""
        with self._changed:
            self._changed.wait_for(lambda: not self._writing, seconds)

    def _write(self) -> None:
        """Write until nothing waits. A database that is away costs the entries, nothing else."""
        while True:
            with self._changed:
                batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
                if not batch:
                    self._writing = False
                    self._changed.notify_all()
                    return
            try:
                self._log.record_all(batch)
            except Unavailable as error:
                log.warning("associations are missing in the log", extra={"why": str(error)})
            except Exception:  # the thread is all that empties the queue
                log.exception("associations are missing in the log")

"""Work that outlives a request: leased from the index, run by any process."""

from __future__ import annotations

import threading


class Jobs:
    """Runs jobs of known kinds. A job that fails is tried again later, then given up as dead."""

    def run_once(self) -> int:
        """Lease what is due and run it; returns how many jobs were run."""
        raise NotImplementedError

    def run(self, stop: threading.Event) -> None:
        """Run until `stop` is set."""
        raise NotImplementedError

"""Who was seen a moment ago: asking on every request must not cost a query."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

from vna.model.caller import Caller

FRESH_SECONDS = 5.0  # how long somebody who was shut out may still be taken for good
_MOST = 10_000  # callers


Shown = tuple[str, bytes]  # what kind of thing, and its digest: one is never taken for another


class Remembered:
    """Callers by what they showed. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Shown, tuple[float, Caller]] = {}

    def get(self, shown: Shown, origin: str) -> Caller | None:
        """The caller who showed the same within five seconds, now at `origin`."""
        with self._lock:
            found = self._known.get(shown)
        if found is None or time.monotonic() - found[0] >= FRESH_SECONDS:
            return None
        return replace(found[1], origin=origin)

    def put(self, shown: Shown, caller: Caller) -> None:
        """Remember a caller."""
        with self._lock:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[shown] = (time.monotonic(), caller)

    def clear(self) -> None:
        """Forget everybody."""
        with self._lock:
            self._known.clear()

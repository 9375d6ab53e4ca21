"""Open files kept for the next read, as many as allowed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from storage_backends.base import Backend, Reader


@dataclass(slots=True, eq=False)
class _Open:
    reader: Reader
    users: int = 0
    evicted: bool = False


class Readers:
    """Readers by key; the least recently used is closed when there are more than `limit`.

    A reader in use is never closed: a descriptor given back too early may by then be another file.
    """

    def __init__(self, backend: Backend, limit: int) -> None:
        self._backend, self._limit = backend, limit
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def lease(self, key: str) -> Iterator[Reader]:
        """A reader of `key` for the length of a block; raises the backend's errors."""
        found = self._taken(key)
        try:
            yield found.reader
        finally:
            self._give_back(found)

    def forget(self, key: str) -> None:
        """Close the reader of a key that is no longer what it was."""
        with self._lock:
            found = self._open.pop(key, None)
            idle = found is not None and self._evict(found)
        if found is not None and idle:
            found.reader.close()

    def close(self) -> None:
        """Close all; readers in use are closed by their last user."""
        for key in list(self._open):
            self.forget(key)

    def _taken(self, key: str) -> _Open:
        with self._lock:
            if (found := self._open.get(key)) is not None:
                self._open.move_to_end(key)
                found.users += 1
                return found
        opened = _Open(self._backend.open(key), users=1)
        surplus: list[Reader] = []
        with self._lock:
            if (found := self._open.get(key)) is not None:  # another thread was faster
                found.users += 1
                surplus.append(opened.reader)
            else:
                found = self._open[key] = opened
                while len(self._open) > self._limit:
                    _, oldest = self._open.popitem(last=False)
                    if self._evict(oldest):
                        surplus.append(oldest.reader)
        for reader in surplus:
            reader.close()
        return found

    def _give_back(self, used: _Open) -> None:
        with self._lock:
            used.users -= 1
            last = used.evicted and not used.users
        if last:
            used.reader.close()

    def _evict(self, found: _Open) -> bool:
        """Mark as no longer kept; True if nobody uses it and the caller must close it."""
        found.evicted = True
        return not found.users

"""How many bytes may be in memory at once: asked at the door, returned when they are gone."""

from __future__ import annotations

import threading
from types import TracebackType

from vna.errors import Overloaded


class Grant:
    """Bytes taken from a `Budget`; `release` (or leaving the `with` block) gives them back once."""

    def __init__(self, budget: Budget, size: int) -> None:
        self._budget, self.size = budget, size

    def release(self) -> None:
        """Give the bytes back; a second call does nothing."""
        size, self.size = self.size, 0
        self._budget._give_back(size)

    def __enter__(self) -> Grant:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


class Budget:
    """A number of bytes shared by all threads of a process.

    One request larger than the whole budget is granted when nothing else is out, so that no size
    is refused for ever.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._taken = 0
        self._changed = threading.Condition()

    @property
    def taken(self) -> int:
        """Bytes that are out now."""
        return self._taken

    def acquire(self, size: int) -> Grant:
        """Take `size` bytes at once; raises `Overloaded` when they are not free."""
        with self._changed:
            if not self._fits(size):
                raise Overloaded("the memory for requests under way is spent")
            self._taken += size
        return Grant(self, size)

    def wait(self, size: int) -> Grant:
        """Take `size` bytes, waiting until they are free."""
        with self._changed:
            self._changed.wait_for(lambda: self._fits(size))
            self._taken += size
        return Grant(self, size)

    def _fits(self, size: int) -> bool:
        return self._taken == 0 or self._taken + size <= self.size

    def _give_back(self, size: int) -> None:
        with self._changed:
            self._taken -= size
            self._changed.notify_all()

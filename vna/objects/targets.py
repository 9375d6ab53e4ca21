"""Which stores take what is new: the first that work, as many as an answer waits for."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from storage_backends.base import Backend, BackendError, BackendFull
from vna.errors import InvalidConfiguration, StorageUnavailable, VnaError

log = logging.getLogger("vna.stores")

FULL = "the stores are full: only their reserve is left"
AVOID_SECONDS = 30.0  # a store that failed is not tried again so long, while another can take over


@dataclass(frozen=True, slots=True)
class Target:
    """A store to write to. `identity`: the ULID of its marker. `is_here`: whether what answers is
    this store, and not the empty folder that an unmounted disk leaves."""

    name: str
    backend: Backend
    domain: str = ""
    identity: str = ""
    is_here: Callable[[], bool] = lambda: True


class Targets:
    """The stores that take new bytes, in order of preference. Used by any number of threads.

    `copies`: how many hold an object before it is acknowledged. A store that failed is avoided for
    a while, but asked all the same where there are not enough others. `reserve`: bytes that are
    kept free in each of them for what is not new: decisions, the log, what gives space back.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        copies: int = 1,
        *,
        reserve: int = 0,
        avoid_seconds: float = AVOID_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises `InvalidConfiguration` where there are fewer stores than copies."""
        if len(targets) < copies:
            raise InvalidConfiguration(
                f"{copies} copies before an answer need {copies} stores that take new objects; "
                f"there are {len(targets)}"
            )
        self._targets, self._copies = tuple(targets), copies
        self._reserve = reserve
        self._avoid_seconds, self._clock = avoid_seconds, clock
        self._avoided: dict[str, float] = {}  # name → until
        self._trusted: set[str] = set()  # names of those that were here, and have not failed since
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(copies, "mirror") if copies > 1 else None

    def __len__(self) -> int:
        return len(self._targets)

    def chosen(self, room: int = 0) -> list[Target]:
        """The stores for what is written next, those in other domains preferred as second ones.

        `room`: bytes of something new that must fit in beside the reserve. Raises
        `StorageUnavailable` where fewer than `copies` are here and have room.
        """
        now = self._clock()
        with self._lock:
            avoided = [each for each in self._targets if self._avoided.get(each.name, now) > now]
        working = [each for each in self._targets if each not in avoided]
        found: list[Target] = []
        full = False
        for some in (working, avoided):
            for strict in (True, False):
                for each in some:
                    apart = all(each.domain != other.domain for other in found)
                    wanted = len(found) < self._copies and each not in found
                    if not wanted or (strict and not apart) or not self._is_here(each):
                        continue
                    if self._fits(each, room):
                        found.append(each)
                    else:
                        full = True
        if len(found) < self._copies:
            raise StorageUnavailable(FULL if full else "not enough stores are there")
        return found

    def fit(self, names: Iterable[str], room: int) -> bool:
        """Whether `room` bytes of something new fit into each of these stores."""
        return all(self._fits(each, room) for each in self._targets if each.name in names)

    def _fits(self, target: Target, room: int) -> bool:
        if not room:
            return True
        try:
            free = target.backend.free()
        except BackendError:
            return True  # it is found out by writing
        return free is None or free - room >= self._reserve

    def _is_here(self, target: Target) -> bool:
        with self._lock:
            if target.name in self._trusted:
                return True
        here = target.is_here()
        with self._lock:
            if here:
                self._trusted.add(target.name)
            else:
                self._avoided[target.name] = self._clock() + self._avoid_seconds
        return here

    def failed(self, name: str, error: BackendError) -> None:
        """Note that a store could not do it."""
        with self._lock:
            self._avoided[name] = self._clock() + self._avoid_seconds
            self._trusted.discard(name)
        log.error("a store failed", extra={"store": name, "reason": str(error)})

    def each(self, steps: Iterable[Callable[[], None]]) -> None:
        """Do one step per store, at the same time; all are done when it returns or raises."""
        if self._pool is None:
            for step in steps:
                step()
            return
        under_way = [self._pool.submit(step) for step in steps]
        errors = [error for each in under_way if (error := each.exception()) is not None]
        if errors:
            raise errors[0]

    def close(self) -> None:
        """End its threads."""
        if self._pool is not None:
            self._pool.shutdown()


def storage_unavailable(error: BackendError) -> VnaError:
    """What a caller may know of a failure of the store."""
    if isinstance(error, BackendFull):
        return StorageUnavailable("the store is full")
    return StorageUnavailable(f"the store failed: {error.reason}")

"""Stored bytes read again before anybody needs them: every copy of every segment, in turn."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from vna.errors import Unavailable
from vna.index import copies
from vna.index.copies import Copy
from vna.index.engine import Index
from vna.model.caller import Caller, Right
from vna.objects import ObjectStore
from vna.services.copies import Checked, Copies, Mended
from vna.services.rights import require

log = logging.getLogger("vna.scrub")

DAY_MILLISECONDS = 24 * 3600 * 1000
PAGE = 64
IDLE_SECONDS = 60.0  # between looks for copies whose turn has come


class Pace:
    """Lets at most `rate` bytes a second pass, seen over a second; 0: as many as come."""

    def __init__(
        self,
        rate: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._rate, self._clock, self._wait = rate, clock, wait
        self._due = clock()

    def __call__(self, read: int) -> None:
        """Wait until `read` more bytes fit in."""
        if not self._rate:
            return
        now = self._clock()
        self._due = max(self._due, now - 1.0) + read / self._rate
        if self._due > now:
            self._wait(self._due - now)


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """One copy that was read. `mended` is None where nothing was wrong or nothing was to be done.
    `objects`: names of those that were damaged in it, as SHA-256."""

    copy: Copy
    checked: Checked
    mended: Mended | None

    @property
    def objects(self) -> tuple[str, ...]:
        """SHA-256 of the objects that are not good in this copy."""
        return tuple(each.sha256.hex() for each in self.checked.missing)


class Scrub:
    """Reads copies, those first that were not read for longest, and has damaged ones mended.

    `days`: how old a check may be; `rate`: bytes a second that `run` reads, 0 for all it can.
    """

    def __init__(
        self, index: Index, objects: ObjectStore, kept: Copies, *, days: int, rate: int
    ) -> None:
        self._index, self._objects, self._copies = index, objects, kept
        self._days, self._rate = days, rate

    def now(
        self, caller: Caller, *, stores: Sequence[str] = (), days: float = 0, repair: bool = True
    ) -> Iterator[Scrubbed]:
        """Yield each copy whose last check is more than `days` old, as it is read; 0: every copy.

        Copies checked meanwhile are not read twice, but for those that somebody else has found
        damaged just now. Raises `Forbidden`, `StorageUnavailable`.
        """
        require(caller, Right.ADMINISTER)
        with self._index.reading() as session:
            before = session.now() - int(days * DAY_MILLISECONDS) + 1
        time.sleep(
            0.002
        )  # what was checked in this very millisecond counts, what we check does not
        wanted = stores or tuple(self._objects.stores)
        named: set[tuple[str, str]] = set()
        for each in self._each(wanted, before, Pace(0), repair):
            if not each.checked.good:
                named.add((each.copy.segment, each.copy.store))
            yield each
        with self._index.reading() as session:
            damaged = copies.damaged_copies(session, wanted)
        for copy in damaged:
            if (copy.segment, copy.store) not in named:
                yield self._one(copy, Pace(0), repair)

    def run(self, stop: threading.Event) -> None:
        """Scrub at the configured pace until `stop` is set."""
        pace = Pace(self._rate, wait=stop.wait)
        while not stop.is_set():
            try:
                with self._index.reading() as session:
                    before = session.now() - self._days * DAY_MILLISECONDS
                here = [name for name, each in self._objects.stores.items() if each.is_here()]
                for _ in self._each(here, before, pace, repair=True):
                    if stop.is_set():
                        return
            except Unavailable as error:
                log.warning("scrubbing waits: %s", error)
            stop.wait(IDLE_SECONDS)

    def _each(
        self, stores: Sequence[str], before: int, pace: Pace, repair: bool
    ) -> Iterator[Scrubbed]:
        while True:
            with self._index.reading() as session:
                some = copies.least_recently_checked(session, stores, before=before, limit=PAGE)
            if not some:
                return
            for copy in some:
                yield self._one(copy, pace, repair)

    def _one(self, copy: Copy, pace: Pace, repair: bool) -> Scrubbed:
        checked = self._copies.check(copy, pace)
        mended = self._copies.mend(checked) if repair and not checked.good else None
        return Scrubbed(copy, checked, mended)

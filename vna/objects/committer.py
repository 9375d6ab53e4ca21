"""The one thread of a process that commits."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from typing import Generic, TypeVar

from vna.errors import StorageUnavailable
from vna.objects.group import OPEN_SECONDS, ROTATE_BYTES, GroupCommit, Plan, Transact, Unit
from vna.objects.targets import Targets

T = TypeVar("T")

BATCH_BYTES = 4 * 1024**2
BATCH_RECORDS = 128
IDLE_SECONDS = 900.0


class Committer(Generic[T]):
    """Takes what is queued, commits it as one batch, takes again; never waits for more.

    Made after the fork; one per process. Futures are completed on its thread: callbacks must be
    quick. `owner`: who writes, for people who read a segment without an index. After
    `idle_seconds` without work the open segment is sealed, and no later than with the first batch
    after `open_seconds`. For the rest see `GroupCommit`.
    """

    def __init__(
        self,
        targets: Targets,
        plan: Plan[T] | None,
        transact: Transact[T],
        *,
        owner: str = "",
        rotate_bytes: int = ROTATE_BYTES,
        open_seconds: float = OPEN_SECONDS,
        batch_bytes: int = BATCH_BYTES,
        batch_records: int = BATCH_RECORDS,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._group = GroupCommit(
            targets,
            plan,
            transact,
            owner=owner,
            rotate_bytes=rotate_bytes,
            open_seconds=open_seconds,
        )
        self._batch_bytes, self._batch_records = batch_bytes, batch_records
        self._idle_seconds = idle_seconds
        self._queue: queue.SimpleQueue[Unit[T] | None] = queue.SimpleQueue()
        self._next: Unit[T] | None = None  # taken from the queue, but too large for its batch
        self._closed = False
        self._closing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    def submit(self, unit: Unit[T]) -> Future[T]:
        """Hand a unit in, from any thread; returns its future at once.

        The future raises what `plan` or `transact` raised, or `StorageUnavailable`; then nothing
        of the unit is acknowledged and it may be handed in again as a new one.
        """
        with self._closing:
            if self._closed:
                raise StorageUnavailable("the archive is shutting down")
            self._queue.put(unit)
        return unit.future

    def close(self) -> None:
        """Commit what was handed in, seal the segment, end the thread. May be called again."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while batch := self._take():
            self._group.commit(batch)
        self._group.seal()

    def _take(self) -> list[Unit[T]]:
        """At least one unit and what else is queued, up to the limits; empty once closed."""
        first = self._next or self._wait()
        self._next = None
        if first is None:
            return []
        batch, records, weight = [first], len(first.appends), first.weight
        while records < self._batch_records and weight < self._batch_bytes:
            try:
                unit = self._queue.get_nowait()
            except queue.Empty:
                break
            if unit is None:
                self._queue.put(None)  # seen again once this batch is done
                break
            records += len(unit.appends)
            weight += unit.weight
            if records > self._batch_records or weight > self._batch_bytes:
                self._next = unit
                break
            batch.append(unit)
        return batch

    def _wait(self) -> Unit[T] | None:
        while True:
            try:
                return self._queue.get(timeout=self._idle_seconds)
            except queue.Empty:
                self._group.seal()

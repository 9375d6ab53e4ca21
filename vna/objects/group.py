"""Group commit: one batch of units becomes one append, one sync and one transaction.

The order is the promise: bytes durable, then the index, then the answer. Each step is a method of
its own; the power-cut tests run this class against versions of it with a step wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from storage_backends.base import BackendError, BackendFull
from vna.errors import SegmentClosed, StorageUnavailable
from vna.model.archive import Place
from vna.objects.segment import Append, SegmentWriter
from vna.objects.targets import Targets, storage_unavailable
from vna.objects.ulid import new_ulid

T = TypeVar("T")

ROTATE_BYTES = 1024**3  # 2 PB in about 2 million files; a segment is checked in minutes
OPEN_SECONDS = 900.0  # a segment is copied to other stores once it is sealed


class Unit(Generic[T]):
    """What is committed as one: no, one or more records, and the promise of an answer.

    `plan` and `transact` settle it with `resolve` or `fail`; `future` completes when it is true.
    A unit without records takes part in the transaction only. Subclass it to carry what the
    transaction needs. `uses_reserve`: it may fill the space that is kept free in a store.
    """

    uses_reserve = False

    def __init__(self, appends: Sequence[Append] = ()) -> None:
        self.appends = appends
        self.future: Future[T] = Future()
        self._outcome: Callable[[], None] | None = None

    @property
    def weight(self) -> int:
        """Payload bytes."""
        return sum(append.length for append in self.appends)

    def resolve(self, value: T) -> None:
        """Decide the answer; given only once the batch is committed. The last call counts."""
        self._outcome = lambda: self.future.set_result(value)

    def fail(self, error: BaseException) -> None:
        """Decide that this unit alone fails; told only once the batch is committed."""
        self._outcome = lambda: self.future.set_exception(error)

    def complete(self) -> None:
        """Give the answer that was decided. For the committer only."""
        if self._outcome is None:
            self.break_off(RuntimeError("a unit was committed without an answer"))
        elif self.future.set_running_or_notify_cancel():
            self._outcome()

    def break_off(self, error: BaseException) -> None:
        """Give up the unit whatever was decided. For the committer only."""
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)


Placed = Sequence[tuple[Unit[T], Sequence[Place]]]
Plan = Callable[[Sequence[Unit[T]]], Sequence[Unit[T]]]
Transact = Callable[[Placed[T]], None]


class GroupCommit(Generic[T]):
    """Commits batches to one open segment after another. Used by one thread at a time.

    `plan(units)`: returns the units to write, in order; one that it leaves out must be settled and
    is answered before the others are written. It may replace a unit's `appends`.
    `transact([(unit, places)])`: ONE index transaction, committed when it returns; settles every
    unit. If it raises, the whole batch fails with that error and its bytes are orphans.
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
    ) -> None:
        self._targets = targets
        self._plan = plan
        self._transact = transact
        self._owner = owner
        self._rotate_bytes, self._open_seconds = rotate_bytes, open_seconds
        self._segment: SegmentWriter | None = None
        self._opened = 0.0
        self._sequence = 0

    def commit(self, units: Sequence[Unit[T]]) -> None:
        """Commit a batch and complete its futures, each with an answer or an error."""
        waiting = list(units)
        try:
            planned = self._planned(units)
            kept = set(map(id, planned))
            waiting = [unit for unit in units if id(unit) in kept]
            for unit in units:
                if id(unit) not in kept:
                    unit.complete()
            planned = waiting = self._fitting(planned)
            if planned:
                self._store_and_index(planned)
        # Whatever plan and transact raise belongs to those who wait, and the thread must go on.
        except Exception as error:
            for unit in waiting:
                unit.break_off(error)
            return
        self._acknowledge(planned)

    def seal(self) -> None:
        """End the open segment with its footer. What was committed does not depend on it."""
        segment, self._segment = self._segment, None
        if segment is not None:
            try:
                segment.seal()
            except BackendError:
                segment.abandon()

    def _planned(self, units: Sequence[Unit[T]]) -> Sequence[Unit[T]]:
        return units if self._plan is None else self._plan(units)

    def _fitting(self, units: Sequence[Unit[T]]) -> list[Unit[T]]:
        """Those for which there is room; the others are told that there is none."""
        room = _room(units)
        try:
            if room and not (self._segment and self._targets.fit(self._segment.stores, room)):
                self._targets.chosen(room)
        except StorageUnavailable as error:
            going_on = [unit for unit in units if unit.uses_reserve or not unit.appends]
            for unit in units:
                if unit not in going_on:
                    unit.break_off(error)
            return going_on
        return list(units)

    def _store_and_index(self, units: Sequence[Unit[T]]) -> None:
        try:
            self._transact(self._durable(units))
        except SegmentClosed:
            self._poison()
            self._transact(self._durable(units))

    def _acknowledge(self, units: Sequence[Unit[T]]) -> None:
        for unit in units:
            unit.complete()

    def _durable(self, units: Sequence[Unit[T]]) -> Placed[T]:
        """Write the batch and sync it; where a store fails, on a second segment or in the next."""
        if not any(unit.appends for unit in units):
            return [(unit, ()) for unit in units]
        for attempts_left in range(len(self._targets), -1, -1):
            try:
                return self._written(units)
            except BackendError as error:
                # A full store is as full for a second segment.
                full = isinstance(error, BackendFull) and len(self._targets) == 1
                if full or not attempts_left:
                    raise storage_unavailable(error) from error
        raise AssertionError("the loop returns or raises")

    def _written(self, units: Sequence[Unit[T]]) -> Placed[T]:
        written = False
        try:
            segment = self._open_segment(_room(units))
            placed = [(unit, self._add(segment, unit)) for unit in units]
            segment.flush()
            self._sync(segment)
            written = True
        finally:
            if not written:
                self._poison()
        return placed

    def _sync(self, segment: SegmentWriter) -> None:
        if segment.appends:
            segment.sync()
        else:  # only a sealed segment is durable
            segment.seal()
            self._segment = None

    def _add(self, segment: SegmentWriter, unit: Unit[T]) -> list[Place]:
        return [segment.add(append, self._next_sequence()) for append in unit.appends]

    def _open_segment(self, room: int) -> SegmentWriter:
        if self._segment is not None and (
            self._segment.size >= self._rotate_bytes
            or not self._targets.fit(self._segment.stores, room)
            or time.monotonic() - self._opened >= self._open_seconds
        ):
            self.seal()
        if self._segment is None:
            self._segment = SegmentWriter(self._targets, new_ulid(), self._owner, room)
            self._opened = time.monotonic()
        return self._segment

    def _poison(self) -> None:
        """Never touch the open segment again; remove it if nothing in it was ever durable."""
        segment, self._segment = self._segment, None
        if segment is None:
            return
        segment.abandon()
        if not segment.synced:
            segment.delete()

    def _next_sequence(self) -> int:
        self._sequence = max(self._sequence + 1, time.time_ns() // 1000)
        return self._sequence


def _room(units: Sequence[Unit[Any]]) -> int:
    """Bytes that must fit in beside the reserve; 0 where all may use it."""
    return sum(unit.weight for unit in units if not unit.uses_reserve)

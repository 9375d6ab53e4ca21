"""Decisions that bytes do not tell: each is an event in the store and an effect in the index.

The record makes it possible to rebuild the index from stores alone (architecture decision 16). It
names things by UID and identifier, never by a key of the index. Format: docs/formats.md, "Event".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypedDict, TypeVar

import orjson

from vna.errors import StorageUnavailable, Unavailable, VnaError
from vna.index import audit
from vna.index.engine import Index, Session
from vna.model.archive import Place
from vna.model.caller import Caller
from vna.objects import Append, RecordNames, RecordType, Unit, plain
from vna.objects.ulid import new_ulid

T = TypeVar("T")

EVENT_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who decided what and when. `at`: ms since 1970 UTC by the database's clock; every row of the
    operation carries it, so that a rebuild gives the same rows."""

    operation: str  # ULID
    at: int
    actor: str
    reason: str

    def columns(self) -> StampColumns:
        """The stamp as keyword arguments of the index."""
        return {
            "operation": self.operation,
            "at": self.at,
            "actor": self.actor,
            "reason": self.reason,
        }


class StampColumns(TypedDict):
    """See `Stamp`."""

    operation: str
    at: int
    actor: str
    reason: str


class Operation(Unit[T], Generic[T]):
    """A decision on its way through the committer. Its first append is the event record; with
    nothing else to store it is made even where no new object is taken any more."""

    def __init__(
        self,
        appends: Sequence[Append],
        apply: Callable[[Session, Sequence[Place]], T],
    ) -> None:
        super().__init__(appends)
        self.uses_reserve = len(appends) == 1
        self._apply = apply

    def perform(self, session: Session, places: Sequence[Place]) -> None:
        """Apply it in the batch's transaction and settle the unit.

        An error of ours fails this operation alone and leaves nothing of it in the transaction.
        """
        try:
            with session.isolated():
                result = self._apply(session, places)
        except Unavailable:
            raise
        except VnaError as error:
            self.fail(error)
        else:
            self.resolve(result)


class Journal:
    """Records operations. `submit` is the committer's; one transaction applies each operation."""

    def __init__(self, index: Index, submit: Callable[[Unit[Any]], Future[Any]]) -> None:
        self._index = index
        self._submit = submit

    def record(
        self,
        caller: Caller,
        kind: str,
        data: Mapping[str, Any],
        apply: Callable[[Session, Stamp], T],
        *,
        reason: str,
        target: str = "",
    ) -> T:
        """Do `apply` in one index transaction with its audit row; durable when it returns.

        `data`: what it takes to do it again from the store alone. `target`: the UID that the audit
        row names, '' where it is a patient's matter.
        """
        return self.submit(
            caller, kind, data, lambda s, stamp, _: apply(s, stamp), reason=reason, target=target
        ).result()

    def submit(
        self,
        caller: Caller,
        kind: str,
        data: Mapping[str, Any],
        apply: Callable[[Session, Stamp, Sequence[Place]], T],
        *,
        reason: str,
        target: str,
        appends: Sequence[Append] = (),
        names: RecordNames | None = None,
    ) -> Future[T]:
        """As `record`, without waiting. `apply` is told the places of `appends`, which are made
        durable together with the event."""
        with self._index.reading() as session:
            at = session.now()
        stamp = Stamp(new_ulid(), at, caller.name, reason)

        def applied(session: Session, places: Sequence[Place]) -> T:
            result = apply(session, stamp, places[1:])
            detail = {"operation": stamp.operation, "reason": reason}
            audit.record(session, caller, kind, target, detail)
            return result

        event = event_of(caller, kind, stamp, data, names)
        operation = Operation[T]([event, *appends], applied)
        answer: Future[T] = Future()

        def answered(done: Future[T]) -> None:
            error = done.exception()
            if error is None:
                answer.set_result(done.result())
                return
            # First the void, then the answer: who hears of the refusal may close the archive.
            self._void(caller, stamp, error)
            answer.set_exception(error)

        operation.future.add_done_callback(answered)
        self._submit(operation)
        return answer

    def _void(self, caller: Caller, stamp: Stamp, error: BaseException) -> None:
        """Take an event back that was written and then refused by the state of the index.

        After `Unavailable` nobody knows whether the transaction was committed: the event stays.
        """
        if isinstance(error, Unavailable):
            return
        data = {"operation": stamp.operation}
        void = event_of(caller, "void", Stamp(new_ulid(), stamp.at, stamp.actor, ""), data)
        try:
            self._submit(Operation[None]([void], lambda session, places: None))
        except StorageUnavailable:
            return  # shutting down; the operation was not acknowledged either


def event_of(
    caller: Caller,
    kind: str,
    stamp: Stamp,
    data: Mapping[str, Any],
    names: RecordNames | None = None,
) -> Append:
    """An event as a record to be appended. `names`: what it is about, where it has UIDs."""
    payload = orjson.dumps(
        {
            "format": EVENT_FORMAT,
            "operation": stamp.operation,
            "kind": kind,
            "at": stamp.at,
            "actor": stamp.actor,
            "origin": caller.origin,
            "partition": caller.partition,
            "reason": stamp.reason,
            "data": dict(data),
        },
        option=orjson.OPT_SORT_KEYS,
    )
    return plain(RecordType.EVENT, payload, names or RecordNames(caller.partition))

"""Rows of what is to be sent: queued once, leased by database time, tried again, given up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from vna.index.engine import Session
from vna.index.tables import outgoing
from vna.model.outgoing import Due, NewOutgoing, Queued, Sending

MAX_ATTEMPTS = 30  # about a day
BACK_OFF_MILLISECONDS = 10_000  # doubled with each attempt
LONGEST_MILLISECONDS = 3_600_000  # between two attempts
_ROWS = 1000  # written by one statement

_C = outgoing.c


def enqueue(session: Session, wanted: Iterable[NewOutgoing], *, again: bool = False) -> None:
    """Have instances sent. One that was queued for its destination before is sent again only if it
    has become another version, or if `again`."""
    now = session.now()
    rows = {
        (each.partition, each.destination, each.sop_uid): {
            "partition": each.partition,
            "destination": each.destination,
            "study_uid": each.study_uid,
            "series_uid": each.series_uid,
            "sop_uid": each.sop_uid,
            "version": each.version,
            "rule": each.rule,
            "priority": each.priority,
            "state": int(Sending.WAITING),
            "queued_at": now,
            "next_at": now,
            "attempts": 0,
            "last_error": "",
        }
        for each in sorted(wanted, key=lambda each: each.priority)
    }
    insert: Any = (postgresql if session.postgresql else sqlite).insert(outgoing)
    replaced = ("version", "rule", "priority", "state", "queued_at", "next_at", "attempts")
    put = insert.on_conflict_do_update(
        index_elements=["partition", "destination", "sop_uid"],
        set_={name: insert.excluded[name] for name in (*replaced, "last_error")},
        where=None if again else _C.version != insert.excluded.version,
    )
    ordered = [rows[key] for key in sorted(rows)]  # so that two batches cannot wait for each other
    for first in range(0, len(ordered), _ROWS):
        session.execute(put, ordered[first : first + _ROWS])


def claim(
    session: Session,
    partition: int,
    destination: str,
    *,
    limit: int,
    milliseconds: int,
    lease: str,
) -> list[Due]:
    """Lease what is due and what was leased for too long, the most urgent and oldest first."""
    now = session.now()
    taken = _due(session, partition, destination, now, limit, lock=True)
    session.execute(
        update(outgoing)
        .where(_C.pk.in_([row.pk for row in taken]))
        .values(
            state=int(Sending.LEASED),
            lease=lease,
            lease_until=now + milliseconds,
            attempts=_C.attempts + 1,
        )
    )
    return [
        Due(row.pk, lease, row.study_uid, row.series_uid, row.sop_uid, row.attempts + 1)
        for row in taken
    ]


def destinations(session: Session, partition: int) -> list[str]:
    """Where something is due to be sent, found without reading what waits."""
    due: list[str] = []
    last = ""
    while True:
        beyond = select(func.min(_C.destination)).where(
            _C.partition == partition, _C.destination > last
        )
        found = session.execute(beyond).scalar()
        if found is None:
            return due
        last = str(found)
        if _due(session, partition, last, session.now(), 1, lock=False):
            due.append(last)


def done(session: Session, sent: Sequence[Due]) -> None:
    """They were sent. One that was queued anew meanwhile is sent again."""
    values = {"state": int(Sending.SENT), "sent_at": session.now(), "last_error": ""}
    for condition in _held(sent):
        session.execute(update(outgoing).where(condition).values(**values))


def failed(session: Session, tried: Sequence[Due], error: str, retry_at: int | None) -> None:
    """They were not sent; see `Outgoing.failed`."""
    by_attempts: dict[int, list[Due]] = defaultdict(list)
    for each in tried:
        by_attempts[each.attempts].append(each)
    for attempts, some in sorted(by_attempts.items()):
        wait = min(BACK_OFF_MILLISECONDS << min(attempts - 1, 20), LONGEST_MILLISECONDS)
        state = Sending.DEAD if attempts >= MAX_ATTEMPTS else Sending.WAITING
        values = {
            "state": int(state),
            "next_at": session.now() + wait if retry_at is None else retry_at,
            "last_error": error[:500],
        }
        for condition in _held(some):
            session.execute(update(outgoing).where(condition).values(**values))


def find(
    session: Session,
    partition: int,
    *,
    destination: str | None,
    state: Sending | None,
    study_uid: str | None,
    limit: int,
    after: int,
) -> list[Queued]:
    """What is in the queue, oldest first, with an id above `after`."""
    wanted = select(outgoing).where(_C.partition == partition, _C.pk > after)
    for column, value in (
        (_C.destination, destination),
        (_C.state, None if state is None else int(state)),
        (_C.study_uid, study_uid),
    ):
        if value is not None:
            wanted = wanted.where(column == value)
    return [_queued(row) for row in session.execute(wanted.order_by(_C.pk).limit(limit))]


def counts(session: Session, partition: int) -> dict[tuple[str, Sending], int]:
    """How many instances of each destination are in each state."""
    counted = func.count().label("instances")
    rows = session.execute(
        select(_C.destination, _C.state, counted)
        .where(_C.partition == partition)
        .group_by(_C.destination, _C.state)
        .order_by(_C.destination, _C.state)
    )
    return {(row.destination, Sending(row.state)): int(row.instances) for row in rows}


def retry(session: Session, chosen: Sequence[ColumnElement[bool]]) -> int:
    """Try now what waits or was given up, as if for the first time; how many."""
    waiting = _C.state.in_([int(Sending.WAITING), int(Sending.DEAD)])
    values = {"state": int(Sending.WAITING), "attempts": 0, "next_at": session.now()}
    return session.execute(update(outgoing).where(*chosen, waiting).values(**values)).rowcount


def drop(session: Session, chosen: Sequence[ColumnElement[bool]]) -> int:
    """Send no more what has not been sent; how many."""
    unsent = _C.state != int(Sending.SENT)
    return session.execute(delete(outgoing).where(*chosen, unsent)).rowcount


def chosen(
    partition: int, ids: Sequence[int], destination: str | None, study_uid: str | None
) -> list[ColumnElement[bool]]:
    """The rows that somebody names, for `retry` and `drop`."""
    conditions: list[ColumnElement[bool]] = [_C.partition == partition]
    if ids:
        conditions.append(_C.pk.in_(list(ids)))
    if destination is not None:
        conditions.append(_C.destination == destination)
    if study_uid is not None:
        conditions.append(_C.study_uid == study_uid)
    return conditions


def forget(session: Session, *, milliseconds: int) -> None:
    """Forget what was sent longer ago than that, by the database's clock."""
    before = session.now() - milliseconds
    old = (_C.state == int(Sending.SENT), _C.sent_at < before)
    session.execute(delete(outgoing).where(*old))


def _due(
    session: Session, partition: int, destination: str, now: int, limit: int, *, lock: bool
) -> list[Any]:
    """What nobody has finished in time, then what waits, priority by priority: each is read along
    the index, however much waits for another attempt."""
    there = (_C.partition == partition, _C.destination == destination)
    rows = select(outgoing).with_for_update(skip_locked=True) if lock else select(outgoing)
    late = rows.where(_C.state == int(Sending.LEASED), *there, _C.lease_until < now)
    found = list(session.execute(late.limit(limit)))
    waiting = (_C.state == int(Sending.WAITING), *there)
    highest = session.execute(select(func.max(_C.priority)).where(*waiting)).scalar()
    while highest is not None and len(found) < limit:
        ready = rows.where(*waiting, _C.priority == highest, _C.next_at <= now)
        found += session.execute(ready.order_by(_C.next_at, _C.pk).limit(limit - len(found)))
        lower = select(func.max(_C.priority)).where(*waiting, _C.priority < highest)
        highest = session.execute(lower).scalar()
    return found


def _held(some: Sequence[Due]) -> Iterable[ColumnElement[bool]]:
    """Those that are still leased as they were; a later lease, or a new wish, is another's."""
    for lease, of in groupby(sorted(some, key=lambda each: each.lease), lambda each: each.lease):
        keys = [each.id for each in of]
        yield _C.pk.in_(keys) & (_C.lease == lease) & (_C.state == int(Sending.LEASED))


def _queued(row: Any) -> Queued:
    return Queued(
        id=row.pk,
        destination=row.destination,
        study_uid=row.study_uid,
        series_uid=row.series_uid,
        sop_uid=row.sop_uid,
        state=Sending(row.state),
        attempts=row.attempts,
        queued_at=row.queued_at,
        next_at=row.next_at,
        sent_at=row.sent_at,
        last_error=row.last_error,
        rule=row.rule,
    )

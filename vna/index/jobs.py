"""Work that outlives a request: one waiting job per kind and subject, leased by database time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from vna.index.engine import Session
from vna.index.fixed import Fixed
from vna.index.tables import job

WAITING, LEASED, DEAD = 0, 1, 2
MAX_ATTEMPTS = 8
BACK_OFF_MILLISECONDS = 5_000  # doubled with each attempt


@dataclass(frozen=True, slots=True)
class Job:
    """A leased job. `attempts` counts this one."""

    id: int
    kind: str
    subject: str
    attempts: int
    not_before: int


def _put(insert: Any) -> Any:
    return insert.on_conflict_do_update(
        index_elements=["kind", "subject"],
        set_={"not_before": insert.excluded.not_before, "state": WAITING, "attempts": 0},
    )


_PUT_POSTGRESQL, _PUT_SQLITE = Fixed(_put(postgresql.insert(job))), Fixed(_put(sqlite.insert(job)))


def put(session: Session, kind: str, subjects: Sequence[str], *, after: int) -> None:
    """Have a job run once, `after` ms from now; one that waits already is put off until then.

    A job that is running is run once more.
    """
    now = session.now()
    rows = [
        {
            "kind": kind,
            "subject": subject,
            "state": WAITING,
            "not_before": now + after,
            "created_at": now,
        }
        for subject in sorted(set(subjects))
    ]
    session.run(_PUT_POSTGRESQL if session.postgresql else _PUT_SQLITE, rows)


def lease(
    session: Session, kinds: Sequence[str], owner: str, *, milliseconds: int, limit: int = 1
) -> list[Job]:
    """Take due jobs, oldest first, and those whose lease has run out."""
    now = session.now()
    due = (
        select(job)
        .where(
            job.c.kind.in_(list(kinds)),
            job.c.not_before <= now,
            (job.c.state == WAITING) | ((job.c.state == LEASED) & (job.c.lease_until < now)),
        )
        .order_by(job.c.not_before, job.c.pk)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = session.execute(due).all()
    for row in taken:
        session.execute(
            update(job)
            .where(job.c.pk == row.pk)
            .values(
                state=LEASED,
                lease_owner=owner,
                lease_until=now + milliseconds,
                attempts=row.attempts + 1,
            )
        )
    return [Job(r.pk, r.kind, r.subject, r.attempts + 1, r.not_before) for r in taken]


def renew(session: Session, one: Job, owner: str, *, milliseconds: int) -> None:
    """Keep a job that takes longer than its lease."""
    session.execute(
        update(job)
        .where(job.c.pk == one.id, job.c.state == LEASED, job.c.lease_owner == owner)
        .values(lease_until=session.now() + milliseconds)
    )


def done(session: Session, one: Job, owner: str) -> None:
    """Forget a job that was done, unless it was put anew while it ran."""
    session.execute(
        delete(job).where(job.c.pk == one.id, job.c.state == LEASED, job.c.lease_owner == owner)
    )


def failed(session: Session, one: Job, owner: str, error: str) -> None:
    """Try again later, each time later; after the last attempt it is dead and stays listed."""
    dead = one.attempts >= MAX_ATTEMPTS
    session.execute(
        update(job)
        .where(job.c.pk == one.id, job.c.state == LEASED, job.c.lease_owner == owner)
        .values(
            state=DEAD if dead else WAITING,
            not_before=session.now() + BACK_OFF_MILLISECONDS * 2**one.attempts,
            last_error=error[:500],
        )
    )


def waiting(session: Session, kind: str) -> list[str]:
    """The subjects of all jobs of a kind, whatever their state."""
    rows = session.execute(select(job.c.subject).where(job.c.kind == kind).order_by(job.c.pk))
    return [str(row.subject) for row in rows]


def forget(session: Session, kind: str) -> None:
    """Remove all jobs of a kind."""
    session.execute(delete(job).where(job.c.kind == kind))


def counts(session: Session) -> dict[tuple[str, int], int]:
    """How many jobs there are of each kind and state."""
    counted = func.count().label("jobs")
    rows = session.execute(
        select(job.c.kind, job.c.state, counted).group_by(job.c.kind, job.c.state)
    )
    return {(row.kind, row.state): int(row.jobs) for row in rows}

"""Counting attempts to sign in: every process and node counts in the same place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import case, delete, select, update

from vna.index.engine import Session
from vna.index.insertion import replacing
from vna.index.tables import sign_in_attempt as attempt


def wait_of(
    session: Session, most: Mapping[bytes, int], window: int, *, counted: bool = False
) -> int:
    """How many ms it takes until all subjects may try again, 0 where they may now.

    `most`: attempts of each subject within `window` ms of its first. `counted`: this attempt is
    among them already.
    """
    now = session.now()
    rows = session.execute(
        select(attempt).where(attempt.c.subject.in_(list(most)), attempt.c.began_at > now - window)
    )
    full = [
        row.began_at + window - now
        for row in rows
        if row.attempts >= most[bytes(row.subject)] + counted
    ]
    return max(full, default=0)


def count(session: Session, subjects: Sequence[bytes], window: int) -> None:
    """One more attempt of each subject; the first of a new window where the last is over."""
    now = session.now()
    over = attempt.c.began_at <= now - window
    computed = {
        "attempts": case((over, 1), else_=attempt.c.attempts + 1),
        "began_at": case((over, now), else_=attempt.c.began_at),
    }
    statement = replacing(session, attempt, ["subject"], computed, [])
    for each in sorted(subjects):  # in one order, so that no two wait for each other
        session.execute(statement, {"subject": each, "began_at": now, "attempts": 1})


def give_back(session: Session, subjects: Sequence[bytes]) -> None:
    """An attempt of each subject did not fail."""
    session.execute(
        update(attempt)
        .where(attempt.c.subject.in_(sorted(subjects)), attempt.c.attempts > 0)
        .values(attempts=attempt.c.attempts - 1)
    )


def clear(session: Session, subject: bytes) -> None:
    """Forget what a subject attempted."""
    session.execute(delete(attempt).where(attempt.c.subject == subject))


def forget(session: Session, window: int) -> None:
    """Remove what counts no more."""
    session.execute(delete(attempt).where(attempt.c.began_at <= session.now() - window))

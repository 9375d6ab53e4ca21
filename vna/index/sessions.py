"""Rows of sessions: who has signed in, until when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update

from vna.index.engine import Session
from vna.index.tables import account, account_session

USED_MILLISECONDS = 60_000  # how precisely it is known when a session was used: reads seldom write


@dataclass(frozen=True, slots=True)
class Open:
    """A session that is good now. `row`: that of its user. `stale`: its use is to be noted."""

    key: int
    partition: int
    row: Any
    expires_at: int
    stale: bool


def add(
    session: Session, partition: int, name: str, digest: bytes, origin: str, milliseconds: int
) -> int:
    """Open a session of a user; when it ends."""
    now = session.now()
    expires_at = now + milliseconds
    session.execute(
        insert(account_session).values(
            account_fk=_account(partition, name),
            digest=digest,
            origin=origin,
            created_at=now,
            expires_at=expires_at,
            used_at=now,
        )
    )
    return expires_at


def by_digest(session: Session, digest: bytes, idle_milliseconds: int) -> Open | None:
    """The session of a secret's digest, unless it has expired or its user is disabled."""
    row = session.execute(
        select(
            account,
            account_session.c.pk.label("session_pk"),
            account_session.c.expires_at,
            account_session.c.used_at.label("session_used_at"),
        )
        .join(account_session, account_session.c.account_fk == account.c.pk)
        .where(account_session.c.digest == digest)
    ).first()
    now = session.now()
    if row is None or row.disabled_at or row.expires_at <= now:
        return None
    unused = now - row.session_used_at
    if unused >= idle_milliseconds + USED_MILLISECONDS:
        return None
    return Open(row.session_pk, row.partition, row, row.expires_at, unused >= USED_MILLISECONDS)


def used(session: Session, key: int) -> None:
    """Note that a session was used now."""
    session.execute(
        update(account_session).where(account_session.c.pk == key).values(used_at=session.now())
    )


def close(session: Session, digest: bytes) -> bool:
    """End a session; whether there was one."""
    done = session.execute(delete(account_session).where(account_session.c.digest == digest))
    return done.rowcount > 0


def close_all(session: Session, partition: int, name: str) -> None:
    """End every session of a user."""
    session.execute(
        delete(account_session).where(account_session.c.account_fk == _account(partition, name))
    )


def forget(session: Session, idle_milliseconds: int) -> None:
    """Remove what has expired."""
    now = session.now()
    idle = now - idle_milliseconds - USED_MILLISECONDS
    session.execute(
        delete(account_session).where(
            (account_session.c.expires_at <= now) | (account_session.c.used_at <= idle)
        )
    )


def _account(partition: int, name: str) -> Any:
    return (
        select(account.c.pk)
        .where(account.c.partition == partition, account.c.name == name)
        .scalar_subquery()
    )

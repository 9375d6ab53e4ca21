"""Rows of requests for storage commitment that we made of others."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from vna.index.engine import Session
from vna.index.tables import asked_commitment as asked


@dataclass(frozen=True, slots=True)
class Row:
    """A request; `result` is None until the peer told it. Times in ms since 1970 UTC."""

    transaction_uid: str
    peer: str
    asked_at: int
    request: bytes
    result: bytes | None
    answered_at: int


def add(
    session: Session, partition: int, uid: str, *, peer: str, actor: str, request: bytes
) -> None:
    """Keep a request before it is made."""
    session.execute(
        insert(asked).values(
            partition=partition,
            transaction_uid=uid,
            peer=peer,
            actor=actor,
            asked_at=session.now(),
            request=request,
        )
    )


def get(session: Session, partition: int, uid: str) -> Row | None:
    """The request of a transaction UID, if there is one."""
    found = session.execute(
        select(asked).where(asked.c.partition == partition, asked.c.transaction_uid == uid)
    ).first()
    return None if found is None else _row(found)


def answer(session: Session, partition: int, uid: str, result: bytes) -> None:
    """Keep what the peer told; the first result stands."""
    session.execute(
        update(asked)
        .where(
            asked.c.partition == partition,
            asked.c.transaction_uid == uid,
            asked.c.result.is_(None),
        )
        .values(result=result, answered_at=session.now())
    )


def latest(session: Session, partition: int, limit: int) -> list[Row]:
    """The last requests, newest first."""
    rows = session.execute(
        select(asked)
        .where(asked.c.partition == partition)
        .order_by(asked.c.asked_at.desc(), asked.c.pk.desc())
        .limit(limit)
    )
    return [_row(each) for each in rows]


def forget(session: Session, *, milliseconds: int) -> None:
    """Remove requests older than that, by the database's clock."""
    session.execute(delete(asked).where(asked.c.asked_at < session.now() - milliseconds))


def _row(found: object) -> Row:
    row = found._mapping  # type: ignore[attr-defined]
    names = ("transaction_uid", "peer", "asked_at", "request", "result", "answered_at")
    return Row(*(row[name] for name in names))

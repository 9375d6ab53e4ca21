"""Rows of requests for storage commitment."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, select, update

from vna.errors import Conflict, NotFound
from vna.index.engine import Session
from vna.index.insertion import unless_present
from vna.index.tables import commitment


@dataclass(frozen=True, slots=True)
class Requested:
    """A request as it is kept; `result` is None while it is being verified."""

    request: bytes
    result: bytes | None


def add(session: Session, partition: int, uid: str, caller: str, request: bytes) -> None:
    """Keep a request. Raises `Conflict` for a transaction UID that is in use."""
    row = {
        "partition": partition,
        "transaction_uid": uid,
        "caller": caller,
        "requested_at": session.now(),
        "request": request,
    }
    statement = unless_present(session, commitment).returning(commitment.c.pk)
    if not session.execute(statement, row).all():
        raise Conflict(f"transaction UID {uid} is in use")


def get(session: Session, partition: int, uid: str) -> Requested:
    """The request of a transaction UID. Raises `NotFound`."""
    found = session.execute(
        select(commitment.c.request, commitment.c.result).where(
            commitment.c.partition == partition, commitment.c.transaction_uid == uid
        )
    ).first()
    if found is None:
        raise NotFound("no request for storage commitment has this transaction UID")
    return Requested(found.request, found.result)


def answer(session: Session, partition: int, uid: str, result: bytes) -> None:
    """Keep the result of a request."""
    session.execute(
        update(commitment)
        .where(commitment.c.partition == partition, commitment.c.transaction_uid == uid)
        .values(result=result)
    )


def forget(session: Session, *, milliseconds: int) -> None:
    """Remove requests older than that, by the database's clock."""
    before = session.now() - milliseconds
    session.execute(delete(commitment).where(commitment.c.requested_at < before))

"""Rows of requests for storage commitment."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update

from vna.errors import Conflict
from vna.index.engine import Session
from vna.index.insertion import unless_present
from vna.index.tables import commitment


@dataclass(frozen=True, slots=True)
class Requested:
    """A request as it is kept; `result` is None while it is being verified."""

    caller: str
    request: bytes
    result: bytes | None

    @property
    def forgotten(self) -> bool:
        """Whether only its UID is left."""
        return not self.request


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


def get(session: Session, partition: int, uid: str) -> Requested | None:
    """The request of a transaction UID, if there is one."""
    found = session.execute(
        select(commitment.c.caller, commitment.c.request, commitment.c.result).where(
            commitment.c.partition == partition, commitment.c.transaction_uid == uid
        )
    ).first()
    return None if found is None else Requested(found.caller, found.request, found.result)


def answer(session: Session, partition: int, uid: str, result: bytes) -> None:
    """Keep the result of a request; the first one stands."""
    session.execute(
        update(commitment)
        .where(
            commitment.c.partition == partition,
            commitment.c.transaction_uid == uid,
            commitment.c.result.is_(None),
        )
        .values(result=result)
    )


def forget(session: Session, *, milliseconds: int) -> None:
    """Keep of requests older than that, by the database's clock, nothing but their UIDs."""
    before = session.now() - milliseconds
    session.execute(
        update(commitment)
        .where(commitment.c.requested_at < before, commitment.c.request != b"")
        .values(request=b"", result=None)
    )

"""Receptions: who brought data, from where, how much, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import insert, select, update

from vna.errors import NotFound
from vna.index.engine import Session
from vna.index.fixed import Fixed
from vna.index.insertion import keys_of
from vna.index.tables import audit, reception
from vna.model.caller import Caller

_AUDIT = Fixed(insert(audit))


@dataclass(frozen=True, slots=True)
class Row:
    """A reception. Times in ms since 1970 UTC, `finished_at` 0 while it runs; sizes in bytes.

    `outcomes`: disposition or error code → objects.
    """

    id: int
    source: str
    caller: str
    peer: str
    path: str
    started_at: int
    finished_at: int
    objects: int
    bytes: int
    outcomes: Mapping[str, int]


def begin(
    session: Session, *, source: str, caller: str, peer: str, path: str, organisation_fk: int
) -> int:
    """Write the row of a reception that begins; its key."""
    row = {
        "source": source,
        "caller": caller,
        "peer": peer,
        "path": path,
        "organisation_fk": organisation_fk,
        "started_at": session.now(),
    }
    return keys_of(session, reception, [row])[0]


@dataclass(frozen=True, slots=True)
class Begun:
    """A reception that begins with what it has brought already."""

    source: str
    caller: Caller
    peer: str
    path: str
    organisation_fk: int
    objects: int
    bytes: int
    outcomes: Mapping[str, int]
    finished: bool


def begin_all(session: Session, found: Sequence[Begun]) -> list[int]:
    """Write the rows of receptions and their entries in the audit trail; keys in order."""
    if not found:
        return []
    now = session.now()
    keys = keys_of(
        session,
        reception,
        [
            {
                "source": each.source,
                "caller": each.caller.name,
                "peer": each.peer,
                "path": each.path,
                "organisation_fk": each.organisation_fk,
                "started_at": now,
                "finished_at": now if each.finished else 0,
                "objects": each.objects,
                "bytes": each.bytes,
                "outcomes": orjson.dumps(dict(each.outcomes)),
            }
            for each in found
        ],
    )
    session.run(
        _AUDIT,
        [
            {
                "at": now,
                "caller": each.caller.name,
                "origin": each.caller.origin,
                "action": "receive",
                "target": str(key),
                "detail": orjson.dumps({"source": each.source}),
            }
            for each, key in zip(found, keys, strict=True)
        ],
    )
    return keys


def count(
    session: Session,
    key: int,
    *,
    objects: int,
    size: int,
    outcomes: Mapping[str, int],
    finished: bool,
) -> None:
    """Write what a reception brought so far, and when it ended."""
    session.execute(
        update(reception)
        .where(reception.c.pk == key)
        .values(
            objects=objects,
            bytes=size,
            outcomes=orjson.dumps(dict(outcomes)),
            finished_at=session.now() if finished else 0,
        )
    )


def find(session: Session, caller: Caller, *, limit: int, before: int | None = None) -> list[Row]:
    """Receptions of the caller's organisations, newest first, older than key `before`."""
    statement = select(reception).order_by(reception.c.pk.desc()).limit(limit)
    if before is not None:
        statement = statement.where(reception.c.pk < before)
    if caller.organisations is not None:
        statement = statement.where(reception.c.organisation_fk.in_(list(caller.organisations)))
    return [_row(row) for row in session.execute(statement)]


def get(session: Session, caller: Caller, key: int) -> Row:
    """One reception; raises `NotFound`, also where it is another organisation's."""
    statement = select(reception).where(reception.c.pk == key)
    if caller.organisations is not None:
        statement = statement.where(reception.c.organisation_fk.in_(list(caller.organisations)))
    found = session.execute(statement).first()
    if found is None:
        raise NotFound(f"no reception has number {key}")
    return _row(found)


def _row(row: Any) -> Row:
    return Row(
        id=row.pk,
        source=row.source,
        caller=row.caller,
        peer=row.peer,
        path=row.path,
        started_at=row.started_at,
        finished_at=row.finished_at,
        objects=row.objects,
        bytes=row.bytes,
        outcomes=orjson.loads(row.outcomes) if row.outcomes else {},
    )

"""Rows of application entities that are known, of our own AE titles, and of strangers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Table, delete, select

from vna.index.engine import Session
from vna.index.insertion import replacing
from vna.index.tables import ae_peer, called_title, stranger
from vna.model.archive import DuplicatePolicy
from vna.model.peer import CalledView, Coercion, Peer, Service, Stranger, View

STRANGERS = 1000  # kept of each partition: whoever scans the network must not fill the database


def find(session: Session, partition: int) -> list[Peer]:
    """Every peer, by title."""
    wanted = select(ae_peer).where(ae_peer.c.partition == partition).order_by(ae_peer.c.title)
    return [_peer(row) for row in session.execute(wanted)]


def put(session: Session, partition: int, peer: Peer) -> None:
    """Make a peer known, or change what is known of it; it is no stranger any more."""
    values = {
        "host": peer.host,
        "port": peer.port,
        "tls": int(peer.tls),
        "services": " ".join(sorted(each.value for each in peer.services)),
        "authority": peer.authority,
        "organisation": peer.organisation,
        "character_set": peer.character_set,
        "policy": peer.policy.value if peer.policy else "",
        "announce": int(peer.announce),
        "own_only": int(peer.own_only),
        "certificate": peer.certificate,
        "coercions": _written(peer.coercions),
        "description": peer.description,
        "changed_at": session.now(),
    }
    _put(session, ae_peer, {"partition": partition, "title": peer.title}, values)
    forget_stranger(session, partition, peer.title)


def remove(session: Session, partition: int, title: str) -> bool:
    """Forget a peer; whether there was one."""
    return _remove(session, ae_peer, partition, title)


def views(session: Session, partition: int) -> list[CalledView]:
    """Every AE title of ours that somebody has set up, by title."""
    wanted = (
        select(called_title)
        .where(called_title.c.partition == partition)
        .order_by(called_title.c.title)
    )
    return [
        CalledView(row.title, View(row.view), row.organisation) for row in session.execute(wanted)
    ]


def put_view(session: Session, partition: int, view: CalledView) -> None:
    """Answer to a title, or show something else to who calls it."""
    values = {"view": view.view.value, "organisation": view.organisation}
    _put(session, called_title, {"partition": partition, "title": view.title}, values)


def remove_view(session: Session, partition: int, title: str) -> bool:
    """Answer to a title no more; whether there was one."""
    return _remove(session, called_title, partition, title)


def strangers(session: Session, partition: int, title: str | None = None) -> list[Stranger]:
    """Who called and was not let in, the latest first; `title`: only that one."""
    wanted = select(stranger).where(stranger.c.partition == partition)
    if title is not None:
        wanted = wanted.where(stranger.c.title == title)
    rows = session.execute(wanted.order_by(stranger.c.last_seen.desc(), stranger.c.pk.desc()))
    return [
        Stranger(
            row.title,
            row.address,
            row.called,
            row.first_seen,
            row.last_seen,
            row.times,
            row.reason,
        )
        for row in rows
    ]


def note(
    session: Session, partition: int, title: str, address: str, called: str, reason: str
) -> None:
    """Note a caller that was not let in, and forget those who called longest ago."""
    now = session.now()
    key = {"partition": partition, "title": title, "address": address}
    latest = {"called": called, "reason": reason, "last_seen": now}
    insert = replacing(session, stranger, list(key), {"times": stranger.c.times + 1}, list(latest))
    session.execute(insert, {**key, **latest, "first_seen": now, "times": 1})
    beyond = (
        select(stranger.c.pk)
        .where(stranger.c.partition == partition)
        .order_by(stranger.c.last_seen.desc(), stranger.c.pk.desc())
        .offset(STRANGERS)
        .limit(STRANGERS)
    )
    session.execute(delete(stranger).where(stranger.c.pk.in_(beyond)))


def forget_stranger(session: Session, partition: int, title: str) -> None:
    """Forget a stranger, from wherever it called."""
    session.execute(
        delete(stranger).where(stranger.c.partition == partition, stranger.c.title == title)
    )


def _put(session: Session, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    session.execute(replacing(session, table, list(key), {}, list(values)), {**key, **values})


def _remove(session: Session, table: Table, partition: int, title: str) -> bool:
    done = session.execute(
        delete(table).where(table.c.partition == partition, table.c.title == title)
    )
    return done.rowcount > 0


def _peer(row: Any) -> Peer:
    return Peer(
        title=row.title,
        host=row.host,
        port=row.port,
        tls=bool(row.tls),
        services=frozenset(map(Service, row.services.split())),
        authority=row.authority,
        organisation=row.organisation,
        character_set=row.character_set,
        policy=DuplicatePolicy(row.policy) if row.policy else None,
        announce=bool(row.announce),
        own_only=bool(row.own_only),
        certificate=row.certificate,
        coercions=coercions_of(orjson.loads(row.coercions or "[]")),
        description=row.description,
    )


def coercions_of(written: Iterable[Sequence[Any]]) -> tuple[Coercion, ...]:
    """Coercions from their JSON: path, attribute or null."""
    return tuple(Coercion(path, value) for path, value in written)


def _written(coercions: Sequence[Coercion]) -> str:
    rows = [[each.path, each.value] for each in coercions]
    return orjson.dumps(rows).decode() if rows else ""

"""Rows of bearer tokens."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select, update

from vna.index.engine import Session
from vna.index.tables import token
from vna.model.caller import Role
from vna.model.token import Token


def add(
    session: Session,
    partition: int,
    digest: bytes,
    *,
    label: str,
    roles: frozenset[Role],
    organisations: frozenset[str] | None,
    created_by: str,
    milliseconds: int,
) -> Token:
    """Keep a token; `milliseconds`: how long it is good, 0 for ever."""
    now = session.now()
    codes = None if organisations is None else "\n".join(sorted(organisations))
    row = session.execute(
        insert(token)
        .values(
            partition=partition,
            digest=digest,
            label=label,
            roles=" ".join(sorted(each.value for each in roles)),
            organisations=codes,
            created_at=now,
            created_by=created_by,
            expires_at=now + milliseconds if milliseconds else 0,
        )
        .returning(token)
    ).one()
    return _token(row)


def find(session: Session, partition: int) -> list[Token]:
    """Every token, oldest first."""
    rows = session.execute(select(token).where(token.c.partition == partition).order_by(token.c.pk))
    return [_token(row) for row in rows]


def by_digest(session: Session, digest: bytes) -> tuple[int, Token] | None:
    """(partition, token) of a secret's digest, where it is good now."""
    row = session.execute(select(token).where(token.c.digest == digest)).first()
    if row is None or row.revoked_at or (row.expires_at and row.expires_at <= session.now()):
        return None
    return row.partition, _token(row)


def revoke(session: Session, partition: int, id: int) -> bool:
    """Make a token good for nothing; whether there was one that was good for something."""
    done = session.execute(
        update(token)
        .where(token.c.partition == partition, token.c.pk == id, token.c.revoked_at == 0)
        .values(revoked_at=session.now())
        .returning(token.c.pk)
    )
    return done.first() is not None


def _token(row: Any) -> Token:
    codes = row.organisations
    return Token(
        row.pk,
        row.label,
        frozenset(map(Role, row.roles.split())),
        None if codes is None else frozenset(filter(None, codes.split("\n"))),
        row.created_at,
        row.created_by,
        row.expires_at,
        row.revoked_at,
    )

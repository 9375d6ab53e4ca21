"""Organisations: who sends and owns items."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from vna.index.engine import Session
from vna.index.insertion import unless_present
from vna.index.tables import organisation

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Organisation:
    """`default_authority`: the issuer of its identifiers that name none."""

    key: int
    code: str
    name: str
    default_authority: str


def get(session: Session, code: str) -> Organisation | None:
    """The organisation of that code, or None."""
    row = session.execute(select(organisation).where(organisation.c.code == code)).first()
    return Organisation(row.pk, row.code, row.name, row.default_authority) if row else None


def ensure(session: Session, code: str, *, name: str = "", default_authority: str = "") -> None:
    """Add an organisation unless its code is there already."""
    row = {"code": code, "name": name or code, "default_authority": default_authority}
    session.execute(unless_present(session, organisation), row)


def keys_of(session: Session, codes: frozenset[str] | None) -> frozenset[int] | None:
    """The keys of the organisations of these codes, as far as there are any; None is all."""
    if codes is None:
        return None
    rows = session.execute(select(organisation.c.pk).where(organisation.c.code.in_(sorted(codes))))
    return frozenset(row.pk for row in rows)


def codes_of(session: Session, keys: frozenset[int]) -> list[str]:
    """The codes of the organisations of these keys."""
    wanted = select(organisation.c.code).where(organisation.c.pk.in_(sorted(keys)))
    return sorted(session.execute(wanted).scalars())

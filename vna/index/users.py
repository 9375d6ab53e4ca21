"""Rows of users."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert, select, update

from vna.index import sessions
from vna.index.engine import Session
from vna.index.tables import account
from vna.model.caller import Role
from vna.model.certificate import Certificate, is_fingerprint
from vna.model.user import User


def add(session: Session, partition: int, user: User, password: str, created_by: str) -> None:
    """Keep a new user; `password` is its hash, '' for none."""
    session.execute(
        insert(account).values(
            partition=partition,
            name=user.name,
            password=password,
            created_at=session.now(),
            created_by=created_by,
            **_changeable(user),
        )
    )


def change(
    session: Session, partition: int, user: User, *, disabled: bool, password: str | None
) -> None:
    """Keep what has changed of a user; `password`: its new hash, None for that which it has."""
    values: dict[str, Any] = _changeable(user)
    if disabled != user.disabled:
        values["disabled_at"] = session.now() if disabled else 0
    if password is not None:
        values["password"] = password
    session.execute(update(account).where(_named(partition, user.name)).values(values))


def remove(session: Session, partition: int, name: str) -> None:
    """Forget a user and all of its sessions."""
    sessions.close_all(session, partition, name)
    session.execute(delete(account).where(_named(partition, name)))


def find(session: Session, partition: int) -> list[User]:
    """Every user, by name."""
    wanted = select(account).where(account.c.partition == partition).order_by(account.c.name)
    return [user_of(row) for row in session.execute(wanted)]


def get(session: Session, partition: int, name: str) -> User | None:
    """The user of that name."""
    row = session.execute(select(account).where(_named(partition, name))).first()
    return None if row is None else user_of(row)


def password_of(session: Session, partition: int, name: str) -> str:
    """The hash of the password of a user who may sign in with one, '' of anybody else."""
    wanted = select(account.c.password).where(_named(partition, name), account.c.disabled_at == 0)
    return session.execute(wanted).scalar() or ""


def by_certificate(session: Session, certificate: Certificate) -> tuple[int, User] | None:
    """(partition, user) who is not disabled and for whom that certificate was registered."""
    registered = [certificate.fingerprint, *sorted(certificate.names)]
    rows = session.execute(
        select(account).where(
            account.c.certificate != "",
            account.c.certificate.in_(registered),
            account.c.disabled_at == 0,
        )
    ).all()
    by_precision = sorted(rows, key=lambda row: (not is_fingerprint(row.certificate), row.name))
    return (by_precision[0].partition, user_of(by_precision[0])) if by_precision else None


def used(session: Session, partition: int, name: str) -> None:
    """Note that somebody got in as this user now."""
    session.execute(update(account).where(_named(partition, name)).values(used_at=session.now()))


def user_of(row: Any) -> User:
    """The user of a row."""
    codes = row.organisations
    return User(
        row.name,
        row.full_name,
        frozenset(map(Role, row.roles.split())),
        None if codes is None else frozenset(filter(None, codes.split("\n"))),
        bool(row.password),
        row.certificate,
        row.disabled_at,
        row.created_at,
        row.created_by,
        row.used_at,
    )


def _named(partition: int, name: str) -> Any:
    return (account.c.partition == partition) & (account.c.name == name)


def _changeable(user: User) -> dict[str, Any]:
    seen = user.organisations
    return {
        "full_name": user.full_name,
        "roles": " ".join(sorted(each.value for each in user.roles)),
        "organisations": None if seen is None else "\n".join(sorted(seen)),
        "certificate": user.certificate,
    }

"""Inserts for many rows at once, the same on both databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Insert, Table
from sqlalchemy.dialects import postgresql, sqlite

from vna.index.engine import Session
from vna.index.fixed import Fixed, Row


def unless_present(session: Session, table: Table) -> Insert:
    """INSERT … ON CONFLICT DO NOTHING: whoever comes second adds nothing and gets no row back."""
    return _unless_present(table, session.postgresql)


@cache
def _unless_present(table: Table, on_postgresql: bool) -> Insert:
    if on_postgresql:
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def replacing(
    session: Session,
    table: Table,
    key: Sequence[str],
    computed: Mapping[str, Any],
    replaced: Sequence[str],
) -> Insert:
    """INSERT … ON CONFLICT (`key`) DO UPDATE: of a row that is there already the columns `replaced`
    become the new row's, and `computed` what their expressions say."""
    insert = postgresql.insert(table) if session.postgresql else sqlite.insert(table)
    values = {name: insert.excluded[name] for name in replaced} | dict(computed)
    return insert.on_conflict_do_update(index_elements=list(key), set_=values)


def keys_of(session: Session, table: Table, rows: Sequence[Row]) -> list[int]:
    """Insert rows and return their keys, in the order of `rows`."""
    if not rows:
        return []
    return [int(key) for key in _returning(table).returned(session.connection, rows)]


@cache
def _returning(table: Table) -> Fixed:
    return Fixed(table.insert().returning(table.c.pk))

"""Statements that never change: the same answers and the same errors as SQLAlchemy gives."""

from __future__ import annotations

import pytest
from sqlalchemy import bindparam, insert, literal, select, update
from sqlalchemy.exc import IntegrityError

from vna.index.engine import Index
from vna.index.fixed import Fixed
from vna.index.insertion import keys_of
from vna.index.tables import authority

NAMES = ["A", "B", "C", "D", "E", "F", "G"]

_NAMED = select(authority.c.name, literal(7).label("seven")).where(
    authority.c.name.in_(bindparam("names", expanding=True)),
    authority.c.pk.in_((1, 2, 3, 4, 5, 6)),
    authority.c.name < bindparam("below"),
)
_FIXED = Fixed(_NAMED)


def fill(index: Index) -> list[int]:
    return index.transact(lambda s: keys_of(s, authority, [{"name": each} for each in NAMES]))


@pytest.mark.parametrize("length", range(8))
def test_a_list_of_any_length_gives_what_sqlalchemy_gives(index: Index, length: int) -> None:
    fill(index)
    asked = {"names": NAMES[:length], "below": "F"}

    with index.reading() as session:
        found = session.fetch(_FIXED, asked)
        wanted = session.execute(_NAMED, asked).all()

    assert sorted(found) == sorted(map(tuple, wanted))
    assert [row.seven for row in found] == [7] * len(wanted)


def test_keys_come_in_the_order_of_the_rows(index: Index) -> None:
    keys = fill(index)

    with index.reading() as session:
        rows = session.execute(select(authority.c.pk, authority.c.name)).all()

    assert {row.name: row.pk for row in rows if row.name} == dict(zip(NAMES, keys, strict=True))


def test_it_runs_once_for_each_row(index: Index) -> None:
    keys = fill(index)
    rename = Fixed(
        update(authority).where(authority.c.pk == bindparam("key")).values(name=bindparam("to"))
    )

    index.transact(lambda s: s.run(rename, [{"key": key, "to": f"new {key}"} for key in keys[:3]]))

    with index.reading() as session:
        names = set(session.execute(select(authority.c.name)).scalars())
    assert {f"new {key}" for key in keys[:3]} <= names
    assert not names & set(NAMES[:3])


def test_what_only_fixed_statements_wrote_is_committed(index: Index) -> None:
    index.transact(lambda s: s.run(Fixed(insert(authority)), [{"name": "alone"}]))

    with index.reading() as session:
        assert [row.name for row in session.fetch(_FIXED, {"names": ["alone"], "below": "z"})]


def test_a_violated_constraint_is_the_error_of_sqlalchemy(index: Index) -> None:
    fill(index)

    with pytest.raises(IntegrityError), index.writing() as session:
        session.run(Fixed(insert(authority)), [{"name": "A"}])

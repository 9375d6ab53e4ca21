"""Who the patients of a batch are: identifiers, what is said of them, and new patients."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select, tuple_

from vna.index import demographics
from vna.index.candidate import Candidate
from vna.index.engine import Session
from vna.index.insertion import keys_of, unless_present
from vna.index.tables import authority, identifier, patient, patient_link
from vna.model.archive import IdentifierKind, IdentifierSource

Identifier = tuple[IdentifierKind, str, str]
_Row = dict[str, int | str]


def identifiers(
    session: Session, partition: int, wanted: Iterable[Identifier]
) -> dict[Identifier, int]:
    """The key of each identifier. One that is new gets a patient and an open link in the same
    transaction: whoever inserts the identifier makes the patient, others wait and see it."""
    unique = sorted(set(wanted))
    authorities = authority_keys(session, [name for _, name, _ in unique])
    rows: list[_Row] = [
        {
            "partition": partition,
            "kind": int(kind),
            "authority_fk": authorities[name],
            "value": value,
            "source": int(IdentifierSource.OBJECT),
        }
        for kind, name, value in unique
    ]
    found = _present(session, rows)
    absent = [row for row in rows if _natural(row) not in found]
    if absent:
        _add(session, partition, absent)
        found = _present(session, rows)
    return {each: found[_natural(row)] for each, row in zip(unique, rows, strict=True)}


def authority_keys(session: Session, names: Sequence[str]) -> dict[str, int]:
    """The key of each authority by its name; new names are added."""
    unique = sorted(set(names))
    statement = select(authority.c.name, authority.c.pk).where(authority.c.name.in_(unique))
    found = {row.name: int(row.pk) for row in session.execute(statement)}
    absent = [name for name in unique if name not in found]
    if absent:
        session.execute(unless_present(session, authority), [{"name": name} for name in absent])
        found = {row.name: int(row.pk) for row in session.execute(statement)}
    return found


def demographics_key(session: Session, identifier_fk: int, candidate: Candidate) -> int:
    """The key of the row that says what the candidate says of its patient."""
    return demographics.keep(session, identifier_fk, candidate.patient)


def _add(session: Session, partition: int, rows: Sequence[_Row]) -> None:
    statement = unless_present(session, identifier).returning(identifier.c.pk)
    mine = [key for row in rows for key in session.execute(statement, row).scalars()]
    now = session.now()
    patients = keys_of(
        session, patient, [{"partition": partition, "created_at": now} for _ in mine]
    )
    if mine:
        session.execute(
            patient_link.insert(),
            [
                {"identifier_fk": key, "patient_fk": owner, "since": now, "until": 0}
                for key, owner in zip(mine, patients, strict=True)
            ],
        )


def _present(session: Session, rows: Sequence[_Row]) -> dict[tuple[int | str, ...], int]:
    columns = (
        identifier.c.partition,
        identifier.c.kind,
        identifier.c.authority_fk,
        identifier.c.value,
    )
    statement = select(identifier.c.pk, *columns).where(
        tuple_(*columns).in_([_natural(row) for row in rows])
    )
    return {tuple(row[1:]): int(row.pk) for row in session.execute(statement)}


def _natural(row: _Row) -> tuple[int | str, ...]:
    return row["partition"], row["kind"], row["authority_fk"], row["value"]

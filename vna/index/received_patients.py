"""Who the patients of a batch are: identifiers, what is said of them, and new patients."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, select

from vna.index import demographics
from vna.index.candidate import Candidate
from vna.index.engine import Session
from vna.index.fixed import Fixed
from vna.index.insertion import keys_of, unless_present
from vna.index.tables import authority, identifier, patient, patient_link
from vna.model.archive import IdentifierKind, IdentifierSource

Identifier = tuple[IdentifierKind, str, str]
_Row = dict[str, int | str]

_AUTHORITIES = Fixed(
    select(authority.c.name, authority.c.pk).where(
        authority.c.name.in_(bindparam("names", expanding=True))
    )
)
_IDENTIFIERS = Fixed(
    select(
        identifier.c.pk,
        identifier.c.partition,
        identifier.c.kind,
        identifier.c.authority_fk,
        identifier.c.value,
    ).where(
        identifier.c.partition == bindparam("partition"),
        identifier.c.kind.in_((IdentifierKind.PATIENT, IdentifierKind.STUDY_BOUND)),
        identifier.c.value.in_(bindparam("values", expanding=True)),
    )
)


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
    wanted = {"names": unique}
    found = {row.name: int(row.pk) for row in session.fetch(_AUTHORITIES, wanted)}
    absent = [name for name in unique if name not in found]
    if absent:
        session.execute(unless_present(session, authority), [{"name": name} for name in absent])
        found = {row.name: int(row.pk) for row in session.fetch(_AUTHORITIES, wanted)}
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
    wanted = {_natural(row) for row in rows}
    parameters = {"partition": rows[0]["partition"], "values": [row["value"] for row in rows]}
    found = session.fetch(_IDENTIFIERS, parameters)
    keys = {tuple[int | str, ...](row[1:]): int(row.pk) for row in found}
    return {natural: keys[natural] for natural in wanted if natural in keys}


def _natural(row: _Row) -> tuple[int | str, ...]:
    return row["partition"], row["kind"], row["authority_fk"], row["value"]

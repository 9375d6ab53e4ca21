"""Puts a corpus into an index: received through the index's own door, then merged and hidden."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from typing import Any

from sqlalchemy import insert, select, update

from tests.index.corpus import ORGANISATIONS, Attributes, Instance, Series, Study
from vna.index import demographics, ingest, receptions
from vna.index.candidate import Candidate
from vna.index.engine import Index, Session
from vna.index.recount import recount
from vna.index.tables import demographics as said
from vna.index.tables import instance, item, organisation, patient_link, series, study
from vna.model.archive import Outcome, Place, Visibility
from vna.model.caller import DEFAULT_PARTITION

BATCH = 100


def fill(index: Index, studies: list[Study]) -> dict[int, int]:
    """Store every study with all that lies below it; gives the key of each organisation."""
    keys = index.transact(_organisations)
    received = [
        (each, one, leaf) for each in studies for one in each.series for leaf in one.instances
    ]
    for start in range(0, len(received), BATCH):
        index.transact(partial(_store, received=received[start : start + BATCH], keys=keys))
    index.transact(partial(_change, studies=studies))
    return keys


def _organisations(session: Session) -> dict[int, int]:
    made = {}
    for number, code in enumerate(ORGANISATIONS, start=1):
        row = insert(organisation).values(code=code).returning(organisation.c.pk)
        made[number] = int(session.execute(row).scalar_one())
    return made


def _store(
    session: Session, received: list[tuple[Study, Series, Instance]], keys: dict[int, int]
) -> None:
    reception = receptions.begin(
        session, source="test", caller="test", peer="", path="", organisation_fk=keys[1]
    )
    placed = []
    for each, one, leaf in received:
        candidate = _candidate(each, one, leaf, keys[each.organisation], reception)
        placed.append((candidate, Place("01TESTSEGMENT0000000000000", 0, 1)))
    for result in ingest.store(session, placed):
        assert isinstance(result, Outcome)
        assert result.warning is None, result


def _candidate(
    each: Study, one: Series, leaf: Instance, organisation_fk: int, reception_fk: int
) -> Candidate:
    digest = hashlib.sha256(leaf.uid.encode()).digest()
    return Candidate(
        partition=DEFAULT_PARTITION,
        study_uid=each.uid,
        series_uid=one.uid,
        sop_uid=leaf.uid,
        sop_class=_first(leaf.attributes, "00080016"),
        patient=each.patient.attributes,
        study=each.attributes,
        series=one.attributes,
        instance=leaf.attributes,
        patient_id=_first(each.patient.attributes, "00100020"),
        authority=_first(each.patient.attributes, "00100021"),
        sha256=digest,
        xxh3=digest[:16],
        size=1,
        dataset_xxh3=digest[:16],
        pixel_xxh3=digest[16:],
        transfer_syntax="1.2.840.10008.1.2.1",
        anatomy=b"",
        header=b"header",
        oddities=(),
        organisation_fk=organisation_fk,
        reception_fk=reception_fk,
    )


def _first(attributes: Attributes, tag: str) -> str:
    return str(next(iter(attributes.get(tag, {}).get("Value", [])), "") or "")


def _change(session: Session, studies: list[Study]) -> None:
    """What is shown of merged patients, and what lies in the trash."""
    for each in studies:
        row = session.execute(
            select(study.c.pk, study.c.item_fk, said.c.identifier_fk)
            .join(said, said.c.pk == study.c.demographics_fk)
            .where(study.c.uid == each.uid)
        ).one()
        if each.patient.shown is not None:
            shown = demographics.keep(session, row.identifier_fk, each.patient.shown)
            link = update(patient_link).where(patient_link.c.identifier_fk == row.identifier_fk)
            session.execute(link.values(shown_fk=shown))
        if each.hidden:
            for table, key in ((study, row.pk), (item, row.item_fk)):
                _hide(session, table, table.c.pk == key)
        _hide(session, series, series.c.uid.in_([one.uid for one in each.series if one.hidden]))
        _hide(session, instance, instance.c.uid.in_(list(_hidden_leaves(each))))
        touched = select(series.c.pk).where(series.c.study_fk == row.pk)
        recount(session, row.pk, [int(found.pk) for found in session.execute(touched)])


def _hidden_leaves(each: Study) -> Iterator[str]:
    return (leaf.uid for one in each.series for leaf in one.instances if leaf.hidden)


def _hide(session: Session, table: Any, where: Any) -> None:
    session.execute(update(table).where(where).values(state=int(Visibility.TRASHED)))

"""Patients as a search finds them, against a slow walk through the corpus, on both databases."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.index import corpus, oracle
from tests.index.asked import NAMES, Asker
from tests.index.corpus import Patient, Study
from tests.index.fill import fill
from tests.index.oracle import Asked, Entity
from tests.index.test_search import EVERYBODY, ask, attributes, key, study
from tests.size import size
from vna.dicom.matching import match_of
from vna.errors import InvalidValue
from vna.index.engine import Index, Session
from vna.index.tables import demographics, patient_link
from vna.index.tables import study as studies_table
from vna.model.caller import Caller, Right
from vna.model.query import Key, Level, Query

SEED = 20240702
QUERIES = size(80, 800)
PATIENT = Query(Level.PATIENT)
TAGS = ("00100010", "00100020", "00100021", "00100030", "00100040")
COUNTS = ("00201200", "00201202", "00201204")


def query(keys: list[Asked]) -> Query:
    made = (
        Key((int(each.path[0], 16),), each.vr, match_of(each.vr, each.text, fuzzy=each.fuzzy))
        for each in keys
    )
    return Query(Level.PATIENT, tuple(made))


def expected(
    everything: list[Study], keys: list[Asked], organisations: frozenset[int] | None
) -> list[tuple[Any, ...]]:
    """Name tags and counts of each patient, by identifier; the corpus has no two names for one."""
    seen = [
        each
        for each in everything
        if each.shown and (organisations is None or each.organisation in organisations)
    ]
    of: dict[int, list[Study]] = defaultdict(list)
    for each in seen:
        of[each.patient.identifier].append(each)
    found = []
    for studies in of.values():
        shown = studies[0].patient.shown or studies[0].patient.attributes
        entity = Entity("", (), shown, studies[0].organisation)
        if oracle.find([entity], keys):
            series = [one for each in studies for one in each.shown]
            leaves = [leaf for one in series for leaf in one.leaves]
            said = [repr(shown.get(tag, {}).get("Value")) for tag in TAGS]
            found.append((*said, len(studies), len(series), len(leaves)))
    return sorted(found)


def told(index: Index, asked: Query, caller: Caller) -> list[tuple[Any, ...]]:
    rows = [row.attributes for row in ask(index, asked, caller).rows]
    return sorted(
        (
            *(repr(row[tag].get("Value")) for tag in TAGS),
            *(row[tag]["Value"][0] for tag in COUNTS),
        )
        for row in rows
    )


def test_patients_are_found_as_their_studies_show_them(index: Index) -> None:
    everything = corpus.made(SEED, size(60, 200))
    of = fill(index, everything)
    asker, random = Asker(SEED, "study", oracle.entities(everything, "study")), Random(SEED)
    names = (*NAMES[:1], ("study", "00100020", "LO"), ("study", "00100021", "LO"))
    telling = 0
    for _ in range(QUERIES):
        known = random.choice((*names, ("study", "00100030", "DA"), ("study", "00100040", "CS")))
        text = random.choice((asker.text(known), asker.text(known), '""', ""))
        if known[2] in ("PN", "LO") and text not in ('""', "") and random.random() < 0.5:
            text = text[: random.randrange(1, len(text) + 1)] + "*"
        keys = [Asked((known[1],), known[2], text, fuzzy=known[2] == "PN" and "*" not in text)]
        organisations = random.choice((None, None, frozenset({1, 2}), frozenset({3})))
        seen = None if organisations is None else frozenset(of[each] for each in organisations)
        caller = Caller("test", "here", seen, frozenset(Right))

        wanted = expected(everything, keys, organisations)

        telling += bool(wanted)
        assert told(index, query(keys), caller) == wanted, keys
    assert telling >= 0.6 * QUERIES


def merge(session: Session, source: str, target: str) -> int:
    """The identifier of one study means the patient of the other's from now on."""
    links = {
        row.uid: row
        for row in session.execute(
            select(studies_table.c.uid, patient_link.c.pk, patient_link.c.patient_fk)
            .join(demographics, demographics.c.pk == studies_table.c.demographics_fk)
            .join(patient_link, patient_link.c.identifier_fk == demographics.c.identifier_fk)
        )
    }
    shown = select(studies_table.c.demographics_fk).where(studies_table.c.uid == target)
    changed = session.execute(
        update(patient_link)
        .where(patient_link.c.pk == links[source].pk)
        .values(patient_fk=links[target].patient_fk, shown_fk=shown.scalar_subquery())
    )
    return changed.rowcount


def test_a_merged_patient_appears_once_under_the_new_name(index: Index) -> None:
    old = attributes({"PatientID": "OLD", "PatientName": "Vieja^Ana"})
    new = attributes({"PatientID": "NEW", "PatientName": "Nueva^Ana", "PatientComments": "x"})
    fill(index, [study(1, Patient(1, old)), study(2, Patient(2, new))])
    assert len(ask(index, PATIENT).rows) == 2
    index.transact(lambda session: merge(session, "1.2.1", "1.2.2"))

    (row,) = ask(index, PATIENT).rows

    assert row.attributes["00100020"]["Value"] == ["NEW"]
    assert [row.attributes[tag]["Value"] for tag in COUNTS] == [[2], [2], [2]]
    assert ask(index, Query(Level.PATIENT, (key("PatientID", "OLD"),))).rows == []
    assert len(ask(index, Query(Level.PATIENT, (key("PatientID", "NEW"),))).rows) == 1


def test_two_spellings_of_one_patient_are_both_found_and_shown_as_matched(index: Index) -> None:
    one = attributes({"PatientID": "H1", "PatientName": "Gomez^Ana"})
    other = attributes({"PatientID": "H1", "PatientName": "Gómez Ruiz^Ana"})
    fill(index, [study(1, Patient(1, one)), study(2, Patient(1, other))])

    (row,) = ask(index, PATIENT).rows
    assert row.attributes["00100010"]["Value"] == [{"Alphabetic": "Gómez Ruiz^Ana"}]
    for text in ("Gomez^Ana", "Gómez Ruiz^Ana"):
        (row,) = ask(index, Query(Level.PATIENT, (key("PatientName", text),))).rows
        assert row.attributes["00100010"]["Value"] == [{"Alphabetic": text}]
        assert row.attributes["00201200"]["Value"] == [2]


def test_studies_without_an_id_are_patients_of_their_own(index: Index) -> None:
    nameless = Patient(1, attributes({"PatientName": "Anon^"}))
    fill(index, [study(1, nameless), study(2, nameless)])

    rows = ask(index, Query(Level.PATIENT, (key("PatientID", '""'),))).rows

    assert [row.attributes["00201200"]["Value"] for row in rows] == [[1], [1]]


@pytest.mark.parametrize("limit", [1, 3, 50])
def test_pages_follow_each_other(index: Index, limit: int) -> None:
    everything = corpus.made(3, 30)
    fill(index, everything)
    whole = [row.attributes for row in ask(index, PATIENT).rows]
    found: list[Any] = []
    asked = replace(PATIENT, limit=limit)
    while True:
        page = ask(index, asked)
        found += [row.attributes for row in page.rows]
        if not page.remaining:
            break
        assert page.remaining == len(whole) - len(found)
        asked = replace(asked, after=page.cursor)

    assert found == whole
    skipped = ask(index, replace(PATIENT, limit=2, offset=3))
    assert [row.attributes for row in skipped.rows] == whole[3:5]
    assert ask(index, replace(PATIENT, limit=0)).remaining == len(whole)
    assert ask(index, replace(PATIENT, limit=0, offset=4)).remaining == len(whole) - 4


def test_more_is_told_of_a_patient_who_asks_for_it(index: Index) -> None:
    said = attributes({"PatientID": "H1", "PatientComments": "x", "OtherPatientIDs": ["A", "B"]})
    fill(index, [study(1, Patient(1, said))])

    rows = [
        ask(index, replace(PATIENT, include=include)).rows[0].attributes
        for include in ((), ((0x00104000,), (0x00080020,)), "all")
    ]

    assert [("00104000" in row, "00101000" in row) for row in rows] == [
        (False, False),
        (True, False),
        (True, True),
    ]
    assert all(list(row) == sorted(row) and "00080020" not in row for row in rows)


@pytest.mark.parametrize("keyword", ["StudyDate", "Modality", "PatientComments", "Rows"])
def test_what_patients_are_not_found_by_is_refused(index: Index, keyword: str) -> None:
    with pytest.raises(InvalidValue, match="patients are found by"):
        ask(index, Query(Level.PATIENT, (key(keyword, ""),)), EVERYBODY)

"""Which patient an identifier means, through merges and corrections ended in any order."""

from __future__ import annotations

import threading
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.index.standing import STAMP, dump, organisation, patient, person, study
from vna.errors import Conflict, NotFound
from vna.index import identity, overlays, patient_operations, patient_shown
from vna.index import tables as t
from vna.index.engine import Index, Session
from vna.model.caller import DEFAULT_PARTITION
from vna.model.patient import PatientIdentifier

A, B, C, D = (PatientIdentifier("SNS", value) for value in "ABCD")
WHO = {"A": A, "B": B, "C": C, "D": D}


@pytest.fixture
def people(index: Index) -> Index:
    """Four patients with a study each."""
    _fill(index)
    return index


def _fill(index: Index) -> None:
    def four(session: Session) -> None:
        for number, (value, who) in enumerate(WHO.items(), start=1):
            said = patient(session, who, person(f"NAME^{value}", value))
            study(session, f"1.2.{number}", said)

    index.transact(four)


def key(session: Session, who: PatientIdentifier) -> int:
    return identity.find(session, DEFAULT_PARTITION, who)


def merge(index: Index, source: str, target: str, operation: str) -> None:
    def work(session: Session) -> None:
        one, other = key(session, WHO[source]), key(session, WHO[target])
        said = identity.own_demographics(session, other)
        patient_operations.merge(session, one, other, said, operation=operation, **STAMP)

    index.transact(work)


def correct(index: Index, who: str, edits: dict[str, Any], operation: str) -> None:
    def work(session: Session) -> None:
        each = key(session, WHO[who])
        base = identity.own_demographics(session, each)
        patient_operations.correct(session, each, base, edits, operation=operation, **STAMP)

    index.transact(work)


def end(index: Index, ended: str, operation: str) -> None:
    index.transact(
        lambda session: patient_operations.end(session, ended, operation=operation, **STAMP)
    )


def shown(index: Index) -> dict[str, tuple[int, str | None]]:
    """What says what is shown: for each identifier its patient and the name shown instead."""
    with index.reading() as session:
        found = session.execute(
            select(t.identifier.c.value, t.patient_link.c.patient_fk, t.demographics.c.attributes)
            .join(t.patient_link, t.patient_link.c.identifier_fk == t.identifier.c.pk)
            .outerjoin(t.demographics, t.demographics.c.pk == t.patient_link.c.shown_fk)
            .where(t.patient_link.c.until == 0)
        ).all()
    names = {
        row.value: None
        if row.attributes is None
        else orjson.loads(row.attributes)["00100010"]["Value"][0]["Alphabetic"]
        for row in found
    }
    assert len(found) == len(names), "an identifier has one open link"
    return {row.value: (row.patient_fk, names[row.value]) for row in found}


def test_a_merged_identifier_shows_the_patient_it_was_merged_into(people: Index) -> None:
    before = shown(people)
    merge(people, "A", "B", "m1")
    assert shown(people) == {**before, "A": (before["B"][0], "NAME^B")}
    with people.reading() as session:
        a = session.execute(select(t.study.c.pk).where(t.study.c.uid == "1.2.1")).scalar_one()
        b = session.execute(select(t.study.c.pk).where(t.study.c.uid == "1.2.2")).scalar_one()
        edits = {
            edit.path: edit.value for edit in overlays.edits_of_study(session, a).patient.edits
        }
        assert edits["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "NAME^B"}]}
        assert edits["00100020"] == {"vr": "LO", "Value": ["B"]}
        assert edits["00100030"] is None, "what the target does not say is removed"
        assert overlays.edits_of_study(session, b).patient == patient_shown.PatientShown()


def test_a_chain_of_merges_shows_its_end(people: Index) -> None:
    merge(people, "A", "B", "m1")
    merge(people, "B", "C", "m2")
    found = shown(people)
    assert found["A"] == found["B"] == (found["C"][0], "NAME^C")


def test_the_order_of_merging_a_chain_does_not_matter(people: Index) -> None:
    merge(people, "B", "C", "m1")
    merge(people, "A", "B", "m2")
    found = shown(people)
    assert found["A"] == found["B"] == (found["C"][0], "NAME^C")


def test_unmerging_the_first_of_a_chain_leaves_the_second(people: Index) -> None:
    before = shown(people)
    merge(people, "A", "B", "m1")
    merge(people, "B", "C", "m2")
    end(people, "m1", "u1")
    assert shown(people) == {**before, "B": (before["C"][0], "NAME^C")}


def test_a_merge_and_its_end_touch_no_study_series_or_instance_row(people: Index) -> None:
    tables = ("item", "study", "series", "instance", "sop", "overlay", "overlay_head")
    rows, links = dump(people, *tables), shown(people)
    merge(people, "A", "B", "m1")
    assert dump(people, *tables) == rows
    end(people, "m1", "u1")
    assert dump(people, *tables) == rows
    assert shown(people) == links


def test_links_are_dated_and_closed_not_rewritten(people: Index) -> None:
    merge(people, "A", "B", "m1")
    end(people, "m1", "u1")
    with people.reading() as session:
        a = key(session, A)
        rows = session.execute(
            select(t.patient_link.c.operation, t.patient_link.c.until)
            .where(t.patient_link.c.identifier_fk == a)
            .order_by(t.patient_link.c.pk)
        ).all()
    assert [(row.operation, row.until > 0) for row in rows] == [
        ("", True),
        ("m1", True),
        ("u1", False),
    ]


def test_merges_that_cannot_be_are_refused(people: Index) -> None:
    merge(people, "A", "B", "m1")
    for source, target in (("A", "A"), ("A", "B"), ("A", "C"), ("B", "A")):
        with pytest.raises(Conflict):
            merge(people, source, target, "m2")
    end(people, "m1", "u1")
    with pytest.raises(Conflict):
        end(people, "m1", "u2")
    with pytest.raises(NotFound):
        end(people, "m9", "u3")


def test_a_correction_shows_other_values_for_the_whole_patient(people: Index) -> None:
    merge(people, "A", "B", "m1")
    name = {"vr": "PN", "Value": [{"Alphabetic": "RIGHT^NAME"}]}
    correct(people, "B", {"00100010": name}, "c1")
    assert shown(people)["A"][1] == shown(people)["B"][1] == "RIGHT^NAME"
    correct(people, "B", {"00100020": None}, "c2")
    with people.reading() as session:
        said = identity.shown_demographics(session, key(session, A))
    assert said == {"00100010": name}
    end(people, "c1", "u1")
    assert shown(people)["B"][1] == "NAME^B", "the second correction stands without the first"
    end(people, "c2", "u2")
    assert shown(people)["B"][1] is None
    assert shown(people)["A"][1] == "NAME^B"


def test_a_patient_that_is_merged_away_is_not_corrected(people: Index) -> None:
    merge(people, "A", "B", "m1")
    with pytest.raises(Conflict):
        correct(people, "A", {"00100040": {"vr": "CS", "Value": ["F"]}}, "c1")


def test_a_caller_of_other_organisations_finds_no_patient(people: Index) -> None:
    def work(session: Session) -> None:
        mine, other = organisation(session, "HRU"), organisation(session, "OTHER")
        identity.require_visible(session, key(session, A), frozenset([mine]))
        with pytest.raises(NotFound):
            identity.require_visible(session, key(session, A), frozenset([other]))

    people.transact(work)


def test_merges_at_once_never_make_a_circle(people: Index) -> None:
    pairs = [("A", "B"), ("B", "C"), ("C", "A"), ("D", "A"), ("A", "D")]
    outcomes: list[str] = []

    def try_merge(number: int, source: str, target: str) -> None:
        try:
            merge(people, source, target, f"m{number}")
            outcomes.append("merged")
        except Conflict:
            outcomes.append("refused")

    threads = [
        threading.Thread(target=try_merge, args=(number, *pair))
        for number, pair in enumerate(pairs)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == len(pairs)
    found = shown(people)
    merged = outcomes.count("merged")
    assert len({patient for patient, _ in found.values()}) == len(WHO) - merged
    assert merged >= 2


# ── against a slow oracle ────────────────────────────────────────────────────────────────────────

Step = tuple[str, str, str] | tuple[str, str] | int
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("merge"), st.sampled_from("ABCD"), st.sampled_from("ABCD")),
        st.tuples(st.just("correct"), st.sampled_from("ABCD")),
        st.integers(0, 6),  # end the operation of that number
    ),
    max_size=14,
)


class Oracle:
    """Says from the operations alone, step by step along the merges, what is shown."""

    def __init__(self) -> None:
        self.operations: list[tuple[str, str, str]] = []  # kind, source, target or name
        self.standing: list[bool] = []

    def target(self, source: str) -> str | None:
        for (kind, who, target), stands in zip(self.operations, self.standing, strict=True):
            if stands and kind == "merge" and who == source:
                return target
        return None

    def root(self, who: str) -> str:
        while (target := self.target(who)) is not None:
            who = target
        return who

    def name(self, who: str) -> str | None:
        root = self.root(who)
        names = [
            name
            for (kind, source, name), stands in zip(self.operations, self.standing, strict=True)
            if stands and kind == "correct" and source == root
        ]
        return names[-1] if names else None if who == root else f"NAME^{root}"


@given(steps=STEPS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_sequence_of_operations_shows_what_those_in_force_mean(
    people: Index, steps: list[Step]
) -> None:
    before = shown(people)
    oracle = Oracle()
    run = f"{id(steps)}-{len(dump(people, 'patient_operation')['patient_operation'])}"
    for number, step in enumerate(steps):
        _step(people, oracle, step, run, number)
        homes = {who: patient for who, (patient, _) in before.items()}
        expected = {who: (homes[oracle.root(who)], oracle.name(who)) for who in WHO}
        assert shown(people) == expected
    for number, stands in enumerate(oracle.standing):
        if stands:
            end(people, f"{run}-{number:02}", f"{run}-last-{number:02}")
    assert shown(people) == before


def _step(index: Index, oracle: Oracle, step: Step, run: str, number: int) -> None:
    operation = f"{run}-{len(oracle.operations):02}"
    if isinstance(step, int):
        if step < len(oracle.standing) and oracle.standing[step]:
            end(index, f"{run}-{step:02}", f"{run}-end-{number:02}")
            oracle.standing[step] = False
        return
    if step[0] == "merge":
        _, source, target = step  # type: ignore[misc]
        if oracle.target(source) is not None or oracle.root(source) == oracle.root(target):
            with pytest.raises(Conflict):
                merge(index, source, target, operation)
            return
        merge(index, source, target, operation)
        oracle.operations.append(("merge", source, target))
    else:
        who, name = step[1], f"CORRECTED^{number}"
        edits = {"00100010": {"vr": "PN", "Value": [{"Alphabetic": name}]}}
        if oracle.target(who) is not None:
            with pytest.raises(Conflict):
                correct(index, who, edits, operation)
            return
        correct(index, who, edits, operation)
        oracle.operations.append(("correct", who, name))
    oracle.standing.append(True)

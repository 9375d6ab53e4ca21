"""Corrections over rows: who wins, what is shown, and that withdrawing leaves nothing behind."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.index.standing import dump, patient, person, study
from vna.index import overlays
from vna.index import tables as t
from vna.index.engine import Index, Session
from vna.index.overlays import Target
from vna.index.refresh import refresh
from vna.model.archive import Rank
from vna.model.patient import PatientIdentifier
from vna.model.query import Level

DESCRIPTION, MODALITY, NUMBER = "00081030", "00080060", "00200013"
REQUEST = "00400275/1/00400009"
TABLES = {Level.STUDY: t.study, Level.SERIES: t.series, Level.INSTANCE: t.instance}


def text(vr: str, value: str | int) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]}


@pytest.fixture
def archive(index: Index) -> Index:
    """One study of two series of two instances."""

    def work(session: Session) -> None:
        said = patient(session, PatientIdentifier("", "A"), person("A^B", "A"))
        study(session, "1.2", said, series=2, instances=2)

    index.transact(work)
    return index


def target(session: Session, uid: str) -> Target:
    tables = {
        2: (Level.STUDY, t.study),
        3: (Level.SERIES, t.series),
        4: (Level.INSTANCE, t.instance),
    }
    level, table = tables[len(uid.split("."))]
    return level, session.execute(select(table.c.pk).where(table.c.uid == uid)).scalar_one()


def lay(
    index: Index,
    uid: str,
    values: dict[str, dict[str, Any] | None],
    operation: str,
    *,
    rank: Rank = Rank.HAND,
    at: int = 1,
) -> None:
    def work(session: Session) -> None:
        study_fk = target(session, "1.2")[1]
        where = target(session, uid)
        overlays.lay(
            session, where, values, rank, operation=operation, at=at, actor="ana", reason="r"
        )
        refresh(session, study_fk, {where: values})

    index.transact(work)


def withdraw(index: Index, operation: str) -> None:
    def work(session: Session) -> None:
        study_fk = target(session, "1.2")[1]
        changed: dict[Target, list[str]] = {}
        for row in overlays.withdraw(session, operation, 9):
            changed.setdefault((row.scope, row.target), []).append(row.path)
        refresh(session, study_fk, changed)

    index.transact(work)


def row(index: Index, uid: str) -> dict[str, Any]:
    with index.reading() as session:
        level, key = target(session, uid)
        found = (
            session.execute(select(TABLES[level]).where(TABLES[level].c.pk == key)).mappings().one()
        )
    return {**found, "attributes": orjson.loads(found["attributes"])}


def edits(index: Index, *uids: str) -> list[tuple[str, Any]]:
    with index.reading() as session:
        keys = [target(session, uid)[1] for uid in uids]
        one = overlays.edits_for(session, *keys)
        assert overlays.edits_of_study(session, keys[0]).of(*keys[1:]) == one
    return [(edit.path, edit.value and edit.value["Value"][0]) for edit in one]


def heads(index: Index) -> dict[tuple[int, int], int]:
    rows = dump(index, "overlay_head")["overlay_head"]
    return {(each["scope"], each["target_fk"]): each["version"] for each in rows}


def test_a_corrected_study_is_found_by_what_is_shown(archive: Index) -> None:
    day = text("DA", "20240102")
    lay(archive, "1.2", {DESCRIPTION: text("LO", "TÓRAX"), "00080020": day}, "o1")
    found = row(archive, "1.2")
    assert found["description"] == "TÓRAX"
    assert found["study_date"] == "20240102"
    assert found["attributes"][DESCRIPTION] == text("LO", "TÓRAX")
    assert orjson.loads(found["received"]) == {DESCRIPTION: text("LO", "CRANEO")}
    assert found["version"] == 1


def test_an_attribute_is_removed(archive: Index) -> None:
    lay(archive, "1.2", {DESCRIPTION: None}, "o1")
    assert row(archive, "1.2")["attributes"] == {}
    assert row(archive, "1.2")["description"] == ""
    assert edits(archive, "1.2", "1.2.1") == [(DESCRIPTION, None)]


def test_withdrawing_leaves_every_row_as_it_was(archive: Index) -> None:
    tables = ("study", "series", "instance", "series_request")
    before = dump(archive, *tables, without=("version", "pk"))
    lay(archive, "1.2", {DESCRIPTION: text("LO", "X"), MODALITY: text("CS", "MR")}, "o1")
    lay(archive, "1.2.1", {REQUEST: text("SH", "STEP1"), NUMBER: text("IS", 7)}, "o2")
    lay(archive, "1.2.2.1", {NUMBER: text("IS", 9)}, "o3")
    assert dump(archive, *tables, without=("version", "pk")) != before
    for operation in ("o2", "o1", "o3"):
        withdraw(archive, operation)
    assert dump(archive, *tables, without=("version", "pk")) == before


def test_a_series_attribute_corrected_at_the_study_reaches_every_series(archive: Index) -> None:
    lay(archive, "1.2", {MODALITY: text("CS", "MR")}, "o1")
    assert [row(archive, uid)["modality"] for uid in ("1.2.1", "1.2.2")] == ["MR", "MR"]
    assert row(archive, "1.2")["modalities"] == "MR"
    withdraw(archive, "o1")
    assert row(archive, "1.2")["modalities"] == "CT"


def test_an_item_of_the_request_sequence_is_found_after_its_correction(archive: Index) -> None:
    lay(archive, "1.2.2", {REQUEST: text("SH", "STEP1")}, "o1")
    rows = dump(archive, "series_request")["series_request"]
    assert [each["scheduled_step_id"] for each in rows] == ["STEP1"]


def test_an_instance_is_corrected_alone(archive: Index) -> None:
    lay(archive, "1.2.1.2", {NUMBER: text("IS", 40)}, "o1")
    assert row(archive, "1.2.1.2")["number_order"] == 40
    assert row(archive, "1.2.1.1")["number_order"] == 1
    assert edits(archive, "1.2", "1.2.1", "1.2.1.2") == [(NUMBER, 40)]
    assert edits(archive, "1.2", "1.2.1", "1.2.1.1") == []


def test_the_highest_rank_wins_then_the_latest(archive: Index) -> None:
    lay(archive, "1.2", {DESCRIPTION: text("LO", "HAND")}, "o1", at=1)
    lay(archive, "1.2", {DESCRIPTION: text("LO", "FEED")}, "o2", rank=Rank.FEED, at=2)
    assert row(archive, "1.2")["description"] == "HAND"
    lay(archive, "1.2", {DESCRIPTION: text("LO", "LATER")}, "o3", at=3)
    assert row(archive, "1.2")["description"] == "LATER"
    withdraw(archive, "o3")
    withdraw(archive, "o1")
    assert row(archive, "1.2")["description"] == "FEED"


def test_every_correction_makes_what_was_made_of_the_series_stale(archive: Index) -> None:
    with archive.reading() as session:
        study_key = target(session, "1.2")
        first, second = target(session, "1.2.1"), target(session, "1.2.2")
    lay(archive, "1.2.1.1", {NUMBER: text("IS", 9)}, "o1")
    assert heads(archive) == {study_key: 1, first: 1}
    lay(archive, "1.2", {DESCRIPTION: text("LO", "X")}, "o2")
    assert heads(archive) == {study_key: 2, first: 2, second: 1}
    withdraw(archive, "o2")
    assert heads(archive) == {study_key: 3, first: 3, second: 2}
    assert row(archive, "1.2.2")["version"] == 2


def test_the_history_keeps_what_was_withdrawn(archive: Index) -> None:
    lay(archive, "1.2.1.1", {NUMBER: text("IS", 9)}, "o1", at=2)
    lay(archive, "1.2", {DESCRIPTION: None}, "o2", at=1)
    withdraw(archive, "o1")
    with archive.reading() as session:
        rows = overlays.of_study(session, target(session, "1.2")[1])
    assert [(each.operation, each.withdrawn_at) for each in rows] == [("o2", 0), ("o1", 9)]


Laid = tuple[str, str, int, Rank, bool]
LAID = st.lists(
    st.tuples(
        st.sampled_from(["1.2", "1.2.1", "1.2.2", "1.2.1.1", "1.2.1.2"]),
        st.sampled_from([NUMBER, "00080022"]),
        st.integers(1, 3),  # time
        st.sampled_from(list(Rank)),
        st.booleans(),  # whether it is withdrawn at the end
    ),
    min_size=1,
    max_size=8,
)


@given(laid=LAID)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_each_instance_shows_the_winner_among_all_that_reach_it(
    archive: Index, laid: list[Laid]
) -> None:
    run = len(dump(archive, "overlay")["overlay"])
    for number, (uid, path, at, rank, _) in enumerate(laid):
        value = text("IS" if path == NUMBER else "DA", number)
        lay(archive, uid, {path: value}, f"{run:06}-{number}", rank=rank, at=at)
    for number, each in enumerate(laid):
        if each[4]:
            withdraw(archive, f"{run:06}-{number}")
    for uid in ("1.2.1.1", "1.2.1.2", "1.2.2.1"):
        reach = [
            ((rank, at, number), path, number)
            for number, (over, path, at, rank, gone) in enumerate(laid)
            if not gone and (uid == over or uid.startswith(f"{over}."))
        ]
        wanted = {path: number for _, path, number in sorted(reach)}
        assert dict(edits(archive, "1.2", uid[:5], uid)) == wanted
        said = row(archive, uid)["attributes"]
        assert said.get(NUMBER) == text("IS", wanted.get(NUMBER, int(uid[-1])))
        assert (said.get("00080022") or {}).get("Value") == (
            [wanted["00080022"]] if "00080022" in wanted else None
        )
    for number in range(len(laid)):
        withdraw(archive, f"{run:06}-{number}")

"""A correction is seen by everyone who searches, reads metadata or retrieves, and by no byte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.services.desk import Desk, image
from tests.services.house import CALLER, House
from vna.errors import Conflict, Forbidden, Gone, InvalidValue, NotFound
from vna.model.caller import Right
from vna.services.corrections import Correction, Scope

STUDY = "1.2.7"
FIRST = "1.2.7.1.1"


@pytest.fixture
def desk(house: House) -> Iterator[Desk]:
    made = Desk(house)
    house.send(image(FIRST), image("1.2.7.1.2"), image("1.2.7.2.1"))
    yield made
    made.close()


def described(desk: Desk, value: str | None = "TÓRAX", scope: Scope | None = None) -> str:
    values = None if value is None else [value]
    return desk.corrections.correct(
        CALLER, scope or Scope(STUDY), [Correction("StudyDescription", values)], "wrong region"
    )


def test_a_corrected_study_is_found_read_and_retrieved_as_corrected(desk: Desk) -> None:
    before = desk.bytes_of(STUDY, original=True)
    described(desk)
    assert desk.studies(StudyDescription="TÓRAX") == [STUDY]
    assert desk.studies(StudyDescription="CRANEO") == []
    assert {each["00081030"]["Value"][0] for each in desk.json(STUDY)} == {"TÓRAX"}
    for file in desk.files(STUDY):
        assert file.StudyDescription == "TÓRAX"
        (was,) = file.OriginalAttributesSequence
        assert was.ModifiedAttributesSequence[0].StudyDescription == "CRANEO"
    assert desk.bytes_of(STUDY, original=True) == before
    assert {file.StudyDescription for file in desk.files(STUDY, original=True)} == {"CRANEO"}


def test_withdrawing_shows_what_was_received(desk: Desk) -> None:
    before = desk.json(STUDY), desk.bytes_of(STUDY, original=False)
    operation = described(desk)
    assert desk.json(STUDY) != before[0]
    desk.corrections.withdraw(CALLER, operation, "it was right")
    assert (desk.json(STUDY), desk.bytes_of(STUDY, original=False)) == before
    assert desk.studies(StudyDescription="CRANEO") == [STUDY]
    with pytest.raises(Conflict):
        desk.corrections.withdraw(CALLER, operation, "again")


def test_an_instance_is_corrected_alone(desk: Desk) -> None:
    scope = Scope(STUDY, f"{STUDY}.1", FIRST)
    desk.corrections.correct(CALLER, scope, [Correction("InstanceNumber", ["40"])], "order")
    assert desk.instances(InstanceNumber="40") == [FIRST]
    numbers = {
        each["00080018"]["Value"][0]: each["00200013"]["Value"][0] for each in desk.json(STUDY)
    }
    assert numbers == {FIRST: 40, "1.2.7.1.2": 2, "1.2.7.2.1": 1}


def test_what_arrives_later_is_corrected_too(desk: Desk) -> None:
    modality = [Correction("Modality", ["MR"]), Correction("StudyDescription", ["TÓRAX"])]
    desk.corrections.correct(CALLER, Scope(STUDY), modality, "wrong worklist entry")
    desk.house.send(image("1.2.7.1.9"), image("1.2.7.3.1"))
    assert {each["00080060"]["Value"][0] for each in desk.json(STUDY)} == {"MR"}
    assert len(desk.instances(Modality="MR")) == 5
    assert desk.studies(ModalitiesInStudy="CT") == []
    assert desk.studies(StudyDescription="TÓRAX") == [STUDY]


def test_each_overlay_is_listed_with_what_became_of_it(desk: Desk) -> None:
    first = described(desk, "A")
    second = described(desk, "B")
    scope = Scope(STUDY, f"{STUDY}.1", FIRST)
    desk.corrections.correct(CALLER, scope, [Correction("InstanceNumber", ["40"])], "order")
    desk.corrections.withdraw(CALLER, second, "no")
    found = desk.corrections.find(CALLER, Scope(STUDY))
    assert [(each.operation, each.in_force, each.withdrawn_at > 0) for each in found[:2]] == [
        (first, True, False),
        (second, False, True),
    ]
    assert (found[2].keyword, found[2].scope) == ("InstanceNumber", scope)
    assert desk.corrections.find(CALLER, Scope(STUDY, f"{STUDY}.2")) == []


def test_an_attribute_is_corrected_where_it_belongs(desk: Desk) -> None:
    series = Scope(STUDY, f"{STUDY}.1")
    for correction in (
        Correction("StudyDescription", ["X"]),
        Correction("PatientName", ["X"]),
        Correction("SeriesInstanceUID", ["1.2"]),
        Correction("Rows", ["3"]),
    ):
        with pytest.raises(Conflict):
            desk.corrections.correct(CALLER, series, [correction], "r")
    for bad in ([], [Correction("StudyDate", ["yesterday"])], [Correction("StudyDate", None)] * 2):
        with pytest.raises(InvalidValue):
            desk.corrections.correct(CALLER, Scope(STUDY), bad, "r")
    assert desk.events() == []


def test_who_may_not_correct_does_not(desk: Desk) -> None:
    reader = replace(CALLER, rights=frozenset({Right.READ}))
    other = replace(CALLER, organisations=frozenset({999}))
    correction = [Correction("StudyDescription", ["X"])]
    with pytest.raises(Forbidden):
        desk.corrections.correct(reader, Scope(STUDY), correction, "r")
    with pytest.raises(NotFound):
        desk.corrections.correct(other, Scope(STUDY), correction, "r")
    operation = described(desk)
    with pytest.raises(NotFound):
        desk.corrections.withdraw(other, operation, "r")
    desk.trash.put(CALLER, "r", study_uid=STUDY)
    with pytest.raises(Gone):
        desk.corrections.correct(CALLER, Scope(STUDY), correction, "r")


def test_a_correction_is_an_event_in_the_store_an_audit_row_and_a_change(desk: Desk) -> None:
    operation = described(desk)
    (event,) = desk.events()
    assert event["operation"] == operation
    assert (event["kind"], event["reason"]) == ("correct", "wrong region")
    assert event["data"] == {
        "rank": "hand",
        "study": STUDY,
        "values": {"00081030": {"vr": "LO", "Value": ["TÓRAX"]}},
    }
    (audited,) = [row for row in desk.house.rows("audit") if row["action"] == "correct"]
    assert (audited["target"], audited["caller"]) == (STUDY, CALLER.name)
    with desk.house.index.reading() as session:
        from vna.index import feed

        last = feed.read(session, CALLER, after=0, limit=1000)[-1]
    assert (last.kind, last.study_uid, last.detail) == (
        "study corrected",
        STUDY,
        {"operation": operation},
    )

"""What is held is shown to nobody until somebody decides, and then without a changed byte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.services.desk import Desk, image
from tests.services.house import CALLER, House
from vna.errors import Conflict, Forbidden, NotFound
from vna.model.archive import Disposition, HeldReason
from vna.model.caller import Right

STANDING = "1.2.1.1.1"


@pytest.fixture
def desk(house: House) -> Iterator[Desk]:
    """A study of patient PA stands."""
    made = Desk(house)
    house.send(image(STANDING, "PA", "GARCÍA^ANA", PatientSex="F"))
    yield made
    made.close()


def hold(desk: Desk, *objects: bytes) -> list[int]:
    """Send objects that are held; their ids."""
    known = {each.id for each in desk.held.find(CALLER)}
    for outcome in desk.house.send(*objects):
        assert outcome.disposition is Disposition.HELD
    return [each.id for each in desk.held.find(CALLER) if each.id not in known]


def of_another_patient(uid: str = "1.2.1.1.2") -> bytes:
    return image(uid, "PB", "LÓPEZ^LUIS", PatientBirthDate="19800101")


def in_another_series() -> bytes:
    return image(STANDING, "PA", "GARCÍA^ANA", SeriesInstanceUID="1.2.1.9", InstanceNumber="7")


def in_another_study() -> bytes:
    return image("1.2.9.1.5", "PA", "GARCÍA^ANA", SeriesInstanceUID="1.2.1.1")


def test_what_is_held_is_listed_with_what_it_conflicts_with(desk: Desk) -> None:
    hold(desk, of_another_patient(), in_another_series(), in_another_study())
    found = desk.held.find(CALLER)
    assert [each.reason for each in found] == [
        HeldReason.OTHER_PATIENT,
        HeldReason.SOP_ELSEWHERE,
        HeldReason.SERIES_ELSEWHERE,
    ]
    assert found[0].patient["00100020"]["Value"] == ["PB"]
    assert found[1].detail == {"study": "1.2.1", "series": "1.2.1.1"}
    assert desk.held.find(CALLER, reason=HeldReason.SOP_ELSEWHERE) == [found[1]]
    assert desk.held.find(CALLER, study_uid="1.2.9") == [found[2]]
    assert desk.held.find(CALLER, after=found[1].id) == [found[2]]
    assert desk.held.show(CALLER, found[0].id) == found[0]
    assert desk.instances() == [STANDING]


def test_released_into_the_existing_study_it_shows_that_studys_patient(desk: Desk) -> None:
    (id,) = hold(desk, of_another_patient())
    released = desk.held.release(CALLER, id, "existing", "wrong worklist entry")
    assert (released.study_uid, released.sop_uid) == ("1.2.1", "1.2.1.1.2")
    assert sorted(desk.instances(PatientID="PA")) == [STANDING, "1.2.1.1.2"]
    assert desk.instances(PatientID="PB") == []
    for file in desk.files("1.2.1"):
        assert (file.PatientID, file.PatientName, file.PatientSex) == ("PA", "GARCÍA^ANA", "F")
        assert "PatientBirthDate" not in file
    assert {each["00100020"]["Value"][0] for each in desk.json("1.2.1")} == {"PA"}
    assert of_another_patient() in desk.bytes_of("1.2.1", original=True)
    assert desk.held.find(CALLER) == []
    (row,) = desk.held.find(CALLER, resolved=True)
    assert (row.resolution, row.actor) == ("existing", CALLER.name)


def test_all_instances_of_one_wrong_study_land_together_in_a_new_one(desk: Desk) -> None:
    first, second, third = (
        hold(desk, of_another_patient(uid))[0] for uid in ("1.2.1.1.3", "1.2.1.1.2", "1.2.1.5.1")
    )
    released = [desk.held.release(CALLER, id, "new", "r") for id in (first, second, third)]
    (study,) = {each.study_uid for each in released}
    assert study.startswith("2.25.")
    assert len(study) <= 64
    assert released[0].series_uid == released[1].series_uid != "1.2.1.1"
    assert (released[1].sop_uid, released[2].series_uid) == ("1.2.1.1.2", "1.2.1.5")
    assert desk.studies(PatientID="PB") == [study]
    assert desk.studies(PatientID="PA") == ["1.2.1"]
    for file in desk.files(study):
        assert (file.StudyInstanceUID, file.PatientID) == (study, "PB")
        assert file.file_meta.MediaStorageSOPInstanceUID == file.SOPInstanceUID
    shown = {each["00080018"]["Value"][0] for each in desk.json(study)}
    assert shown == {each.sop_uid for each in released}
    assert of_another_patient("1.2.1.1.3") in desk.bytes_of(study, original=True)
    assert desk.house.count("object") == 4


def test_a_uid_in_use_is_replaced_when_its_object_is_released(desk: Desk) -> None:
    (id,) = hold(desk, in_another_series())
    released = desk.held.release(CALLER, id, "existing", "a copy with the same UID")
    assert released.series_uid == "1.2.1.9"
    assert released.sop_uid.startswith("2.25.")
    assert sorted(desk.instances()) == sorted([STANDING, released.sop_uid])
    assert desk.instances(InstanceNumber="7") == [released.sop_uid]


def test_a_series_in_two_studies_is_joined_or_told_apart(desk: Desk) -> None:
    (id,) = hold(desk, in_another_study())
    joined = desk.held.release(CALLER, id, "existing", "r")
    assert (joined.study_uid, joined.series_uid) == ("1.2.1", "1.2.1.1")
    assert {file.StudyInstanceUID for file in desk.files("1.2.1")} == {"1.2.1"}
    (id,) = hold(desk, image("1.2.9.1.6", "PA", "GARCÍA^ANA", SeriesInstanceUID="1.2.1.1"))
    apart = desk.held.release(CALLER, id, "new", "r")
    assert apart.study_uid == "1.2.9"
    assert apart.series_uid.startswith("2.25.")


def test_sending_it_again_after_its_release_changes_nothing(desk: Desk) -> None:
    data = in_another_series()
    (id,) = hold(desk, data)
    desk.held.release(CALLER, id, "new", "r")
    (again,) = desk.house.send(data)
    assert again.disposition is Disposition.SAME
    assert desk.held.find(CALLER) == []
    assert len(desk.instances()) == 2


def test_a_discarded_object_is_kept_and_stays_hidden(desk: Desk) -> None:
    (id,) = hold(desk, of_another_patient())
    desk.held.discard(CALLER, id, "test object")
    assert desk.held.find(CALLER) == []
    assert desk.instances() == [STANDING]
    assert desk.house.count("object") == 2
    (again,) = desk.house.send(of_another_patient())
    assert again.disposition is Disposition.HELD
    assert desk.held.find(CALLER) == []


def test_nothing_is_decided_twice(desk: Desk) -> None:
    (id,) = hold(desk, of_another_patient())
    desk.held.release(CALLER, id, "existing", "r")
    with pytest.raises(Conflict):
        desk.held.release(CALLER, id, "new", "r")
    with pytest.raises(Conflict):
        desk.held.discard(CALLER, id, "r")
    with pytest.raises(NotFound):
        desk.held.discard(CALLER, 999, "r")


def test_nothing_is_released_into_the_trash(desk: Desk) -> None:
    (id,) = hold(desk, of_another_patient())
    desk.trash.put(CALLER, "r", study_uid="1.2.1")
    with pytest.raises(Conflict):
        desk.held.release(CALLER, id, "existing", "r")
    assert desk.held.release(CALLER, id, "new", "r").study_uid.startswith("2.25.")


def test_rights_and_organisations_are_respected(desk: Desk) -> None:
    (id,) = hold(desk, of_another_patient())
    reader = replace(CALLER, rights=frozenset({Right.READ}))
    other = replace(CALLER, organisations=frozenset({999}))
    with pytest.raises(Forbidden):
        desk.held.release(reader, id, "existing", "r")
    assert desk.held.find(other) == []
    for call in (
        lambda: desk.held.show(other, id),
        lambda: desk.held.release(other, id, "existing", "r"),
        lambda: desk.held.discard(other, id, "r"),
    ):
        with pytest.raises(NotFound):
            call()


def test_a_release_is_an_event_and_the_object_is_still_a_whole_one(desk: Desk) -> None:
    (id,) = hold(desk, of_another_patient())
    released = desk.held.release(CALLER, id, "new", "wrong entry")
    (event,) = desk.events()
    assert (event["kind"], event["operation"]) == ("held-release", released.operation)
    assert event["data"]["instance"] == "1.2.1.1.2"
    assert event["data"]["shown_as"]["study"] == released.study_uid
    assert set(event["data"]["edits"]) == {"0020000D", "0020000E"}
    open_matters = [
        row
        for row in desk.house.rows("attention")
        if row["kind"] == "held" and not row["resolved_at"]
    ]
    assert open_matters == []

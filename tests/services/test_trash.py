"""Deleting hides at once, is undone exactly, and becomes final only by a purge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.dicom.objects import written
from tests.services.desk import Desk, image
from tests.services.house import CALLER, House
from vna.errors import Conflict, Forbidden, Gone, InvalidValue, NotFound
from vna.index import trash as trash_rows
from vna.model.archive import Disposition, TrashKind
from vna.model.caller import Right

STUDY = "1.2.7"


@pytest.fixture
def desk(house: House) -> Iterator[Desk]:
    made = Desk(house)
    house.send(image("1.2.7.1.1"), image("1.2.7.1.2"), image("1.2.7.2.1"), image("1.2.8.1.1"))
    yield made
    made.close()


@pytest.mark.parametrize(
    ("named", "left"),
    [
        ({"study_uid": STUDY}, ["1.2.8.1.1"]),
        ({"series_uid": "1.2.7.1"}, ["1.2.7.2.1", "1.2.8.1.1"]),
        ({"sop_uid": "1.2.7.1.2"}, ["1.2.7.1.1", "1.2.7.2.1", "1.2.8.1.1"]),
        (
            {"study_uid": STUDY, "series_uid": "1.2.7.1", "sop_uid": "1.2.7.1.2"},
            ["1.2.7.1.1", "1.2.7.2.1", "1.2.8.1.1"],
        ),
    ],
)
def test_what_is_put_away_is_gone_until_it_is_restored(
    desk: Desk, named: dict[str, str], left: list[str]
) -> None:
    before = desk.json(STUDY)
    entry = desk.trash.put(CALLER, "sent by mistake", **named)
    assert sorted(desk.instances()) == left
    uid = named.get("sop_uid") or named.get("series_uid") or STUDY
    series = "1.2.7.1" if uid != STUDY else None
    with pytest.raises(Gone):
        desk.retrieve.instances(CALLER, STUDY, series, named.get("sop_uid"))
    with pytest.raises(Gone):
        desk.trash.put(CALLER, "again", **named)
    assert desk.trash.find(CALLER) == [entry]
    desk.trash.restore(CALLER, entry.id)
    assert desk.json(STUDY) == before
    assert len(desk.instances()) == 4
    assert desk.trash.find(CALLER) == []


def test_a_study_whose_instances_are_all_put_away_is_not_found(desk: Desk) -> None:
    desk.trash.put(CALLER, "r", sop_uid="1.2.8.1.1")
    assert desk.studies() == [STUDY]
    with pytest.raises(Gone):
        desk.retrieve.instances(CALLER, "1.2.8")
    with pytest.raises(Gone):
        desk.json("1.2.8")


def test_what_lies_in_the_trash_and_is_sent_again_stays_hidden(desk: Desk) -> None:
    entry = desk.trash.put(CALLER, "r", series_uid="1.2.7.1")
    same, new = desk.house.send(image("1.2.7.1.1"), image("1.2.7.1.3"))
    assert (same.disposition, new.disposition) == (Disposition.HIDDEN, Disposition.HIDDEN)
    assert sorted(desk.instances()) == ["1.2.7.2.1", "1.2.8.1.1"]
    row = next(row for row in desk.house.rows("study") if row["uid"] == STUDY)
    assert (row["series_count"], row["instance_count"]) == (1, 1)
    desk.trash.restore(CALLER, entry.id)
    row = next(row for row in desk.house.rows("study") if row["uid"] == STUDY)
    assert (row["series_count"], row["instance_count"]) == (2, 4)


def test_a_purge_says_what_it_would_do_and_does_it_only_when_told(desk: Desk) -> None:
    entry = desk.trash.put(CALLER, "r", study_uid=STUDY)
    assert desk.trash.purge(CALLER) == [], "its grace is not over"
    (plan,) = desk.trash.purge(CALLER, ignore_grace=True)
    assert (plan.instances, plan.objects, plan.refused, plan.purged) == (3, 3, "", False)
    assert plan.size == sum(len(image(f"1.2.7.{end}")) for end in ("1.1", "1.2", "2.1"))
    assert desk.house.count("instance") == 4
    assert desk.trash.purge(CALLER, dry_run=False) == []
    (done,) = desk.trash.purge(CALLER, dry_run=False, ignore_grace=True, id=entry.id)
    assert done.purged
    assert done.entry.purged_at > 0
    assert desk.house.count("instance") == 1
    with pytest.raises(Gone):
        desk.retrieve.instances(CALLER, STUDY)
    with pytest.raises(Conflict):
        desk.trash.restore(CALLER, entry.id)


def test_the_grace_ends_by_the_clock_of_the_database(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trash_rows, "GRACE", 0)
    desk.trash.put(CALLER, "r", study_uid=STUDY)
    (done,) = desk.trash.purge(CALLER, dry_run=False)
    assert done.purged


def test_what_was_purged_can_be_stored_anew(desk: Desk) -> None:
    desk.trash.put(CALLER, "r", study_uid=STUDY)
    desk.trash.purge(CALLER, dry_run=False, ignore_grace=True)
    (again,) = desk.house.send(image("1.2.7.1.1"))
    assert again.disposition is Disposition.NEW
    assert sorted(desk.instances()) == ["1.2.7.1.1", "1.2.8.1.1"]
    assert desk.bytes_of(STUDY, original=True) == [image("1.2.7.1.1")]


def test_the_file_of_a_large_object_is_removed_by_its_purge(house: House) -> None:
    desk = Desk(house)
    house.send(written(SOPInstanceUID="1.2.3.4.6", PixelData=bytes(9 << 20)), image("1.2.8.1.1"))
    raw = [key for key in house.files if key.startswith("big/")]
    assert len(raw) == 2
    desk.trash.put(CALLER, "r", sop_uid="1.2.3.4.6")
    desk.trash.purge(CALLER, dry_run=False, ignore_grace=True)
    assert [key for key in house.files if key.startswith("big/")] == []
    assert desk.instances() == ["1.2.8.1.1"]
    desk.close()


def test_every_step_is_an_event_in_the_store(desk: Desk) -> None:
    entry = desk.trash.put(CALLER, "sent by mistake", series_uid="1.2.7.1")
    assert (entry.kind, entry.uid, entry.reason) == (TrashKind.SERIES, "1.2.7.1", "sent by mistake")
    assert entry.purge_after - entry.at == 30 * 24 * 3600 * 1000
    desk.trash.restore(CALLER, entry.id)
    desk.trash.put(CALLER, "r", series_uid="1.2.7.1")
    desk.trash.purge(CALLER, dry_run=False, ignore_grace=True, reason="asked for")
    events = desk.events()
    assert [event["kind"] for event in events] == ["trash", "restore", "trash", "purge"]
    assert {event["data"]["uid"] for event in events} == {"1.2.7.1"}
    assert events[-1]["reason"] == "asked for"
    actions = [row["action"] for row in desk.house.rows("audit") if row["action"] != "receive"]
    assert actions == ["trash", "restore", "trash", "purge"]


def test_rights_and_organisations_are_respected(desk: Desk) -> None:
    reader = replace(CALLER, rights=frozenset({Right.READ}))
    corrector = replace(CALLER, rights=frozenset({Right.READ, Right.CORRECT}))
    other = replace(CALLER, organisations=frozenset({999}))
    entry = desk.trash.put(corrector, "r", study_uid=STUDY)
    for call in (
        lambda: desk.trash.put(reader, "r", study_uid=STUDY),
        lambda: desk.trash.restore(reader, entry.id),
        lambda: desk.trash.purge(reader),
        lambda: desk.trash.purge(corrector, ignore_grace=True),
    ):
        with pytest.raises(Forbidden):
            call()
    assert desk.trash.find(other) == []
    for missing in (
        lambda: desk.trash.put(other, "r", study_uid="1.2.8"),
        lambda: desk.trash.restore(other, entry.id),
        lambda: desk.trash.purge(other, dry_run=False, ignore_grace=True, id=entry.id),
    ):
        with pytest.raises(NotFound) as refused:
            missing()
        assert not isinstance(refused.value, Gone)
    with pytest.raises(InvalidValue):
        desk.trash.put(CALLER, "r")

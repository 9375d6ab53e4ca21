"""The verbs about application entities, rules of routing, the queue and the log."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Vna
from vna.app.archive import Archive
from vna.cli.exits import Exit
from vna.cli.region import content
from vna.config import Settings
from vna.model.association import Association, Ending
from vna.model.caller import DEFAULT_PARTITION, local_administrator

CHEST_CT = content.CHEST_CT.uid


@pytest.fixture
def called(region: Vna, data: Path) -> Vna:
    """The region, that somebody called who was not let in."""
    ended = Association(
        began_at=1_800_000_000_000,
        ended_at=1_800_000_001_000,
        direction="in",
        calling="CT-NEW",
        called="VNA",
        address="10.0.0.7",
        implementation_uid="1.2.3",
        implementation_version="MAKER",
        offered=(("1.2.840.10008.1.1", ("1.2.840.10008.1.2",)),),
        accepted=(),
        counts={"C-STORE": {"0000": 2, "A900": 1}},
        bytes_received=10,
        bytes_sent=20,
        ending=Ending.REJECTED,
        why="calling AE title 'CT-NEW' is not known",
    )
    with Archive.open(Settings(data=data)) as archive:
        reason = archive.peers.unknown(DEFAULT_PARTITION, "CT-NEW")
        archive.peers.refused(DEFAULT_PARTITION, "CT-NEW", "10.0.0.7", "VNA", reason)
        archive.association_log.record(ended)
    return region


def test_an_ae_is_added_changed_shown_and_removed(region: Vna) -> None:
    made = region("ae", "add", "CT1@10.0.0.5:104", "--services", "store,commit", "--tls").row
    assert (made["address"], made["services"]) == ("10.0.0.5:104", ["commit", "store"])
    changed = region("ae", "add", "CT1", "--organisation", "hsa", "--duplicates", "reject").row
    assert changed == made | {"organisation": "hsa", "duplicates": "reject"}
    assert region("ae", "show", "CT1").row == changed
    assert region("ae", "list").rows == [changed]
    assert "10.0.0.5:104" in region("ae", "list", human=True).out
    assert region("ae", "add", "CT1", "--duplicates", "").row["duplicates"] == ""
    assert region("ae", "show", "CT2").code == Exit.NOT_FOUND
    assert "did you mean 'CT1'?" in region("ae", "show", "CT2").notes
    (rule,) = region("ae", "coerce", "CT1", "InstitutionName=Hospital Sud").rows
    assert rule == {"attribute": "InstitutionName", "value": "Hospital Sud"}
    both = region("ae", "coerce", "CT1", "StudyDescription=", "--remove", "StationName").rows
    assert [(each["attribute"], each["value"]) for each in both] == [
        ("InstitutionName", "Hospital Sud"),
        ("StationName", None),
        ("StudyDescription", ""),
    ]
    assert region("ae", "add", "CT1", "--description", "x").row["coercions"] == both
    assert region("ae", "coerce", "CT1", "--drop", "StudyDescription").rows == both[:2]
    assert region("ae", "coerce", "CT1", "--drop", "StudyDescription").code == Exit.NOT_FOUND
    assert region("ae", "coerce", "CT1", "PatientName=X").code == Exit.FAILED
    assert region("ae", "remove", "CT1").code == Exit.OK
    assert region("ae", "remove", "CT1").code == Exit.NOT_FOUND
    assert "No AE is known" in region("ae", "list", human=True).notes


@pytest.mark.parametrize(
    "words",
    [
        ("ae", "add", "A\\B"),
        ("ae", "add", "CT1@host"),
        ("ae", "add", "CT1", "--services", "stor"),
        ("ae", "add", "CT1", "--character-set", "UTF-8"),
        ("ae", "add", "CT1", "--duplicates", "maybe"),
        ("ae", "view", "add", "X", "--view", "raw"),
        ("ae", "view", "add", "X", "--view", "organisation"),
        ("route", "add", "r", "Modality", "--to", "ae:X"),
        ("route", "add", "r", "Modalit=CT", "--to", "ae:X"),
        ("route", "add", "r", "--to", "X"),
        ("route", "add", "r", "--to", "ae:X", "--on", "friday"),
        ("queue", "list", "--state", "lost"),
        ("queue", "retry"),
        ("queue", "drop", "--yes"),
        ("queue", "drop", "1"),
        ("dicom", "log", "--since", "May"),
    ],
)
def test_what_is_wrong_is_told(vna: Vna, words: tuple[str, ...]) -> None:
    vna("db", "upgrade")
    said = vna(*words)
    assert said.code == Exit.USAGE
    assert said.notes


def test_a_stranger_is_listed_with_the_reason_and_approved(called: Vna) -> None:
    (found,) = called("ae", "strangers").rows
    assert (found["title"], found["address"], found["times"]) == ("CT-NEW", "10.0.0.7", 1)
    assert found["reason"] == "calling AE title 'CT-NEW' is not known"
    assert "vna ae approve 'CT-NEW'" in called("ae", "strangers", human=True).notes
    made = called("ae", "approve", "CT-NEW", "--port", "104", "--organisation", "hsa").row
    assert (made["address"], made["organisation"]) == ("10.0.0.7:104", "hsa")
    assert called("ae", "strangers").rows == []
    assert called("ae", "approve", "CT-NEW").code == Exit.NOT_FOUND


def test_the_archive_answers_to_further_titles(region: Vna) -> None:
    made = region("ae", "view", "add", "VNA-RAW", "--view", "as-received").row
    assert region("ae", "view", "list").rows == [made]
    assert region("ae", "view", "remove", "VNA-RAW").code == Exit.OK
    assert region("ae", "view", "remove", "VNA-RAW").code == Exit.NOT_FOUND
    assert region("ae", "view", "list").rows == []


def test_a_rule_is_added_tried_and_rests(region: Vna) -> None:
    words = ("route", "add", "ct", "Modality=CT", "Modality=MR", "--to", "ae:PACS")
    said = region(*words, human=True)
    assert "It waits: AE title 'PACS' is not known" in said.notes
    region("ae", "add", "PACS@10.0.0.9:104")
    made = region(*words, "--priority", "3").row
    assert (made["where"], made["state"], made["on"]) == (
        {"Modality": ["CT", "MR"]},
        "on",
        "settled",
    )
    assert region("route", "list").rows == [made]
    trial = region("route", "try", "ct", "--study", CHEST_CT).row
    assert (trial["matched"], trial["instances"], trial["error"]) == (8, 9, "")
    assert len(trial["sop_uids"]) == 8
    assert region("route", "disable", "ct").row["state"] == "off"
    assert "disabled" in region("route", "try", "ct", "--study", CHEST_CT).row["error"]
    assert region("route", "enable", "ct").row["state"] == "on"
    region("route", "add", "none", "Modality=XA", "--to", "ae:PACS")
    assert region("route", "try", "none", "--study", CHEST_CT).code == Exit.NOT_FOUND
    assert region("route", "try", "none", "--study", "1.2.3").code == Exit.NOT_FOUND
    assert region("route", "remove", "ct").code == Exit.OK
    assert region("route", "remove", "ct").code == Exit.NOT_FOUND


def test_the_queue_is_listed_retried_and_dropped(region: Vna, data: Path) -> None:
    region("ae", "add", "PACS@10.0.0.9:104")
    with Archive.open(Settings(data=data)) as archive:
        assert archive.outgoing.enqueue(local_administrator("test"), "ae:PACS", CHEST_CT) == 9
        archive.outgoing.failed(archive.outgoing.claim("ae:PACS", 2), "connection refused")
    (counted,) = region("queue", "list", "--count").rows
    assert counted == {"to": "ae:PACS", "state": "waiting", "instances": 9}
    rows = region("queue", "list", "--to", "ae:PACS", "--study", CHEST_CT).rows
    assert [each["last_error"] for each in rows[:3]] == ["connection refused"] * 2 + [""]
    assert region("queue", "retry", str(rows[0]["id"])).row == {"retried": 1}
    assert "would drop to ae:PACS" in region("queue", "drop", "--to", "ae:PACS", "--dry-run").notes
    assert region("queue", "drop", "--to", "ae:PACS", "--yes").row == {"dropped": 9}
    assert region("queue", "list").rows == []
    assert region("queue", "list", "--state", "dead", human=True).notes == "The queue is empty.\n"


def test_the_log_tells_what_was_said_and_why_it_ended(called: Vna) -> None:
    (found,) = called("dicom", "log", "--failed", "--ae", "CT-NEW", "--since", "2020-01-01").rows
    assert (found["ending"], found["counts"]) == ("rejected", {"C-STORE": {"0000": 2, "A900": 1}})
    assert called("dicom", "log", str(found["id"])).row == found
    said = called("dicom", "log", human=True).out
    assert "0 of 1" in said
    assert "C-STORE A900 × 1" in said
    assert called("dicom", "log", "--ae", "NOBODY").rows == []
    assert called("dicom", "log", "4711").code == Exit.NOT_FOUND

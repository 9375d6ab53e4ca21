"""Every verb on the synthetic region: what it says, what it changes, and what it ends with."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.cli.conftest import Vna
from vna.cli.exits import Exit
from vna.cli.region import content
from vna.cli.region.objects import make_uid

CHEST_CT = content.CHEST_CT.uid


def test_the_region_has_a_version_a_held_object_and_documents(vna: Vna) -> None:
    first = vna("demo", "load")
    assert first.row["version"] == 1
    assert first.row["held"] == 1
    assert first.row["documents"] == 3
    again = vna("demo", "load")
    assert "new" not in again.row
    stats = vna("stats").row
    assert (stats["studies"], stats["instances"], stats["documents"]) == (10, 27, 3)
    assert (stats["patients"], stats["held"]) == (6, 1)


def test_search_finds_names_without_accents_and_says_when_nothing_matches(region: Vna) -> None:
    assert len(region("search", "studies", "PatientName=munoz*").rows) == 2
    assert len(region("search", "studies", "PatientName=begona", "--fuzzy").rows) == 2
    assert len(region("search", "series", "Modality=CT", "--include", "all").rows) == 1
    assert region("search", "studies", "PatientID=none").code == Exit.NOT_FOUND
    assert region("search", "studies", "PatientNam=x").code == Exit.USAGE
    said = region("search", "studies", "--limit", "4", human=True)
    assert len(said.out.splitlines()) == 5
    assert "6 follow: --offset 4" in said.notes


def test_an_attribute_is_made_searchable(region: Vna) -> None:
    asked = ("search", "series", "BodyPartExamined=CHEST")
    before = region(*asked).rows
    said = region("index-tag", "add", "BodyPartExamined").row
    assert (said["state"], said["studies"]) == ("complete", "10/10")
    assert region("index-tag", "list").row == said
    assert region(*asked).rows == before
    assert region("index-tag", "add", "BodyPartExaminde").code == Exit.USAGE
    assert region("index-tag", "remove", "BodyPartExamined").code == Exit.OK
    assert region("index-tag", "list").rows == []
    assert region("index-tag", "remove", "BodyPartExamined").code == Exit.NOT_FOUND


def test_show_goes_from_study_to_version_and_to_documents(region: Vna) -> None:
    study = region("show", CHEST_CT).row
    assert study["StudyDescription"] == "TC DE TÓRAX"
    assert {each["modality"] for each in study["series"]} == {"CT", "DOC"}
    (ct,) = [each["uid"] for each in study["series"] if each["modality"] == "CT"]
    assert len(region("show", ct).row["instances"]) == 8
    versions = region("show", make_uid(CHEST_CT, "CT", 1, 1)).row["versions"]
    assert [(each["version"], each["current"]) for each in versions] == [(1, True), (2, False)]
    uid = region("document", "list").row["uid"]
    assert region("show", uid).row["media_type"] == "application/pdf"
    assert region("show", "1.2.3").code == Exit.NOT_FOUND


def test_what_is_exported_is_what_was_received(region: Vna, tmp_path: Path) -> None:
    said = region("export", tmp_path / "out", "--original")
    assert (said.code, said.row["written"]) == (Exit.OK, 32)
    sent = [data for _, data in (*content.studies(), *content.conflicts())]
    sent += [paper.data for paper in content.papers()]
    digests = {hashlib.sha256(data).hexdigest() for data in sent}
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    found = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in files}
    assert digests <= set(found)
    assert len(found) == len(digests) + 1  # the manifest
    assert region("export", tmp_path / "out", "--original").row["present"] == 32


def test_a_flipped_byte_is_found_and_healed_by_sending_again(region: Vna, data: Path) -> None:
    assert region("verify").code == Exit.OK
    ct = next(content.studies())[1]
    for segment in (data / "store").rglob("*.vseg"):
        stored = bytearray(segment.read_bytes())
        if (start := stored.find(ct)) >= 0:
            stored[start + len(ct) - 10] ^= 1
            segment.write_bytes(stored)
    said = region("verify")
    assert said.code == Exit.DAMAGED
    assert said.rows[0]["damaged"] == 1
    assert said.rows[1]["sha256"] == hashlib.sha256(ct).hexdigest()
    assert region("verify", "--study", "1.2.3").row["objects"] == 0
    assert region("demo", "load").row["healed"] == 1
    assert region("verify").row["good"] >= 32


def test_a_correction_is_shown_listed_and_withdrawn(region: Vna) -> None:
    words = ("correct", "--study", CHEST_CT, "StudyDescription=TC", "--reason", "wrong")
    assert region(*words).code == Exit.USAGE  # nobody to ask, and no --yes
    assert "would correct" in region(*words, "--dry-run").notes
    operation = region(*words, "--yes").row["operation"]
    assert region("show", CHEST_CT).row["StudyDescription"] == "TC"
    (listed,) = region("correct", "--study", CHEST_CT).rows
    assert (listed["operation"], listed["in_force"]) == (operation, True)
    assert region("correct", "--withdraw", operation, "--reason", "right").code == Exit.OK
    assert region("show", CHEST_CT).row["StudyDescription"] == "TC DE TÓRAX"
    assert region("correct", "--study", "1.2.3", "X=Y", "--reason", "r", "--yes").code in {
        Exit.USAGE,
        Exit.NOT_FOUND,
    }


def test_a_merge_is_taken_back_by_operation_and_a_patient_corrected(region: Vna) -> None:
    merge = ("patient", "merge", "HSA|100544", "HSA|100231", "--reason", "same")
    assert "would show 1 studies" in region(*merge, "--dry-run").notes
    operation = region(*merge, "--yes").row["operation"]
    assert region("patient", "show", "HSA|100544").row["studies"] == 3
    assert region("patient", "unmerge", operation, "--reason", "two", "--yes").code == Exit.OK
    assert region("patient", "show", "HSA|100544").row["studies"] == 1
    corrected = region(
        *("patient", "correct", "HSA|100544", "PatientBirthDate=19920107"),
        *("--reason", "registry", "--yes"),
    )
    rows = region("search", "studies", "PatientBirthDate=19920107").rows
    assert len(rows) == 1
    operation = corrected.row["operation"]
    withdrawn = region(
        "patient", "correct", "HSA|100544", "--withdraw", operation, "--reason", "no"
    )
    assert withdrawn.code == Exit.OK
    assert region("patient", "show", "NONE|1").code == Exit.NOT_FOUND


def test_a_held_object_is_shown_and_released_or_discarded(region: Vna) -> None:
    (held,) = region("held", "list").rows
    assert held["reason"] == "study-of-another-patient"
    id = str(held["id"])
    assert region("held", "show", id).row["patient"]["00100020"]["Value"] == ["100231"]
    assert "PatientID=100231" in region("held", "show", id, human=True).out
    words = ("held", "release", id, "--into", "new", "--reason", "another study", "--yes")
    released = region(*words).row
    assert released["study_uid"] != held["study_uid"]
    assert region("show", released["study_uid"]).row["PatientID"] == "100231"
    assert region("held", "list").rows == []
    assert region("held", "list", "--resolved").row["resolution"] == "new"
    assert region(*words).code == Exit.FAILED
    assert region("held", "discard", "999", "--reason", "r", "--yes").code == Exit.NOT_FOUND


def test_the_trash_gives_back_and_purges_only_when_told(region: Vna) -> None:
    put = region("trash", "put", "--study", CHEST_CT, "--reason", "mistake", "--yes")
    id = str(put.row["id"])
    assert region("show", CHEST_CT).code == Exit.NOT_FOUND
    assert "lies in the trash" in region("show", CHEST_CT).notes
    assert region("trash", "restore", id).code == Exit.OK
    assert region("show", CHEST_CT).code == Exit.OK
    again = region("trash", "put", "--study", CHEST_CT, "--reason", "mistake", "--yes")
    id = str(again.row["id"])
    assert region("trash", "purge", id).rows == []  # its grace has not passed
    plan = region("trash", "purge", id, "--ignore-grace")
    assert plan.row["purged"] is False
    assert plan.row["instances"] >= 9
    assert "Add --yes" in plan.notes
    assert len(region("trash", "list").rows) == 1
    done = region("trash", "purge", id, "--ignore-grace", "--yes")
    assert done.row["purged"] is True
    assert region("trash", "list").rows == []


def test_a_document_goes_in_and_comes_out(vna: Vna, tmp_path: Path) -> None:
    file = tmp_path / "informe.pdf"
    file.write_bytes(b"%PDF-1.4 synthetic")
    added = vna(
        *("document", "add", file, "--title", "Informe de alta", "--patient", "HSA|7"),
        *("--patient-name", "PEÑA^ANA"),
    )
    assert added.row["media_type"] == "application/pdf"
    assert vna("document", "list", "--title", "alta").row["uid"] == added.row["uid"]
    assert vna("document", "list", "--patient", "HSA|8").code == Exit.NOT_FOUND
    got = vna("document", "get", added.row["uid"], "--output", tmp_path / "back.pdf")
    assert got.code == Exit.OK
    assert (tmp_path / "back.pdf").read_bytes() == file.read_bytes()
    assert vna("document", "get", "1.2.3", "-o", tmp_path / "x").code == Exit.NOT_FOUND


@pytest.mark.parametrize("words", [("stats",), ("verify",), ("search",), ("export", "out")])
def test_a_verb_that_reads_makes_no_archive(vna: Vna, data: Path, words: tuple[str, ...]) -> None:
    assert vna(*words).code == Exit.CONFIGURATION
    assert not data.exists()


def test_the_schema_is_checked_and_upgraded(vna: Vna, data: Path) -> None:
    assert vna("db", "check").code == Exit.CONFIGURATION
    assert not data.exists()
    assert vna("db", "upgrade").code == Exit.OK
    found = vna("db", "check")
    assert (found.code, found.row["present"]) == (Exit.OK, found.row["wanted"])
    assert vna("stats").row["studies"] == 0

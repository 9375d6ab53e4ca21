"""`vna import` stores what it finds, says what it could not store, and continues."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Vna
from tests.faults.synthetic import small
from vna.cli.exits import Exit


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A folder with 6 images, a ZIP file with 2 more, and a text."""
    folder = tmp_path / "disk"
    (folder / "deep" / "er").mkdir(parents=True)
    for number in range(1, 7):
        (folder / "deep" / "er" / f"{number}.dcm").write_bytes(small(1, number).data)
    with zipfile.ZipFile(folder / "more.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in (7, 8):
            archive.writestr(f"IMAGES/{number}", small(1, number).data)
    (folder / "README.TXT").write_text("not an image " * 100)
    return folder


def test_files_of_folders_and_zip_files_are_stored_and_others_counted(vna: Vna, disk: Path) -> None:
    said = vna("import", disk)
    assert said.code == Exit.OK
    assert said.row["new"] == 8
    assert said.row["ignored"] == 1
    assert said.row["sources"] == 9
    assert vna("stats").row["instances"] == 8


def test_a_second_run_reads_only_what_is_new_or_changed(vna: Vna, disk: Path) -> None:
    vna("import", disk)
    assert vna("import", disk).row["skipped"] == 9
    (disk / "deep" / "9.dcm").write_bytes(small(1, 9).data)
    os.utime(disk / "deep" / "er" / "1.dcm", ns=(1, 1))
    said = vna("import", disk)
    assert (said.row["new"], said.row["same"], said.row["skipped"]) == (1, 1, 8)
    assert vna("import", disk, "--again").row["same"] == 9


def test_what_cannot_be_stored_is_listed_and_tried_again(vna: Vna, disk: Path) -> None:
    broken = disk / "broken.dcm"
    broken.write_bytes(small(1, 10).data[:300])
    (disk / "bad.zip").write_bytes((disk / "more.zip").read_bytes()[:-30])
    said = vna("import", disk, disk / "absent")
    assert said.code == Exit.PARTIAL
    failed = {row["failed"] for row in said.rows if "failed" in row and "reason" in row}
    assert failed == {str(broken), str(disk / "absent")}
    assert said.row["new"] == 8
    broken.write_bytes(small(1, 10).data)
    again = vna("import", disk)
    assert (again.code, again.row["new"]) == (Exit.OK, 1)


def test_a_member_of_a_zip_that_is_damaged_fails_alone(vna: Vna, disk: Path) -> None:
    data = bytearray((disk / "more.zip").read_bytes())
    data[200] ^= 0xFF
    (disk / "more.zip").write_bytes(data)
    said = vna("import", disk)
    assert said.code == Exit.PARTIAL
    assert said.row["new"] == 7


def test_the_owner_of_what_is_new_can_be_named(vna: Vna, disk: Path) -> None:
    vna("import", disk, "--organisation", "H1")
    assert vna("stats", "--by", "organisation").rows == [
        {"organisation": "H1", "studies": 1, "instances": 8}
    ]


def test_a_name_that_is_not_utf_8_does_no_harm(vna: Vna, disk: Path) -> None:
    (disk / os.fsdecode(b"im\xe1gen.dcm")).write_bytes(small(2, 1).data)
    assert vna("import", disk).row["new"] == 9
    assert vna("import", disk).row["skipped"] == 10

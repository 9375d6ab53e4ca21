"""A study as a ZIP file, and as a medium with a DICOMDIR."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.fileset import FileSet

from tests.dicomweb.wire import store
from tests.peers.require import require

FILES = ["CT_small.dcm", "test-SR.dcm", "waveform_ecg.dcm", "rtplan.dcm", "JPEG2000.dcm"]
STUDY = "1.2.826.0.1.3680043.10.1554.77"


@pytest.fixture(scope="module")
def study(url: str) -> list[Any]:
    """Objects of several kinds, made one study of one patient with a name beyond ASCII."""
    made = []
    with httpx.Client(base_url=f"{url}/dicomweb", timeout=60) as client:
        for number, name in enumerate(FILES, 1):
            path = get_testdata_file(name)
            assert isinstance(path, str)
            dataset = pydicom.dcmread(path)
            dataset.SpecificCharacterSet = "ISO_IR 100"
            dataset.PatientName, dataset.PatientID = "MUÑOZ^BEGOÑA", "zip"
            dataset.StudyInstanceUID = STUDY
            dataset.StudyDate, dataset.StudyTime, dataset.StudyID = "20260312", "101500", "1"
            dataset.AccessionNumber = ""
            dataset.SeriesInstanceUID = f"{STUDY}.{number}"
            dataset.SOPInstanceUID = f"{STUDY}.{number}.1"
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            out = io.BytesIO()
            dataset.save_as(out)
            assert store(client, out.getvalue()).status_code in (200, 202)
            made.append(dataset)
    return made


def package(client: httpx.Client, path: str) -> zipfile.ZipFile:
    answer = client.get(path, headers={"Accept": "application/zip"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    made = zipfile.ZipFile(io.BytesIO(answer.content))
    assert made.testzip() is None
    return made


def test_every_instance_is_in_it_as_it_is_stored(client: httpx.Client, study: list[Any]) -> None:
    made = package(client, f"/studies/{STUDY}")

    for dataset in study:
        path = f"{STUDY}/{dataset.SeriesInstanceUID}/{dataset.SOPInstanceUID}.dcm"
        found = pydicom.dcmread(io.BytesIO(made.read(path)))
        assert found.SOPInstanceUID == dataset.SOPInstanceUID
    assert len(made.namelist()) == len(study) + 1


def test_its_manifest_says_the_digest_of_every_file(client: httpx.Client, study: list[Any]) -> None:
    made = package(client, f"/studies/{STUDY}")

    lines = made.read("manifest-sha256.txt").decode().splitlines()
    assert len(lines) == len(study)
    for line in lines:
        digest, _, path = line.partition("  ")
        assert hashlib.sha256(made.read(path)).hexdigest() == digest


def test_a_series_or_an_instance_alone(client: httpx.Client, study: list[Any]) -> None:
    path = f"/studies/{STUDY}/series/{study[0].SeriesInstanceUID}"

    assert len(package(client, path).namelist()) == 2
    assert len(package(client, f"{path}/instances/{study[0].SOPInstanceUID}").namelist()) == 2


def test_the_same_study_is_the_same_file(client: httpx.Client, study: list[Any]) -> None:
    headers = {"Accept": "application/zip"}
    first, again = (client.get(f"/studies/{STUDY}", headers=headers) for _ in range(2))
    known = client.get(
        f"/studies/{STUDY}", headers={**headers, "If-None-Match": first.headers["etag"]}
    )

    assert first.content == again.content
    assert known.status_code == 304


def test_a_medium_has_a_dicomdir_that_pydicom_reads(
    client: httpx.Client, study: list[Any], tmp_path: Path
) -> None:
    package(client, f"/studies/{STUDY}?dicomdir=true").extractall(tmp_path)

    read = FileSet(tmp_path / "DICOMDIR")

    assert {str(each.SOPInstanceUID) for each in read} == {
        str(each.SOPInstanceUID) for each in study
    }
    assert read.find_values("PatientID") == ["zip"]
    assert [str(name) for name in read.find_values("PatientName")] == ["MUÑOZ^BEGOÑA"]
    for instance in read:
        assert instance.load().SOPInstanceUID == instance.SOPInstanceUID
    read._stage["t"].cleanup()  # pydicom leaves a folder to the end, which warns


def test_dcmtk_finds_every_record_of_the_dicomdir(
    client: httpx.Client, study: list[Any], tmp_path: Path
) -> None:
    require(None if shutil.which("dcmdump") else "apt-get install dcmtk")
    package(client, f"/studies/{STUDY}?dicomdir=true").extractall(tmp_path)

    said = subprocess.run(
        ["dcmdump", "+P", "0004,1430", tmp_path / "DICOMDIR"],
        capture_output=True,
        text=True,
        check=True,
    )

    kinds = [line.split("[")[1].split("]")[0] for line in said.stdout.splitlines()]
    assert kinds[:3] == ["PATIENT", "STUDY", "SERIES"]
    assert sorted(set(kinds[3:])) == ["IMAGE", "RT PLAN", "SERIES", "SR DOCUMENT", "WAVEFORM"]
    assert "error" not in said.stderr.lower()


def test_a_dicomdir_is_asked_for_by_true(client: httpx.Client, study: list[Any]) -> None:
    answer = client.get(f"/studies/{STUDY}?dicomdir=1", headers={"Accept": "application/zip"})

    assert answer.status_code == 400

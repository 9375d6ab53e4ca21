"""`/patients`, an extension: a search like the six of PS3.18, one level above."""

from __future__ import annotations

import httpx
import pytest

from tests.dicomweb.wire import parts, store
from tests.faults.synthetic import small
from vna.dicom.from_xml import from_xml

JSON = {"Accept": "application/dicom+json"}


@pytest.fixture(scope="module")
def patients(url: str) -> set[str]:
    """The ids of five patients of two instances each."""
    sent = [small(200 + study, one, salt=9) for study in range(5) for one in range(2)]
    with httpx.Client(base_url=f"{url}/dicomweb", timeout=60) as client:
        assert store(client, *(each.data for each in sent)).status_code == 200
        rows = client.get("/studies", headers=JSON).json()
    return {row["00100020"]["Value"][0] for row in rows}


def test_patients_are_found_with_what_lies_below_them(
    client: httpx.Client, patients: set[str]
) -> None:
    answer = client.get("/patients", headers=JSON)

    assert (answer.status_code, answer.headers["content-type"]) == (200, JSON["Accept"])
    rows = answer.json()
    assert {row["00100020"]["Value"][0] for row in rows} == patients
    assert all(row["00201204"] == {"vr": "IS", "Value": [2]} for row in rows)
    assert all("00081190" not in row for row in rows)
    as_parts = client.get(
        "/patients", headers={"Accept": 'multipart/related; type="application/dicom+xml"'}
    )
    assert [from_xml(part.data) for part in parts(as_parts)] == rows


def test_one_is_found_by_id(client: httpx.Client, patients: set[str]) -> None:
    one = min(patients)

    (row,) = client.get("/patients", params={"PatientID": one}, headers=JSON).json()

    assert row["00100020"]["Value"] == [one]
    assert client.get("/patients?PatientID=nobody", headers=JSON).status_code == 204


@pytest.mark.parametrize("key", ["StudyDate=20260101", "PatientNam=x", "00280010=5"])
def test_a_key_that_is_no_patients_is_refused(client: httpx.Client, key: str) -> None:
    assert client.get(f"/patients?{key}", headers=JSON).status_code == 400

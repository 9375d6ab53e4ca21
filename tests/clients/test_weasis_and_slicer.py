"""Weasis and 3D Slicer, which need a screen, asked as their sources ask: request by request."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import httpx
import pydicom
import pytest
from dicomweb_client import DICOMwebClient

from tests.clients import patient
from tests.dicomweb.wire import parts, store
from tests.http.archive import running

# weasis-dicom-explorer, RsQueryResult: every query ends with the fields of its level.
FIELDS = (
    "&includefield=00080020,00080030,00080050,00080061,00080090,00081030,00100010,00100020,"
    "00100021,00100030,00100040,0020000D,00200010"
)
SERIES = "?includefield=0008103E,00080060,0020000E,00200011,00081190"
INSTANCES = "?includefield=00080018,00200013,00081190"
AS_STORED = 'multipart/related;type="application/dicom";transfer-syntax=*'
RETRIEVE_URL = "00081190"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The DICOMweb root of an archive with two patients."""
    with running(tmp_path_factory.mktemp("weasis") / "data") as served:
        with httpx.Client(base_url=f"{served}/dicomweb", timeout=60) as client:
            assert store(client, *patient.everything()).status_code == 200
        yield f"{served}/dicomweb"


@pytest.fixture
def weasis(url: str) -> Iterator[httpx.Client]:
    """Asks as Java does, which accepts anything where it names nothing."""
    java = "text/html, image/gif, image/jpeg, */*; q=0.2"
    with httpx.Client(base_url=url, headers={"Accept": java}, timeout=60) as client:
        yield client


def ask(client: httpx.Client, address: str) -> list[dict[str, Any]]:
    """The results of a query."""
    answer = client.get(address, headers={"Accept": "application/dicom+json"})
    if answer.status_code == 204:  # nothing matches (PS3.18 §10.6.3.3)
        return []
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def value(result: dict[str, Any], tag: str) -> Any:
    """The first value of an attribute."""
    return result[tag]["Value"][0]


def test_weasis_finds_a_patients_studies_by_number_and_issuer(weasis: httpx.Client) -> None:
    person = patient.CHEST.person
    by_both = f"/studies?00100020={person.id}&00100021={person.hospital.code}{FIELDS}"

    found = ask(weasis, by_both)

    assert {value(each, "0020000D") for each in found} == {each.uid for each in patient.MINE}
    assert all("00080061" in each and "00200010" in each for each in found)
    assert ask(weasis, by_both.replace(person.hospital.code, "ELSEWHERE")) == []


@pytest.mark.parametrize(
    "query",
    [
        f"/studies?0020000D={patient.CHEST.uid}{FIELDS}",
        f"/studies?00080050={patient.CHEST.accession}{FIELDS}",
    ],
)
def test_weasis_walks_down_from_a_study_by_the_addresses_in_the_answers(
    weasis: httpx.Client, query: str
) -> None:
    (study,) = ask(weasis, query)
    assert value(study, "0020000D") == patient.CHEST.uid

    (series,) = ask(weasis, f"/studies/{patient.CHEST.uid}/series{SERIES}")
    of_series = value(series, RETRIEVE_URL)
    instances = ask(weasis, f"{of_series}/instances{INSTANCES}")

    assert sorted(value(each, "00200013") for each in instances) == list(
        range(1, patient.SLICES + 1)
    )
    for each in instances:
        (part,) = parts(weasis.get(value(each, RETRIEVE_URL), headers={"Accept": AS_STORED}))
        assert pydicom.dcmread(io.BytesIO(part.data)).SOPInstanceUID == value(each, "00080018")


def test_weasis_opens_one_series_or_one_instance_with_its_patient_and_study(
    weasis: httpx.Client,
) -> None:
    (series,) = ask(weasis, f"/studies/{patient.HEART_ECHO.uid}/series{SERIES}")
    uid = value(series, "0020000E")
    (found,) = ask(weasis, f"/series?0020000E={uid}{FIELDS},0008103E,00080060,00081190,00200011")
    assert value(found, "0020000D") == patient.HEART_ECHO.uid
    assert value(found, "00100020") == patient.HEART_ECHO.person.id

    (instance,) = ask(weasis, f"{value(found, RETRIEVE_URL)}/instances{INSTANCES}")
    (again,) = ask(
        weasis,
        f"/instances?00080018={value(instance, '00080018')}{FIELDS}"
        ",0008103E,00080060,0020000E,00200011,00200013,00081190",
    )
    assert value(again, "0020000E") == uid
    assert value(again, RETRIEVE_URL) == value(instance, RETRIEVE_URL)


def test_slicer_pages_through_all_studies_until_none_is_left(url: str) -> None:
    """SlicerDICOMwebBrowser, connectToServer: it stops at nothing, or at what it has seen."""
    client = DICOMwebClient(url)
    studies: list[dict[str, Any]] = []
    while subset := client.search_for_studies(offset=len(studies)):
        assert subset[0] not in studies
        studies.extend(subset)
    assert {value(each, "0020000D") for each in studies} == {
        each.uid for each in (*patient.MINE, patient.NOT_MINE)
    }


def test_slicer_downloads_a_series_instance_by_instance(url: str) -> None:
    client = DICOMwebClient(url)
    (series,) = client.search_for_series(patient.CHEST.uid)
    uid = value(series, "0020000E")
    for each in client.search_for_instances(patient.CHEST.uid, uid):
        sop_uid = value(each, "00080018")
        assert client.retrieve_instance(patient.CHEST.uid, uid, sop_uid).SOPInstanceUID == sop_uid

"""QIDO-RS (PS3.18 §10.6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.dicomweb.wire import parts, path_of, store
from tests.faults.synthetic import Sent, small
from tests.http.archive import running
from vna.config import Settings
from vna.config.settings import Dicomweb
from vna.dicom.from_xml import from_xml

STUDIES = 3


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of an archive whose answers hold few rows."""
    settings = Settings(dicomweb=Dicomweb(max_results=4, ignored_parameters=("_",)))
    with running(tmp_path_factory.mktemp("archive") / "data", settings) as url:
        with httpx.Client(base_url=f"{url}/dicomweb") as client:
            for study in range(STUDIES):
                store(client, *(small(study, number).data for number in (1, 2)))
        yield url


@pytest.fixture
def one() -> Sent:
    """The first instance of the first study."""
    return small(0, 1)


def find(client: httpx.Client, path: str, **query: str) -> list[dict[str, Any]]:
    """The rows of an answer that has some."""
    answer = client.get(path, params=query or None)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/dicom+json"
    found: list[dict[str, Any]] = answer.json()
    return found


def value(row: dict[str, Any], tag: str) -> Any:
    """The first value of an attribute."""
    return row[tag]["Value"][0]


@pytest.mark.parametrize(
    ("path", "count", "uid"),
    [
        ("/studies", STUDIES, "0020000D"),
        ("/series", STUDIES, "0020000E"),
        ("/studies/{study}/series", 1, "0020000E"),
        ("/studies/{study}/instances", 2, "00080018"),
        ("/studies/{study}/series/{series}/instances", 2, "00080018"),
        ("/instances?StudyInstanceUID={study}", 2, "00080018"),
    ],
)
def test_each_of_the_six_resources_answers(
    client: httpx.Client, url: str, one: Sent, path: str, count: int, uid: str
) -> None:
    rows = find(client, path.format(study=one.study_uid, series=one.series_uid))

    assert len({value(row, uid) for row in rows}) == len(rows) == count
    for row in rows:
        assert list(row) == sorted(row)
        assert value(row, "00081190").startswith(f"{url}/dicomweb/studies/")


def test_a_retrieve_url_leads_to_what_was_found(client: httpx.Client, one: Sent) -> None:
    for path in ("/studies", "/studies/{study}/series", "/studies/{study}/instances"):
        for row in find(client, path.format(study=one.study_uid)):
            assert client.get(value(row, "00081190")).status_code == 200


def test_required_attributes_are_returned_and_others_are_not(
    client: httpx.Client, one: Sent
) -> None:
    """Table 10.6.3-3."""
    (row,) = find(client, "/studies", StudyInstanceUID=one.study_uid)

    required = (
        "00080020 00080030 00080050 00080061 00080090 00081190 "
        "00100010 00100020 00100030 00100040 0020000D 00200010 00201206 00201208"
    )
    assert set(required.split()) <= set(row)
    assert "00081030" not in row
    assert value(row, "00100020") == "P0-0"
    assert (value(row, "00201206"), value(row, "00201208")) == (1, 2)
    assert row["00080090"] == {"vr": "PN"}


@pytest.mark.parametrize(
    "query",
    ["PatientID=P0-1", "00100020=P0-1", "PatientID=*0-1", "PatientName=prueba*&PatientID=P0-1"],
)
def test_keys_are_keywords_or_tags(client: httpx.Client, query: str) -> None:
    rows = find(client, f"/studies?{query}")

    assert [value(row, "00100020") for row in rows] == ["P0-1"]


def test_a_page_says_what_remains(client: httpx.Client, url: str) -> None:
    answer = client.get("/instances", params={"limit": "2", "offset": "1"})

    assert len(answer.json()) == 2
    text = "There are 3 additional results that can be requested"
    assert answer.headers["warning"] == f"299 {url}/dicomweb: {text}"


def test_pages_join_to_the_whole_in_a_stable_order(client: httpx.Client) -> None:
    uids = [
        value(row, "00080018")
        for offset in range(0, 6, 2)
        for row in find(client, "/instances", limit="2", offset=str(offset))
    ]

    assert len(set(uids)) == 6
    assert client.get("/instances", params={"limit": "2", "offset": "6"}).status_code == 204


def test_the_server_gives_no_more_than_it_is_set_to(client: httpx.Client) -> None:
    answer = client.get("/instances", params={"limit": "1000"})

    assert len(answer.json()) == 4
    assert "There are 2 additional" in answer.headers["warning"]


@pytest.mark.parametrize("query", ["PatientID=nobody", "limit=0", "offset=1000"])
def test_nothing_found_is_204_without_a_body(client: httpx.Client, query: str) -> None:
    answer = client.get(f"/studies?{query}")

    assert (answer.status_code, answer.content) == (204, b"")


def test_an_unknown_study_has_no_series(client: httpx.Client) -> None:
    assert client.get("/studies/1.9.9/series").status_code == 204


@pytest.mark.parametrize(
    ("query", "code", "name"),
    [
        ("PatientNam=x", "unknown-name", "PatientNam"),
        ("PatientID=a&PatientID=b", "invalid-value", "PatientID"),
        ("PatientID=a&00100020=b", "invalid-value", "00100020"),
        ("includefield=Nothing", "unknown-name", "Nothing"),
        ("limit=x", "invalid-value", "limit"),
        ("fuzzymatching=1", "invalid-value", "fuzzymatching"),
    ],
)
def test_what_is_not_understood_is_400_by_name(
    client: httpx.Client, query: str, code: str, name: str
) -> None:
    answer = client.get(f"/studies?{query}")

    assert answer.status_code == 400
    assert (answer.json()["code"], answer.json()["name"]) == (code, name)


def test_an_unknown_key_names_the_nearest_keyword(client: httpx.Client) -> None:
    assert client.get("/studies?PatientNam=x").json()["nearest"] == "PatientName"


def test_fuzzy_matching_finds_words_in_any_order(client: httpx.Client) -> None:
    assert len(find(client, "/studies?PatientName=paciente+prueba&fuzzymatching=true")) == STUDIES
    assert client.get("/studies?PatientName=paciente+prueba").status_code == 204


def test_what_is_not_supported_is_warned_of(client: httpx.Client, url: str) -> None:
    multiple = client.get("/studies?multiplevaluematching=true")
    ignored = client.get("/studies?_=123")

    assert multiple.headers["warning"] == (
        f"299 {url}/dicomweb: The multiplevaluematching parameter is not supported. "
        "Multiple Value Matching has not been performed."
    )
    assert ignored.status_code == 200
    assert "The _ parameter is not supported" in ignored.headers["warning"]


def test_rows_are_xml_in_parts_where_that_is_asked(client: httpx.Client, one: Sent) -> None:
    """Table 10.6.3-1: a part for each match."""
    path = f"/studies/{one.study_uid}/instances?includefield=all"
    rows = find(client, path)
    answer = client.get(path, headers={"Accept": 'multipart/related; type="application/dicom+xml"'})

    found = parts(answer)

    assert answer.headers["content-type"].startswith(
        'multipart/related; type="application/dicom+xml"; boundary='
    )
    assert [from_xml(part.data) for part in found] == rows
    assert {part.headers["content-type"] for part in found} == {"application/dicom+xml"}


def test_json_has_two_names_and_nothing_else_is_sent(client: httpx.Client) -> None:
    plain = client.get("/studies", headers={"Accept": "application/json"})
    refused = client.get("/studies", headers={"Accept": "text/html"})

    assert plain.headers["content-type"] == "application/json"
    assert (refused.status_code, refused.json()["code"]) == (406, "not-acceptable")


def test_what_ohif_asks_is_answered(client: httpx.Client, one: Sent) -> None:
    """The study list and the side bar of OHIF 3.13, as it sends them."""
    rows = find(client, "/studies?limit=101&offset=0&fuzzymatching=true"
                "&includefield=00081030%2C00080060%2C00080090%2C00100030")  # fmt: skip
    prior = find(client, "/studies?00100020=P0-0&fuzzymatching=true")
    series = find(client, f"/studies/{one.study_uid}/series"
                  "?includefield=00080021%2C00080031%2C0008103E%2C00200011")  # fmt: skip

    assert len(rows) == STUDIES
    assert [value(row, "0020000D") for row in prior] == [one.study_uid]
    assert value(series[0], "00080060") == "OT"


def test_a_found_instance_can_be_fetched(client: httpx.Client, one: Sent) -> None:
    (row, _) = find(client, f"/studies/{one.study_uid}/instances")

    assert value(row, "00081190").endswith(path_of(one))
    assert (value(row, "00280010"), value(row, "00200013")) == (64, 1)

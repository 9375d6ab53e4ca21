"""Series and instances by their own UID alone answer as they do below their study."""

from __future__ import annotations

import httpx
import pytest

from tests.dicomweb.wire import ANY_SYNTAX, OCTETS, path_of, store
from tests.faults.synthetic import Sent, small

ONE = small(900, 1)


@pytest.fixture(scope="module")
def one(url: str) -> Sent:
    with httpx.Client(base_url=f"{url}/dicomweb", timeout=60) as client:
        assert store(client, ONE.data).status_code == 200
    return ONE


@pytest.mark.parametrize(
    ("below", "accept"),
    [
        ("", ANY_SYNTAX),
        ("/metadata", "application/dicom+json"),
        ("/frames/1", OCTETS),
        ("/bulkdata", OCTETS),
        ("/pixeldata", OCTETS),
    ],
)
def test_an_instance(client: httpx.Client, one: Sent, below: str, accept: str) -> None:
    full = client.get(f"{path_of(one)}{below}", headers={"Accept": accept})
    short = client.get(f"/instances/{one.sop_uid}{below}", headers={"Accept": accept})

    assert full.status_code == 200
    assert (short.status_code, short.content) == (200, full.content)
    assert short.headers["etag"] == full.headers["etag"]


@pytest.mark.parametrize(
    ("below", "accept"),
    [("", ANY_SYNTAX), ("/metadata", "application/dicom+json"), ("/instances", "application/json")],
)
def test_a_series(client: httpx.Client, one: Sent, below: str, accept: str) -> None:
    full = f"/studies/{one.study_uid}/series/{one.series_uid}{below}"
    answers = [
        client.get(path, headers={"Accept": accept})
        for path in (full, f"/series/{one.series_uid}{below}")
    ]

    assert [each.status_code for each in answers] == [200, 200]
    assert answers[0].content == answers[1].content


def test_the_instances_of_a_series_that_is_not_there(client: httpx.Client) -> None:
    assert client.get("/series/1.2.3/metadata").status_code == 404
    assert client.get("/instances/1.2.3").status_code == 404

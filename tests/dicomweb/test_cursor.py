"""Pages of a search by Link header: complete, in order, and steady while others store."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomweb import cursor
from tests.dicomweb.wire import store
from tests.faults.synthetic import small
from vna.errors import InvalidValue
from vna.model.query import Cursor

JSON = {"Accept": "application/dicom+json"}


@pytest.fixture(scope="module")
def many(url: str) -> list[str]:
    """SOP Instance UIDs of forty instances in four studies."""
    sent = [small(100 + study, one, salt=5) for study in range(4) for one in range(10)]
    with httpx.Client(base_url=f"{url}/dicomweb", timeout=60) as client:
        assert store(client, *(each.data for each in sent)).status_code == 200
    return [each.sop_uid for each in sent]


def following(answer: httpx.Response) -> str | None:
    return answer.links.get("next", {}).get("url")


def uids(answer: httpx.Response) -> list[str]:
    return [row["00080018"]["Value"][0] for row in answer.json()]


RESOURCES = (
    "/patients",
    "/studies",
    "/series",
    "/instances",
    "/studies/{study}/series",
    "/studies/{study}/instances",
    "/studies/{study}/series/{series}/instances",
    "/series/{series}/instances",
)


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("limit", [1, 7])
def test_pages_follow_each_other_to_the_end(
    client: httpx.Client, many: list[str], resource: str, limit: int
) -> None:
    (one,) = client.get("/instances", params={"SOPInstanceUID": many[0]}, headers=JSON).json()
    path = resource.format(study=one["0020000D"]["Value"][0], series=one["0020000E"]["Value"][0])
    whole = client.get(path, headers=JSON).json()
    answer = client.get(f"{path}?limit={limit}", headers=JSON)
    found = answer.json()
    while (url := following(answer)) is not None:
        answer = client.get(url, headers=JSON)
        assert len(answer.json()) <= limit
        found += answer.json()

    assert found == whole


def test_what_is_stored_meanwhile_moves_nothing(client: httpx.Client, many: list[str]) -> None:
    before = uids(client.get("/instances", headers=JSON))
    first = client.get("/instances?limit=5", headers=JSON)
    store(client, small(1, 1, salt=77).data)
    url = following(first)
    assert url is not None

    second = client.get(url, headers=JSON)

    rest = [uid for uid in uids(second) if uid in before]
    assert uids(first) + rest == before[: 5 + len(rest)]


def test_the_last_page_names_no_other(client: httpx.Client, many: list[str]) -> None:
    assert following(client.get("/studies", headers=JSON)) is None
    assert following(client.get("/studies?StudyInstanceUID=1.2.3", headers=JSON)) is None


@pytest.mark.parametrize("text", ["", "x", "AAAA", "é", "A" * 5000])
def test_a_cursor_that_is_none_is_refused(client: httpx.Client, text: str) -> None:
    answer = client.get("/studies", params={"cursor": text}, headers=JSON)

    assert (answer.status_code, answer.json()["name"]) == (400, "cursor")


def test_a_cursor_of_another_level_is_refused(client: httpx.Client, many: list[str]) -> None:
    url = following(client.get("/instances?limit=1", headers=JSON))
    assert url is not None

    answer = client.get(url.replace("/instances?", "/studies?"), headers=JSON)

    assert answer.status_code == 400


def test_a_cursor_and_an_offset_exclude_each_other(client: httpx.Client, many: list[str]) -> None:
    url = following(client.get("/studies?limit=1", headers=JSON))

    assert client.get(f"{url}&offset=1", headers=JSON).status_code == 400


@given(st.lists(st.text() | st.integers(-(1 << 63), (1 << 63) - 1), max_size=8))
def test_what_is_written_is_read(values: list[str | int]) -> None:
    try:
        values = [each.replace("\0", "") if isinstance(each, str) else each for each in values]
        text = cursor.written(Cursor(tuple(values)))
    except TypeError:
        return  # lone surrogates are in no database
    if len(text) <= 2000:
        assert cursor.read(text) == Cursor(tuple(values))


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        cursor.read(text)

"""WADO-RS metadata (PS3.18 §10.4.1.1.2, Annex F)."""

from __future__ import annotations

import gzip

import httpx
import pytest

from tests.dicomweb.wire import parts, path_of, store
from tests.faults.synthetic import Sent, small
from vna.dicom.from_xml import from_xml


@pytest.fixture
def sent(client: httpx.Client) -> list[Sent]:
    """Three stored instances of one series."""
    found = [small(1, number) for number in (1, 2, 3)]
    store(client, *(each.data for each in found))
    return found


def paths(sent: list[Sent]) -> list[tuple[str, int]]:
    """The three resources and how many instances each has."""
    one = sent[0]
    series = f"/studies/{one.study_uid}/series/{one.series_uid}"
    return [(f"/studies/{one.study_uid}", 3), (series, 3), (path_of(one), 1)]


def test_metadata_is_one_array_of_a_study_a_series_or_an_instance(
    client: httpx.Client, sent: list[Sent], url: str
) -> None:
    for path, count in paths(sent):
        answer = client.get(f"{path}/metadata")
        rows = answer.json()
        assert answer.headers["content-type"] == "application/dicom+json"
        assert [row["00080018"]["Value"][0] for row in rows] == [
            each.sop_uid for each in sent[:count]
        ]
        bulk = f"{url}/dicomweb{path_of(sent[0])}/bulkdata/7FE00010"
        assert rows[0]["7FE00010"]["BulkDataURI"] == bulk
        assert rows[0]["00083002"]["Value"] == ["1.2.840.10008.1.2.1"]
        assert not any(tag.startswith("0002") for tag in rows[0])


def test_gzip_is_sent_where_it_is_accepted_and_means_the_same(
    client: httpx.Client, sent: list[Sent]
) -> None:
    for path, _ in paths(sent):
        plain = client.get(f"{path}/metadata", headers={"Accept-Encoding": "identity"})
        with client.stream(
            "GET", f"{path}/metadata", headers={"Accept-Encoding": "gzip"}
        ) as packed:
            raw = b"".join(packed.iter_raw())

        assert "content-encoding" not in plain.headers
        assert packed.headers["content-encoding"] == "gzip"
        assert int(packed.headers["content-length"]) == len(raw)
        assert int(plain.headers["content-length"]) == len(plain.content)
        assert gzip.decompress(raw) == plain.content
        assert packed.headers["etag"] != plain.headers["etag"]
        assert "accept-encoding" in plain.headers["vary"].lower()


def test_unchanged_metadata_is_not_sent_again(client: httpx.Client, sent: list[Sent]) -> None:
    path = f"/studies/{sent[0].study_uid}/metadata"
    tag = client.get(path).headers["etag"]

    assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
    store(client, small(1, 4).data)
    changed = client.get(path, headers={"If-None-Match": tag})
    assert (changed.status_code, len(changed.json())) == (200, 4)


def test_metadata_is_xml_in_parts_where_that_is_asked(
    client: httpx.Client, sent: list[Sent], url: str
) -> None:
    """Table 10.4.4-1: a part for each instance, which says the same as the JSON."""
    xml = {"Accept": 'multipart/related; type="application/dicom+xml"'}
    for path, count in paths(sent):
        rows = client.get(f"{path}/metadata").json()
        answer = client.get(f"{path}/metadata", headers=xml)
        found = parts(answer)

        assert len(found) >= count
        assert [from_xml(part.data) for part in found] == rows
        assert found[0].headers["content-type"] == "application/dicom+xml"
        location = f"{url}/dicomweb{path_of(sent[0])}/metadata"
        assert found[0].headers["content-location"] == location
        held = {**xml, "If-None-Match": answer.headers["etag"]}
        assert client.get(f"{path}/metadata", headers=held).status_code == 304


def test_metadata_is_nothing_else(client: httpx.Client, sent: list[Sent]) -> None:
    answer = client.get(f"{path_of(sent[0])}/metadata", headers={"Accept": "text/html"})

    assert (answer.status_code, answer.json()["code"]) == (406, "not-acceptable")


@pytest.mark.parametrize("path", ["/studies/1.9/metadata", "/studies/1.9/series/1.8/metadata"])
def test_metadata_of_nothing_is_404(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404

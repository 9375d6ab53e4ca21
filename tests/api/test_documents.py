"""/api/v1/documents: a PDF in, found, out again, and into the trash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 20
FACTS = {"title": "Informe de alta", "type": "discharge", "patient": "HOSP|77", "author": "Dra. X"}


def post(api: httpx.Client, content: bytes = PDF, **facts: str) -> httpx.Response:
    """Store a document."""
    return send(api, content, facts)


def send(api: httpx.Client, content: bytes, facts: dict[str, str]) -> httpx.Response:
    """Store a document with `facts` over the usual ones."""
    return api.post(
        "/documents",
        params=FACTS | facts,
        content=content,
        headers={"Content-Type": "application/pdf"},
    )


def test_a_document_is_stored_shown_found_and_read(api: httpx.Client, url: str) -> None:
    stored = post(api)
    assert stored.status_code == 201, stored.text
    view: dict[str, Any] = stored.json()

    assert view["sha256"] == hashlib.sha256(PDF).hexdigest()
    assert (view["title"], view["type"], view["size"]) == ("Informe de alta", "discharge", len(PDF))
    assert (view["patient"], view["media_type"]) == ("HOSP|77", "application/pdf")
    assert stored.headers["location"] == f"{url}/api/v1/documents/{view['uid']}"
    assert httpx.get(stored.headers["location"]).json() == view
    assert api.get("/documents", params={"title": "alta"}).json()["documents"] == [view]
    content = httpx.get(view["content"])
    assert content.content == PDF
    assert content.headers["content-type"] == "application/pdf"


def test_a_document_is_read_in_ranges_and_not_twice(api: httpx.Client) -> None:
    content = post(api, uid="2.25.1").json()["content"]
    full = httpx.get(content)
    some = httpx.get(content, headers={"Range": "bytes=9-12"})
    cached = httpx.get(content, headers={"If-None-Match": full.headers["etag"]})

    assert (some.status_code, some.content) == (206, PDF[9:13])
    assert cached.status_code == 304
    assert httpx.get(content, headers={"Range": f"bytes={len(PDF)}-"}).status_code == 416


def test_a_chunked_body_is_stored(api: httpx.Client) -> None:
    def chunks() -> Iterator[bytes]:
        yield PDF
        yield PDF

    answer = api.post(
        "/documents",
        params=FACTS | {"uid": "2.25.2"},
        content=chunks(),
        headers={"Content-Type": "text/html"},
    )

    assert answer.json()["size"] == 2 * len(PDF)
    content = httpx.get(answer.json()["content"])
    assert content.headers["content-disposition"] == "attachment"


def test_equal_bytes_under_a_known_uid_are_the_same_and_others_conflict(api: httpx.Client) -> None:
    first, again = post(api, uid="2.25.3"), post(api, uid="2.25.3")
    other = post(api, PDF + b"!", uid="2.25.3")

    assert first.json() == again.json()
    assert (other.status_code, other.json()["code"]) == (409, "conflict")


def test_pages_join_to_the_whole(api: httpx.Client) -> None:
    for number in range(5):
        post(api, type="paged", uid=f"2.25.9{number}")
    found: list[str] = []
    query = {"type": "paged", "limit": "2"}
    while True:
        page = api.get("/documents", params=query).json()
        found += [each["uid"] for each in page["documents"]]
        if page["next"] is None:
            break
        query["after"] = page["next"]

    assert sorted(found) == [f"2.25.9{number}" for number in range(5)]


def test_a_deleted_document_is_gone_until_it_is_restored(api: httpx.Client) -> None:
    post(api, uid="2.25.4")

    assert api.delete("/documents/2.25.4", params={"reason": "wrong"}).status_code == 204
    assert api.get("/documents/2.25.4").status_code == 410
    assert api.get("/documents/2.25.4/content").status_code == 410
    (entry,) = [e for e in api.get("/trash").json()["trash"] if e["uid"] == "2.25.4"]
    assert (entry["kind"], entry["reason"]) == ("document", "wrong")
    assert api.post(f"/trash/{entry['id']}/restore").status_code == 200
    assert api.get("/documents/2.25.4").status_code == 200


@pytest.mark.parametrize(
    ("facts", "status", "code"),
    [
        ({"titel": "x"}, 400, "unknown-name"),
        ({"birth_date": "yesterday"}, 400, "invalid-value"),
        ({"uid": "x"}, 400, "invalid-value"),
    ],
)
def test_wrong_facts_are_refused_by_name(
    api: httpx.Client, facts: dict[str, str], status: int, code: str
) -> None:
    answer = send(api, PDF, facts)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_nothing_is_no_document(api: httpx.Client) -> None:
    assert post(api, b"").status_code == 400
    assert api.get("/documents/2.25.404").status_code == 404

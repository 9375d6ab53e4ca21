"""/api/v1 about application entities, rules of routing and the queue, through HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.dicomweb.wire import store
from tests.faults.synthetic import Sent, small

CT1 = {"host": "10.0.0.5", "port": 104, "services": ["store"], "organisation": "hsa"}


@pytest.fixture(scope="module")
def sent(url: str) -> Sent:
    """A study of one instance."""
    found = small(7, 1)
    with httpx.Client(base_url=f"{url}/dicomweb") as client:
        assert store(client, found.data).status_code == 200
    return found


def test_an_ae_is_put_shown_listed_and_removed(api: httpx.Client) -> None:
    made = api.put("/aes/CT 1", json=CT1 | {"duplicates": "reject"}).json()

    assert (made["title"], made["duplicates"], made["tls"]) == ("CT 1", "reject", False)
    assert api.get("/aes/CT 1").json() == made
    assert made in api.get("/aes").json()["aes"]
    assert api.put("/aes/A/B", json={}).json()["services"] == [
        "commit",
        "find",
        "retrieve",
        "store",
    ]
    rules = [
        {"attribute": "InstitutionName", "values": ["Sud"]},
        {"attribute": "StudyDescription", "values": None},
    ]
    assert api.put("/aes/CT 1", json={"coercions": rules}).json()["coercions"] == rules
    wrong = [{"attribute": "PatientName", "values": ["X"]}]
    assert api.put("/aes/CT 1", json={"coercions": wrong}).status_code == 409
    for title in ("CT 1", "A/B"):
        assert api.delete(f"/aes/{title}").status_code == 204
        assert api.delete(f"/aes/{title}").status_code == 404


def test_a_title_that_was_added_shows_something_else(api: httpx.Client) -> None:
    wanted = {"view": "organisation", "organisation": "north"}
    made = api.put("/called-titles/VNA-NORTH", json=wanted).json()
    assert made == {"title": "VNA-NORTH", **wanted}
    assert api.get("/called-titles").json() == {"called_titles": [made]}
    assert api.delete("/called-titles/VNA-NORTH").status_code == 204


def test_nobody_was_refused_and_nothing_is_in_the_log(api: httpx.Client) -> None:
    assert api.get("/strangers").json() == {"strangers": []}
    assert api.get("/associations", params={"failed": "true"}).json() == {"associations": []}
    assert api.get("/associations/1").status_code == 404


def test_a_rule_is_put_tried_rests_and_is_removed(api: httpx.Client, sent: Sent) -> None:
    body = {"to": "ae:PACS", "where": {"Modality": ["CT", "OT"]}, "on": "arrival", "priority": 2}
    made = api.put("/routing-rules/r", json=body).json()
    assert "PACS" in made["error"]
    api.put("/aes/PACS", json={"host": "10.0.0.9", "port": 104})
    made = api.put("/routing-rules/r", json=body).json()
    assert made | body == made
    assert (made["error"], made["enabled"]) == ("", True)
    assert api.get("/routing-rules").json() == {"rules": [made]}
    assert api.get("/routing-rules/r").json() == made
    trial = api.get("/routing-rules/r/try", params={"study": sent.study_uid}).json()
    assert (trial["instances"], trial["error"]) == (1, "")
    assert api.post("/routing-rules/r/disable").json()["enabled"] is False
    assert api.post("/routing-rules/r/enable").json()["enabled"] is True
    assert api.delete("/routing-rules/r").status_code == 204
    assert api.get("/routing-rules/r").status_code == 404


def test_what_is_wanted_elsewhere_is_queued_retried_and_dropped(
    api: httpx.Client, sent: Sent
) -> None:
    to = "https://pacs.example/dicomweb"
    queued = api.post("/outgoing", json={"to": to, "study": sent.study_uid})
    assert (queued.status_code, queued.json()) == (202, {"instances": 1})
    (listed,) = api.get("/outgoing", params={"to": to, "state": "waiting"}).json()["outgoing"]
    assert (listed["instance"], listed["rule"]) == (sent.sop_uid, "")
    assert api.get("/outgoing/counts").json()["counts"] == [
        {"to": to, "state": "waiting", "instances": 1}
    ]
    assert api.post("/outgoing/retry", json={"ids": [listed["id"]]}).json() == {"instances": 1}
    assert api.post("/outgoing/drop", json={"to": to}).json() == {"instances": 1}
    assert api.get("/outgoing").json() == {"outgoing": []}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PUT", "/aes/A%5CB", {}, 400, "invalid-value"),
        ("PUT", "/aes/A", {"services": ["stor"]}, 400, "invalid-value"),
        ("GET", "/aes/NOBODY", None, 404, "not-found"),
        ("POST", "/strangers/approve", {"title": "NOBODY"}, 404, "not-found"),
        ("PUT", "/called-titles/A", {"view": "organisation"}, 400, "invalid-value"),
        ("PUT", "/routing-rules/r", {"to": "PACS"}, 400, "invalid-value"),
        ("PUT", "/routing-rules/r", {"to": "ae:A", "where": {"X": ["1"]}}, 400, "unknown-name"),
        ("POST", "/routing-rules/none/enable", None, 404, "not-found"),
        ("POST", "/outgoing", {"to": "https://x/y", "study": "1.2"}, 404, "not-found"),
        ("POST", "/outgoing/drop", {}, 400, "bad-request"),
    ],
)
def test_what_is_wrong_is_a_problem_with_a_stable_code(
    api: httpx.Client, method: str, path: str, body: Any, status: int, code: str
) -> None:
    answer = api.request(method, path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)

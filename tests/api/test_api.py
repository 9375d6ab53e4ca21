"""/api/v1: every operation through HTTP, described by its own OpenAPI document."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.dicomweb.wire import changed, store
from tests.faults.synthetic import Sent, small


@pytest.fixture(scope="module")
def sent(url: str) -> list[Sent]:
    """Two studies of two patients."""
    found = [small(1, 1), small(2, 1)]
    with httpx.Client(base_url=f"{url}/dicomweb") as client:
        assert store(client, *(each.data for each in found)).status_code == 200
    return found


def test_the_change_feed_is_read_to_its_end(api: httpx.Client, sent: list[Sent]) -> None:
    first = api.get("/changes", params={"limit": 1}).json()
    rest = api.get("/changes", params={"after": first["next"]}).json()

    numbers = [each["seq"] for each in first["changes"] + rest["changes"]]
    assert numbers == list(range(1, first["last"] + 1))
    assert {each["study"] for each in rest["changes"]} >= {sent[1].study_uid}
    assert api.get("/changes", params={"after": rest["last"]}).json()["changes"] == []


def test_a_reception_says_who_sent_what(
    api: httpx.Client, dicomweb: httpx.Client, sent: list[Sent]
) -> None:
    store(dicomweb, sent[0].data)
    (newest, *_) = api.get("/receptions").json()["receptions"]

    shown = api.get(f"/receptions/{newest['id']}").json()
    assert (shown["source"], shown["path"]) == ("stow", "/dicomweb/studies")
    assert shown["peer"] == "127.0.0.1"
    assert api.get("/receptions/999999").status_code == 404
    assert api.get("/receptions/x").status_code == 404


def test_a_held_object_is_listed_and_released(api: httpx.Client, dicomweb: httpx.Client) -> None:
    one, two = small(3, 1), small(3, 2)
    store(dicomweb, one.data)
    store(dicomweb, changed(two, 0x00100020, b"LO", "P0-3", "P0-9"))
    (held,) = api.get("/held", params={"study": one.study_uid}).json()["held"]

    assert held["reason"] == "study-of-another-patient"
    assert held["patient"]["00100020"]["Value"] == ["P0-9"]
    assert api.get(f"/held/{held['id']}").json() == held
    wrong = api.post(f"/held/{held['id']}/release", json={"into": "nowhere", "reason": "r"})
    assert (wrong.status_code, wrong.json()["name"]) == (400, "into")
    released = api.post(f"/held/{held['id']}/release", json={"into": "existing", "reason": "r"})
    assert released.status_code == 200, released.text
    assert released.json()["study"] == one.study_uid
    assert len(dicomweb.get(f"/studies/{one.study_uid}/instances").json()) == 2
    again = api.post(f"/held/{held['id']}/discard", json={"reason": "r"})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


def test_a_merge_is_made_shown_and_taken_back(
    api: httpx.Client, dicomweb: httpx.Client, sent: list[Sent]
) -> None:
    merged = api.post(
        "/patients/merge", json={"source": "P0-1", "target": "P0-2", "reason": "same person"}
    )
    assert merged.status_code == 200, merged.text

    patient = api.get("/patients/P0-1").json()
    assert set(patient["identifiers"]) == {"P0-1", "P0-2"}
    assert patient["studies"] == 2
    found = dicomweb.get("/studies", params={"PatientID": "P0-2"}).json()
    assert len(found) == 2
    body = {"operation": merged.json()["operation"], "reason": "not the same"}
    assert api.post("/patients/unmerge", json=body).status_code == 200
    assert api.get("/patients/P0-1").json()["identifiers"] == ["P0-1"]
    both = api.post("/patients/unmerge", json={"reason": "r"})
    assert both.status_code == 400


def test_a_correction_is_laid_listed_and_withdrawn(
    api: httpx.Client, dicomweb: httpx.Client, sent: list[Sent]
) -> None:
    body = {
        "study": sent[0].study_uid,
        "corrections": [{"attribute": "StudyDescription", "values": ["Corrected"]}],
        "reason": "typing error",
    }
    done = api.post("/corrections", json=body)
    assert done.status_code == 200, done.text

    def description() -> list[str]:
        (row,) = dicomweb.get(
            "/studies",
            params={"StudyInstanceUID": sent[0].study_uid, "includefield": "StudyDescription"},
        ).json()
        found: list[str] = row.get("00081030", {}).get("Value", [])
        return found

    assert description() == ["Corrected"]
    (listed,) = api.get("/corrections", params={"study": sent[0].study_uid}).json()["corrections"]
    assert (listed["keyword"], listed["in_force"]) == ("StudyDescription", True)
    operation = done.json()["operation"]
    assert api.post(f"/corrections/{operation}/withdraw", json={"reason": "r"}).status_code == 200
    assert description() == []


def test_attention_is_listed_and_resolved(api: httpx.Client, dicomweb: httpx.Client) -> None:
    one = small(4, 1)
    store(dicomweb, one.data)
    store(dicomweb, one.data[:-1] + b"!")  # other pixels under a known UID

    def open_matters() -> list[dict[str, Any]]:
        listed = api.get("/attention").json()["attention"]
        return [each for each in listed if each["study"] == one.study_uid]

    assert open_matters()
    for each in open_matters():
        done = api.post(f"/attention/{each['id']}/resolve", json={"reason": "seen"})
        assert done.status_code == 204, done.text
    assert open_matters() == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/nothing", None, 404, "not-found"),
        ("PUT", "/held", None, 405, "method-not-allowed"),
        ("GET", "/changes?aftr=1", None, 400, "unknown-name"),
        ("GET", "/changes?after=x", None, 400, "invalid-value"),
        ("POST", "/patients/merge", "nonsense", 400, "invalid-value"),
        ("POST", "/patients/merge", {"source": "a"}, 400, "invalid-value"),
        ("GET", "/patients/nobody", None, 404, "not-found"),
        ("POST", "/held/999/discard", {"reason": "r"}, 404, "not-found"),
        ("POST", "/trash/999/restore", None, 404, "not-found"),
    ],
)
def test_errors_are_problems_with_stable_codes(
    api: httpx.Client, method: str, path: str, body: Any, status: int, code: str
) -> None:
    answer = api.request(method, path, json=body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


def test_health_is_told_without_and_with_details(url: str) -> None:
    assert httpx.get(f"{url}/livez").json() == {"status": "ok"}
    assert httpx.get(f"{url}/readyz").json() == {"status": "ok"}
    verbose = httpx.get(f"{url}/readyz?verbose").json()
    assert verbose["checks"] == {"database": "ok", "storage": "ok"}


def test_openapi_describes_every_operation(api: httpx.Client, url: str) -> None:
    document = api.get("/openapi.json").json()

    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": url}]
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    ids = [each["operationId"] for each in operations]
    assert len(ids) == len(set(ids)) > 20
    assert all(each["summary"].endswith(".") for each in operations)
    assert all("default" in each["responses"] for each in operations)


def test_every_reference_of_openapi_leads_somewhere(api: httpx.Client) -> None:
    document = api.get("/openapi.json").json()
    known = document["components"]["schemas"]

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [each for inner in value.values() for each in references(inner)]
        return (
            [each for inner in value for each in references(inner)]
            if isinstance(value, list)
            else []
        )

    found = references(document)
    assert found
    assert {each.rpartition("/")[2] for each in found} <= set(known)


def test_every_described_path_is_served(api: httpx.Client, url: str) -> None:
    for path, methods in api.get("/openapi.json").json()["paths"].items():
        concrete = path
        for name in ("uid", "id", "identifier", "operation", "title", "name"):
            concrete = concrete.replace(f"{{{name}}}", "1")
        allowed = set(httpx.options(url + concrete).headers["allow"].lower().split(", "))
        assert set(methods) <= allowed, path

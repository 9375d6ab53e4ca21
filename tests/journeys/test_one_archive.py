"""What users rely on, through the real server and its real interfaces, on both databases."""

from __future__ import annotations

import http.client
import json
import shutil
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults import server as servers
from tests.faults.client import BOUNDARY, ORIGINAL, body, get
from tests.faults.synthetic import EXPLICIT_LE, SECONDARY_CAPTURE, Sent, file_meta, small

JSON = "application/dicom+json"
INSTANCES = 1000


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[servers.Server]:
    options: list[str] = []
    if request.param == "postgresql":
        options = ["--database", request.getfixturevalue("postgresql_url")]
    quiet = {"VNA_INGEST__QUIET_SECONDS": "1"}
    with servers.running(tmp_path / "data", *options, environment=quiet) as running:
        yield running


def test_an_object_sent_in_every_way_is_one_instance_and_one_stored_object(
    server: servers.Server, tmp_path: Path
) -> None:
    one = small(1, 1)
    again = _with_other_file_meta(one)
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "image.dcm").write_bytes(again.data)

    assert _post(server.port, [one])[0] == 200
    _vna(server, "import", str(tmp_path / "disk"))
    statuses = _parallel(100, lambda _: _post(server.port, [one])[0])

    assert statuses == [200] * 100
    assert len(_find(server.port, "/instances")) == 1
    stats = json.loads(_vna(server, "stats", "--json"))
    assert (stats["instances"], stats["objects"]) == (1, 1)
    status, content = get(server.port, ORIGINAL.format(one.study_uid, one.series_uid, one.sop_uid))
    assert (status, content) == (200, one.data)


def test_first_objects_of_one_new_patient_from_many_clients_make_one_patient(
    server: servers.Server,
) -> None:
    firsts = [_of_patient(small(number, 1), "NUEVO-1") for number in range(32)]

    statuses = _parallel(32, lambda number: _post(server.port, [firsts[number]])[0])

    assert statuses == [200] * 32
    assert len(_find(server.port, "/studies", PatientID="NUEVO-1")) == 32
    assert json.loads(_vna(server, "stats", "--json"))["patients"] == 1


def test_a_merge_is_shown_everywhere_and_can_be_taken_back(server: servers.Server) -> None:
    wrong, right = small(1, 1), small(2, 1)
    assert _post(server.port, [wrong, right])[0] == 200
    before = _find(server.port, "/studies", includefield="all")

    _vna(server, "patient", "merge", "P0-1", "P0-2", "--reason", "same person", "--yes")

    assert len(_find(server.port, "/studies", PatientID="P0-2")) == 2
    assert _find(server.port, "/studies", PatientID="P0-1") == []
    metadata = _get_json(server.port, f"/studies/{wrong.study_uid}/metadata")
    assert metadata[0]["00100020"]["Value"] == ["P0-2"]
    original = ORIGINAL.format(wrong.study_uid, wrong.series_uid, wrong.sop_uid)
    file = original.removesuffix("?original")
    status, content = get(server.port, file, "application/dicom")
    assert status == 200
    assert b"P0-2" in content
    assert get(server.port, original) == (200, wrong.data)

    _vna(server, "patient", "unmerge", "P0-1", "--reason", "not the same person", "--yes")

    assert _find(server.port, "/studies", includefield="all") == before


def test_a_settled_series_is_found_and_described_without_the_object_files(
    server: servers.Server,
) -> None:
    slices = [small(5, number) for number in range(1, INSTANCES + 1)]
    for first in range(0, INSTANCES, 100):
        assert _post(server.port, slices[first : first + 100])[0] == 200
    _until_settled(server.port, slices[0].study_uid)
    series = f"/studies/{slices[0].study_uid}/series/{slices[0].series_uid}"
    before = _get_json(server.port, f"{series}/metadata")
    for folder in ("seg", "big"):
        for place in server.data.rglob(folder):
            shutil.move(place, server.data / f"away-{folder}")

    assert len(_find(server.port, f"{series}/instances")) == INSTANCES
    assert _get_json(server.port, f"{series}/metadata") == before
    assert len(before) == INSTANCES


def _until_settled(port: int, study_uid: str) -> None:
    """Follow the change feed until it says that the study is complete."""
    after, deadline = 0, time.monotonic() + 60
    while time.monotonic() < deadline:
        status, content = get(port, f"/api/v1/changes?after={after}&limit=1000")
        assert status == 200, content[:500]
        page = json.loads(content)
        for change in page["changes"]:
            if (change["kind"], change["study"]) == ("study settled", study_uid):
                return
        after = page["next"]
        time.sleep(0.1)
    raise TimeoutError("the study was not settled within 60 s")


def _post(port: int, parts: list[Sent]) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
    connection.request("POST", "/dicomweb/studies", body(parts), {"Content-Type": kind})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content


def _parallel(count: int, call: Callable[[int], int]) -> list[int]:
    results = [0] * count
    start = threading.Barrier(min(count, 32))

    def run(first: int) -> None:
        start.wait()
        for number in range(first, count, start.parties):
            results[number] = call(number)

    threads = [threading.Thread(target=run, args=(first,)) for first in range(start.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def _find(port: int, resource: str, **keys: str) -> list[dict[str, object]]:
    status, content = get(port, f"/dicomweb{resource}?{urllib.parse.urlencode(keys)}", JSON)
    assert status in (200, 204), content[:500]
    return json.loads(content) if status == 200 else []


def _get_json(port: int, path: str) -> list[dict[str, dict[str, list[str]]]]:
    status, content = get(port, f"/dicomweb{path}", JSON)
    assert status == 200, content[:500]
    result: list[dict[str, dict[str, list[str]]]] = json.loads(content)
    return result


def _vna(server: servers.Server, *words: str) -> str:
    database = server.process.args
    options: list[str] = []
    if isinstance(database, list) and "--database" in database:
        options = ["--database", str(database[database.index("--database") + 1])]
    return servers.vna(*words, *options, data=server.data).stdout


def _with_other_file_meta(one: Sent) -> Sent:
    dataset = one.data[len(file_meta(SECONDARY_CAPTURE, one.sop_uid, EXPLICIT_LE)) :]
    meta = file_meta(SECONDARY_CAPTURE, one.sop_uid, EXPLICIT_LE).replace(b"\0" * 128, b"X" * 128)
    return Sent(one.study_uid, one.series_uid, one.sop_uid, meta + dataset)


def _of_patient(one: Sent, patient: str) -> Sent:
    """The same object with another PatientID."""
    start = one.data.index(b"\x10\x00\x20\x00LO")
    length = int.from_bytes(one.data[start + 6 : start + 8], "little")
    value = patient.encode() + b" " * (len(patient) % 2)
    element = b"\x10\x00\x20\x00LO" + len(value).to_bytes(2, "little") + value
    data = one.data[:start] + element + one.data[start + 8 + length :]
    return Sent(one.study_uid, one.series_uid, one.sop_uid, data)

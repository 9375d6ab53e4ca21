"""The index of a killed server is deleted, and the next start has everything again."""

from __future__ import annotations

import json
import random
import shutil
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults import server as servers
from tests.faults.client import AckLog, get, send
from tests.faults.synthetic import Sent, small
from tests.faults.test_stores import check, settings
from tests.size import size

ROUNDS = size(2, 20)
OBJECTS = size(40, 200)


def without_index(data: Path) -> None:
    for each in data.glob("index.db*"):
        each.unlink()


def studies(server: servers.Server) -> list[dict[str, object]]:
    status, content = get(
        server.port, "/dicomweb/studies?includefield=all&limit=1000", "application/dicom+json"
    )
    assert status == 200
    found: list[dict[str, object]] = json.loads(content)
    for each in found:
        del each["00081190"]  # a URL with the port
    return found


def test_every_acknowledged_object_is_there_after_the_index_was_lost(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """The server is killed while four clients send, the index deleted, the server started."""
    data, acknowledged = tmp_path / "data", tmp_path / "acknowledged"
    environment = settings(tmp_path, ack=1)
    sent: dict[str, Sent] = {}
    for turn in range(ROUNDS):
        dice = random.Random(turn)
        objects = [[small(n, one, salt=turn) for one in range(OBJECTS)] for n in range(4)]
        sent |= {one.sop_uid: one for some in objects for one in some}
        server = servers.start(data, environment=environment)
        acks = threading.Semaphore(0)
        with closing(AckLog(acknowledged)) as log:
            clients = [
                threading.Thread(
                    target=send, args=(server.port, [[one] for one in some], log, acks.release)
                )
                for some in objects
            ]
            for client in clients:
                client.start()
            for _ in range(dice.randint(OBJECTS, 4 * OBJECTS - 4)):
                assert acks.acquire(timeout=60)
            server.kill()
            for client in clients:
                client.join()
        without_index(data)
    kept = [sent[uid] for uid in AckLog.read(acknowledged)]
    record_property("rounds", ROUNDS)
    record_property("acknowledged", len(kept))
    with servers.running(data, environment=environment) as server:
        check(server, kept)


def test_an_index_made_again_answers_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    for name, value in settings(tmp_path, ack=2).items():
        monkeypatch.setenv(name, value)
    objects = [small(study, one) for study in range(5) for one in range(4)]
    with servers.running(data) as server, closing(AckLog(tmp_path / "log")) as log:
        send(server.port, [objects], log, lambda: None)
        study = objects[0].study_uid
        servers.vna(
            "correct",
            "--study",
            study,
            "StudyDescription=OTHER",
            "--reason",
            "typo",
            "--yes",
            data=data,
        )
        servers.vna(
            "trash", "put", "--study", objects[4].study_uid, "--reason", "x", "--yes", data=data
        )
        before = studies(server)
    assert len(before) == 4
    without_index(data)
    said = json.loads(servers.vna("rebuild", "--json", data=data).stdout.splitlines()[-1])
    assert (said["state"], said["adopted"], said["decisions_lost"]) == ("rebuilt", 0, 0)
    again = json.loads(servers.vna("rebuild", "--json", data=data).stdout)
    assert again == {"state": "the index is not behind the stores"}
    with servers.running(data) as server:
        assert studies(server) == before
        check(server, [each for each in objects if each.study_uid != objects[4].study_uid])
        servers.vna("trash", "restore", "1", data=data)
        check(server, objects)
    assert json.loads(servers.vna("fsck", "--full", "--json", data=data).stdout)["missing"] == 0


def test_an_older_copy_of_the_index_catches_up_before_it_is_served(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy"
    first, second = ([small(study, one) for one in range(5)] for study in (1, 2))
    with closing(AckLog(tmp_path / "log")) as log:
        with servers.running(data) as server:
            send(server.port, [first], log, lambda: None)
        shutil.copytree(data, copy, ignore=shutil.ignore_patterns("store", "run"))
        with servers.running(data) as server:
            send(server.port, [second], log, lambda: None)
            before = studies(server)
        without_index(data)
        for each in copy.glob("index.db*"):
            shutil.copy(each, data)
        with servers.running(data) as server:
            assert studies(server) == before
            check(server, first + second)


def test_where_a_store_is_away_that_may_know_more_nothing_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    for name, value in settings(tmp_path, ack=1).items():
        monkeypatch.setenv(name, value)
    with servers.running(data) as server, closing(AckLog(tmp_path / "log")) as log:
        send(server.port, [[small(1, 1)]], log, lambda: None)
    without_index(data)
    (tmp_path / "far").rename(tmp_path / "away")
    refused = servers.vna("rebuild", data=data, codes=(9,))
    assert "the store far" in refused.stderr
    shutil.rmtree(tmp_path / "far", ignore_errors=True)
    (tmp_path / "away").rename(tmp_path / "far")
    servers.vna("rebuild", data=data)
    with servers.running(data) as server:
        check(server, [small(1, 1)])

"""Two stores under a real server: killed, damaged, taken away."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults import server as servers
from tests.faults.client import ORIGINAL, AckLog, get, offer, offer_again, send
from tests.faults.synthetic import Sent, native, small
from tests.peers import ceph
from tests.peers.ceph import Ceph
from tests.size import size
from vna.objects.ulid import new_ulid

ROUNDS = size(2, 20)
OBJECTS = size(6, 40)
PAUSE_SECONDS = size(3, 20)


def settings(folder: Path, *, ack: int, copies: int = 2) -> dict[str, str]:
    """The environment of a server with two stores below `folder`."""
    return {
        "VNA_STORES": f"near {folder}/near domain=a, far {folder}/far domain=b",
        "VNA_STORE__ACK_COPIES": str(ack),
        "VNA_STORE__COPIES": str(copies),
    }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the stores lie; verbs of the test have the server's settings."""
    for name, value in settings(tmp_path, ack=1).items():
        monkeypatch.setenv(name, value)
    return tmp_path


def sent_all(server: servers.Server, log: AckLog, objects: list[Sent]) -> None:
    send(server.port, [[each] for each in objects], log, lambda: None)


def check(server: servers.Server, objects: list[Sent]) -> None:
    """Every object is what was sent."""
    for one in objects:
        path = ORIGINAL.format(one.study_uid, one.series_uid, one.sop_uid)
        status, content = get(server.port, path)
        assert (status, content) == (200, one.data), one.sop_uid


def segments(store: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in store.rglob("*.vseg")}


def wait_for(what: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)


def test_either_of_two_stores_has_everything_acknowledged_after_kill_nine(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    data, acknowledged = tmp_path / "data", tmp_path / "acknowledged"
    environment = settings(tmp_path, ack=2)
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
            for _ in range(dice.randint(2, 3 * OBJECTS)):
                assert acks.acquire(timeout=60)
            server.kill()
            for client in clients:
                client.join()
    kept = [sent[uid] for uid in AckLog.read(acknowledged)]
    record_property("rounds", ROUNDS)
    record_property("acknowledged", len(kept))
    assert len(kept) < len(sent), "no round was killed before the end"
    for gone in ("near", "far"):
        (tmp_path / gone).rename(tmp_path / "away")
        with servers.running(data, environment=settings(tmp_path, ack=1)) as server:
            check(server, kept)
        shutil.rmtree(tmp_path / gone, ignore_errors=True)
        (tmp_path / "away").rename(tmp_path / gone)


def test_a_flipped_bit_is_never_served_and_is_repaired_from_the_other_store(folder: Path) -> None:
    data = folder / "data"
    objects = [small(1, one) for one in range(OBJECTS)]
    with servers.running(data) as server, closing(AckLog(folder / "log")) as log:
        sent_all(server, log, objects)
    with servers.running(data) as server:
        wait_for(lambda: bool(segments(folder / "near")))
        wait_for(lambda: segments(folder / "near") == segments(folder / "far"))
        (segment,) = (folder / "near").rglob("*.vseg")
        good = segment.read_bytes()
        at = good.index(objects[2].data) + len(objects[2].data) - 40
        with segment.open("r+b") as file:
            file.seek(at)
            file.write(bytes([good[at] ^ 1]))
        check(server, objects)
        wait_for(lambda: segment.exists() and segment.read_bytes() == good)
        check(server, objects)
        assert list((folder / "near" / "q").rglob("*.vseg"))
    report = json.loads(servers.vna("scrub", "--json", data=data).stdout.splitlines()[0])
    assert report["damaged"] == 0


def test_without_another_copy_the_read_names_the_object_and_sending_again_heals(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    objects = [small(1, one) for one in range(OBJECTS)]
    bad = objects[2]
    path = ORIGINAL.format(bad.study_uid, bad.series_uid, bad.sop_uid)
    with servers.running(data) as server, closing(AckLog(tmp_path / "log")) as log:
        sent_all(server, log, objects)
        for segment in (data / "store").rglob("*.vseg"):
            content = segment.read_bytes()
            if bad.data in content:
                with segment.open("r+b") as file:
                    at = content.index(bad.data) + len(bad.data) - 40
                    file.seek(at)
                    file.write(bytes([content[at] ^ 1]))
        status, content = get(server.port, path)
        assert status == 500
        assert json.loads(content)["code"] == "damaged"
        found = servers.vna("scrub", "--json", data=data, codes=(5,)).stdout.splitlines()
        (row,) = [json.loads(line) for line in found[1:]]
        assert row["objects"] == [hashlib.sha256(bad.data).hexdigest()]
        check(server, [each for each in objects if each is not bad])
        sent_all(server, log, [bad])
        check(server, objects)


def test_an_archive_goes_on_while_a_store_is_away_and_catches_up(folder: Path) -> None:
    data = folder / "data"
    first = [small(1, one) for one in range(OBJECTS)]
    second = [small(2, one) for one in range(OBJECTS)]
    with servers.running(data) as server, closing(AckLog(folder / "log")) as log:
        sent_all(server, log, first)
    with servers.running(data):
        wait_for(lambda: bool(segments(folder / "near")))
        wait_for(lambda: segments(folder / "near") == segments(folder / "far"))
    (folder / "near").rename(folder / "away")
    with servers.running(data) as server, closing(AckLog(folder / "log2")) as log:
        check(server, first)
        sent_all(server, log, second)
        check(server, second)
        assert not (folder / "near" / "seg").exists(), "an empty folder was taken for the store"
    shutil.rmtree(folder / "near", ignore_errors=True)
    (folder / "away").rename(folder / "near")
    with servers.running(data) as server:
        check(server, first + second)
        servers.vna("store", "replicate", data=data)
        wait_for(lambda: segments(folder / "near") == segments(folder / "far"))


def test_an_archive_in_a_bucket_keeps_what_it_acknowledged(tmp_path: Path, s3: Ceph) -> None:
    """Killed while it stores to S3; the service's disk is pulled, and its gateway is silent, for a
    while."""
    data = tmp_path / "data"
    s3.make_bucket("archive")
    (tmp_path / "keys").write_text(
        f'access_key = "{ceph.ACCESS_KEY}"\nsecret_key = "{ceph.SECRET_KEY}"\n'
    )
    environment = {
        "VNA_STORES": f"bucket s3://archive/{new_ulid()} endpoint={s3.endpoint} "
        f"credentials={tmp_path}/keys cache=1GiB"
    }
    objects = [small(1, one) for one in range(4 * OBJECTS)]
    film = native(9 << 20)
    large = Sent(film.study_uid, film.series_uid, film.sop_uid, b"".join(film.chunks()))
    server = servers.start(data, environment=environment)
    acks = threading.Semaphore(0)
    with closing(AckLog(tmp_path / "log")) as log:
        client = threading.Thread(
            target=send, args=(server.port, [[one] for one in objects], log, acks.release)
        )
        client.start()
        for _ in range(OBJECTS):
            assert acks.acquire(timeout=60)
        server.kill()
        client.join()
    kept = AckLog.read(tmp_path / "log")
    with servers.running(data, environment=environment) as server:
        check(server, [one for one in objects if one.sop_uid in kept])
        s3.kill_disk()
        s3.start_disk()
        with closing(AckLog(tmp_path / "log2")) as log:
            sent_all(server, log, objects)
            assert AckLog.read(tmp_path / "log2") == {one.sop_uid for one in objects}
            sent_all(server, log, [large])
        check(server, [*objects, large])
        with s3.paused():
            check(server, objects)  # from the cache
        late = small(2, 1)
        with s3.paused():
            answers = list[tuple[int, bytes]]()
            waiting = threading.Thread(target=lambda: answers.append(offer(server.port, [late])))
            waiting.start()
            waiting.join(PAUSE_SECONDS)
            assert not answers or answers[0][0] == 503  # it is not acknowledged
        waiting.join()
        assert answers[0][0] in (200, 503)
        offer_again(server.port, [[late]], {})
        check(server, [late])
    assert not (data / "store").exists()
    assert not list((data / "spool").rglob("*.bin"))

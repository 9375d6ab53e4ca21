"""A backup beside a running server, killed in the middle, and an archive made of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.faults import server as servers
from tests.faults.client import AckLog, send
from tests.faults.synthetic import Sent, native, small
from tests.faults.test_stores import check
from tests.size import size

OBJECTS = size(60, 2000)
KILLS = size(2, 10)


def last(output: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(output.splitlines()[-1])
    return found


def test_an_archive_is_restored_with_all_that_was_acknowledged_before_the_mark(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    data, place, anew = tmp_path / "data", tmp_path / "backup", tmp_path / "anew"
    film = native(9 << 20)
    large = Sent(film.study_uid, film.series_uid, film.sop_uid, b"".join(film.chunks()))
    objects = [[small(n, one) for one in range(OBJECTS)] for n in range(3)]
    sent = {one.sop_uid: one for some in objects for one in some} | {large.sop_uid: large}
    acks = threading.Semaphore(0)
    with servers.running(data) as server, closing(AckLog(tmp_path / "log")) as log:
        send(server.port, [[large]], log, lambda: None)
        clients = [
            threading.Thread(
                target=send, args=(server.port, [[one] for one in some], log, acks.release)
            )
            for some in objects
        ]
        for client in clients:
            client.start()
        for _ in range(10):
            assert acks.acquire(timeout=60)
        for _ in range(KILLS):
            _killed_backup(data, place)
        before = AckLog.read(tmp_path / "log")
        mark = last(servers.vna("backup", str(place), "--json", data=data).stdout)
        for client in clients:
            client.join()
        again = last(servers.vna("backup", str(place), "--json", data=data).stdout)
    assert (mark["failed"], again["failed"]) == ([], [])
    done = last(servers.vna("restore", str(place), "--json", data=anew).stdout)
    assert done["bad"] == []
    record_property("objects", len(sent))
    record_property("seconds to restore", done["seconds"])
    with servers.running(anew) as server:
        check(server, [sent[uid] for uid in before])
        check(server, list(sent.values()))  # acknowledged before the second mark
    report = last(servers.vna("fsck", "--full", "--json", data=anew).stdout)
    assert {name: count for name, count in report.items() if count} == {}


def _killed_backup(data: Path, place: Path) -> None:
    """One that dies while it copies."""
    process = subprocess.Popen(
        [sys.executable, "-m", "vna", "backup", str(place), "--data", str(data)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ,
    )
    deadline = time.monotonic() + 60
    while not list(place.rglob("*.vseg")) and not list(place.rglob("*.bin")):
        if process.poll() is not None:
            break
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.kill()
    process.wait(30)

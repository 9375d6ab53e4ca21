"""kill -9 of the whole process tree during ingest: what was acknowledged is there, and nothing else
is half there."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.faults import server as servers
from tests.faults.client import ORIGINAL, AckLog, get, send
from tests.faults.synthetic import Sent, small
from tests.size import size

ROUNDS = size(3, 30)
CLIENTS = 4
BATCHES = 40
ACKNOWLEDGEMENTS = size(20, 60)


def test_kill_nine_during_ingest_loses_nothing_acknowledged(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    data, log_path = tmp_path / "data", tmp_path / "acknowledged"
    sent: dict[str, Sent] = {}
    for turn in range(ROUNDS):
        with closing(AckLog(log_path)) as log:
            sent |= _ingest_until_killed(data, log, turn)
        with servers.running(data) as server:
            _check(server, AckLog.read(log_path), sent)
        servers.vna("verify", "--json", data=data)
    checked = json.loads(
        servers.vna("fsck", "--json", data=data, codes=(0, 5)).stdout.split("\n")[0]
    )
    assert (checked["missing"], checked["no-copy"], checked["stray"]) == (0, 0, 0)
    unacknowledged = len(sent) - len(AckLog.read(log_path))
    record_property("rounds", ROUNDS)
    record_property("acknowledged", len(AckLog.read(log_path)))
    record_property("sent and not acknowledged", unacknowledged)
    assert unacknowledged > 0, "no round was killed between a send and its acknowledgement"


def _ingest_until_killed(data: Path, log: AckLog, turn: int) -> dict[str, Sent]:
    """Send from four clients and kill the server at some acknowledgement; what was offered."""
    dice = random.Random(turn)
    last, count = dice.randrange(4, ACKNOWLEDGEMENTS), 0
    reached = threading.Event()
    counted = threading.Lock()

    def on_ack() -> None:
        nonlocal count
        with counted:
            count += 1
            if count >= last:
                reached.set()

    batches: list[list[list[Sent]]] = []
    for number in range(CLIENTS):
        batches.append(
            [
                [
                    small(number * BATCHES + batch, one, salt=turn)
                    for one in range(dice.randint(1, 8))
                ]
                for batch in range(BATCHES)
            ]
        )
    server = servers.start(data)
    clients = [
        threading.Thread(target=send, args=(server.port, share, log, on_ack)) for share in batches
    ]
    for client in clients:
        client.start()
    assert reached.wait(120), "the server acknowledged too little to be killed"
    server.kill()
    for client in clients:
        client.join()
    return {one.sop_uid: one for share in batches for batch in share for one in batch}


def _check(server: servers.Server, acknowledged: set[str], sent: dict[str, Sent]) -> None:
    """Every acknowledged object equals what was sent, and so does every other one that is shown."""
    shown = _shown(server.port)
    assert acknowledged <= shown, f"{len(acknowledged - shown)} acknowledged objects are missing"
    for uid in shown:
        one = sent[uid]
        status, content = get(
            server.port, ORIGINAL.format(one.study_uid, one.series_uid, one.sop_uid)
        )
        assert (status, content) == (200, one.data), f"{uid} differs from what was sent"


def _shown(port: int) -> set[str]:
    """Every SOP Instance UID that QIDO-RS lists."""
    uids: set[str] = set()
    while True:
        path = f"/dicomweb/instances?limit=1000&offset={len(uids)}"
        status, content = get(port, path, "application/dicom+json")
        if status == 204:
            return uids
        assert status == 200, content[:500]
        uids |= {row["00080018"]["Value"][0] for row in json.loads(content)}

"""Disks that are full or fail under a real server."""

from __future__ import annotations

import errno
import http.client
import json
import random
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults import server as servers
from tests.faults.client import check, get, offer, offer_again, unkept
from tests.faults.synthetic import Sent, small
from tests.peers import libfiu
from tests.peers.libfiu import Fault
from tests.peers.require import require
from tests.size import size

ROUNDS = size(5, 200)
BATCHES, OBJECTS = 12, 4
LARGE = 6400  # rows of 64 bytes: such a one is written past the page cache
FAULTS = [
    pytest.param(Fault("posix/io/rw/writev", errno.ENOSPC, 0.3), id="no space for segments"),
    pytest.param(Fault("posix/io/rw/writev", errno.EIO, 0.3), id="segments cannot be written"),
    pytest.param(Fault("posix/io/rw/pwrite", errno.ENOSPC, 0.1), id="no space for the index"),
    pytest.param(Fault("posix/io/rw/pwrite", errno.EIO, 0.1), id="the index cannot be written"),
    pytest.param(Fault("posix/io/sync/fdatasync", errno.EIO, 0.2), id="fdatasync fails"),
    pytest.param(Fault("posix/io/sync/fsync", errno.EIO, 0.3), id="fsync fails"),
    pytest.param(Fault("posix/io/rw/pread", errno.EIO, 0.1), id="what is there cannot be read"),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_calls_that_fail_lose_nothing_acknowledged(
    tmp_path: Path, record_property: Callable[[str, object], None], fault: Fault
) -> None:
    require(libfiu.missing())
    data, kept, failed = tmp_path / "data", dict[str, Sent](), 0
    with servers.running(data, before=libfiu.command(tmp_path)) as server:
        for turn in range(ROUNDS):
            batches = [
                [
                    small(turn * BATCHES + batch, one, rows=LARGE if one == batch else 64)
                    for one in range(OBJECTS)
                ]
                for batch in range(BATCHES)
            ]
            processes = server.tree()
            libfiu.begin(tmp_path, processes, fault)
            again = unkept(server.port, batches, kept)
            libfiu.end(tmp_path, processes, fault)
            failed += len(again)
            offer_again(server.port, again, kept)
            check(server.port, random.Random(turn).sample(list(kept.values()), 10))
    record_property("requests that failed", failed)
    assert failed, "nothing failed"
    with servers.running(data) as server:
        check(server.port, list(kept.values()))
        servers.vna("verify", "--json", data=data)
        found = json.loads(
            servers.vna("fsck", "--json", data=data, codes=(0, 5)).stdout.split("\n")[0]
        )
        assert (found["missing"], found["no-copy"], found["stray"]) == (0, 0, 0)


def test_a_full_store_takes_nothing_new_until_space_is_given_back(tmp_path: Path) -> None:
    data = tmp_path / "data"
    first, second = [[small(study, one) for one in range(OBJECTS)] for study in (1, 2)]
    with servers.running(data) as server:
        assert offer(server.port, first)[0] == 200
    full = {"VNA_STORE__RESERVE": str(shutil.disk_usage(tmp_path).total)}
    with servers.running(data, environment=full, ready=False) as server:
        status, content = offer(server.port, second)
        assert status == 503
        assert "full" in json.loads(content)["detail"]
        assert get(server.port, "/readyz")[0] == 503
        check(server.port, first)
        assert offer(server.port, first)[0] == 200, "what is there needs no room"
        study = f"/dicomweb/studies/{first[0].study_uid}"
        with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as asked:
            asked.request("DELETE", study)
            assert asked.getresponse().status == 204, "decisions are made from the reserve"
        assert get(server.port, study)[0] == 410
    with servers.running(data) as server:
        assert offer(server.port, second)[0] == 200
        check(server.port, second)

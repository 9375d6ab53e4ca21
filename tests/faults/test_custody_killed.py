"""kill -9 in the middle of what moves and removes bytes, again and again until it is done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests.faults import server as servers
from tests.faults.client import AckLog, get, send
from tests.faults.synthetic import Sent, native, small
from tests.faults.test_rebuild import studies, without_index
from tests.faults.test_stores import check, segments, settings, wait_for
from tests.size import size
from vna.objects.record import LONGEST_HEADER

KILLS = size(5, 200)
STUDIES, OBJECTS, FILMS = 6, size(15, 60), 3
LEAST_SECONDS, MOST_SECONDS = 0.45, 1.6  # in which a command has begun to work, and is about done


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of an archive with two stores and small segments; verbs know them."""
    for name, value in settings(tmp_path, ack=1).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("VNA_STORE__SEGMENT_SIZE", str(1 << 20))
    return tmp_path / "data"


@pytest.fixture
def objects(data: Path) -> list[list[Sent]]:
    """What was stored, by study; the last ones are large."""
    films = [native(9 << 20, name=name) for name in range(FILMS)]
    large = [Sent(f.study_uid, f.series_uid, f.sop_uid, b"".join(f.chunks())) for f in films]
    made = [[small(study, one) for one in range(OBJECTS)] for study in range(STUDIES)]
    made += [[each] for each in large]
    mixed = [list(some) for some in zip(*made[:STUDIES], strict=True)]
    with servers.running(data) as server, closing(AckLog(data.parent / "log")) as log:
        send(server.port, [*mixed, *made[STUDIES:]], log, lambda: None)
    assert len(AckLog.read(data.parent / "log")) == sum(map(len, made))
    return made


def killed(data: Path, *words: str) -> int:
    """Run a command that dies later and later, at most KILLS times; how often it died."""
    for number in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-m", "vna", *words, "--data", str(data)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ,
        )
        step = (MOST_SECONDS - LEAST_SECONDS) / KILLS
        try:
            process.wait(LEAST_SECONDS + number * step)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(30)
        else:
            return number
    return KILLS


def holds(store: Path, objects: list[list[Sent]]) -> bool:
    """Whether every object lies in a store."""
    packed = b"".join(segments(store).values())
    files = {each.read_bytes() for each in store.rglob("*.bin")}
    return all(each.data in packed or each.data in files for some in objects for each in some)


def in_both_stores(data: Path, objects: list[list[Sent]]) -> None:
    """Have every copy made."""
    with servers.running(data):
        servers.vna("store", "replicate", data=data)
        for store in ("near", "far"):
            wait_for(partial(holds, data.parent / store, objects))


def clean(data: Path, objects: list[list[Sent]]) -> None:
    """After a restart everything is there, and nothing else."""
    with servers.running(data) as server:
        check(server, [each for some in objects for each in some])
    said = servers.vna("fsck", "--full", "--json", data=data, codes=(0, 5)).stdout
    found, *problems = [json.loads(line) for line in said.splitlines()]
    assert (found["missing"], found["no-copy"], found["rowless"]) == (0, 0, 0), said[:3000]
    for each in problems:  # removed by the server a day later (tests/services/test_strays.py)
        assert each["problem"] == "stray"
        assert (data.parent / each["store"] / each["name"]).stat().st_size < LONGEST_HEADER


def test_replication(
    data: Path, objects: list[list[Sent]], record_property: Callable[[str, object], None]
) -> None:
    for number in range(KILLS):
        server = servers.start(data)
        with pytest.raises(subprocess.TimeoutExpired):
            server.process.wait(number * 0.5 / KILLS)
        server.kill()
    record_property("kills", KILLS)
    in_both_stores(data, objects)
    clean(data, objects)


def test_removal_of_copies(
    data: Path, objects: list[list[Sent]], record_property: Callable[[str, object], None]
) -> None:
    in_both_stores(data, objects)
    words = ("store", "evacuate", "near", "--keep", "1", "--yes")
    record_property("kills", killed(data, *words))
    os.environ["VNA_STORE__COPIES"] = "1"  # the fixture puts it back
    servers.vna(*words, data=data)
    assert not any(holds(data.parent / "near", [[each]]) for some in objects for each in some)
    clean(data, objects)


def test_purge_and_compaction(
    data: Path, objects: list[list[Sent]], record_property: Callable[[str, object], None]
) -> None:
    in_both_stores(data, objects)
    gone, kept = objects[::2], objects[1::2]
    for each in gone:
        words = ("trash", "put", "--study", each[0].study_uid, "--reason", "fault test", "--yes")
        servers.vna(*words, data=data)
    purge = ("trash", "purge", "--ignore-grace", "--yes")
    record_property("kills of purge", killed(data, *purge))
    servers.vna(*purge, data=data)
    compact = ("store", "compact", "--share", "0", "--now", "--yes")
    record_property("kills of compaction", killed(data, *compact))
    servers.vna(*compact, data=data)
    in_both_stores(data, kept)
    clean(data, kept)
    with servers.running(data) as server:
        for some in gone:
            assert get(server.port, f"/dicomweb/studies/{some[0].study_uid}")[0] in (404, 410)
    for store in ("near", "far"):
        found = (holds(data.parent / store, [[each]]) for some in gone for each in some)
        assert not any(found)


def test_rebuild(
    data: Path, objects: list[list[Sent]], record_property: Callable[[str, object], None]
) -> None:
    with servers.running(data) as server:
        before = studies(server)
    without_index(data)
    record_property("kills", killed(data, "rebuild"))
    servers.vna("rebuild", data=data)
    with servers.running(data) as server:
        assert studies(server) == before
    in_both_stores(data, objects)
    clean(data, objects)

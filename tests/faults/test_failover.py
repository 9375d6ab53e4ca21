"""A standby that lags takes over beneath running nodes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from tests.faults import server as servers
from tests.faults.client import acknowledged, get, offer
from tests.faults.synthetic import Sent, small
from tests.faults.test_stores import check, wait_for
from tests.peers import postgres
from tests.peers.postgres import Cluster
from tests.peers.require import require
from tests.size import size
from vna.index.migrate import migrate

ROUNDS = size(1, 10)
OBJECTS = size(12, 60)
ATTEMPTS = 240  # half a second apart


def lags(standby: Cluster) -> None:
    """From now on the standby hears nothing of its primary."""
    with psycopg.connect(f"host=127.0.0.1 port={standby.port} user=postgres") as connection:
        connection.autocommit = True
        connection.execute("ALTER SYSTEM SET primary_conninfo = ''")
        connection.execute("SELECT pg_reload_conf()")
    wait_for(lambda: _receivers(standby) == 0)


def _receivers(standby: Cluster) -> int:
    with psycopg.connect(f"host=127.0.0.1 port={standby.port} user=postgres") as connection:
        ((found,),) = connection.execute("SELECT count(*) FROM pg_stat_wal_receiver").fetchall()
        return int(found)


def has(standby: Cluster, name: str, uid: str) -> bool:
    """Whether a standby knows an instance."""
    where = f"host=127.0.0.1 port={standby.port} user=postgres dbname={name}"
    with psycopg.connect(where) as connection:
        found = connection.execute("SELECT 1 FROM instance WHERE uid = %s", [uid]).fetchall()
    return bool(found)


def stored(node: servers.Server, objects: Sequence[Sent]) -> None:
    """Each is acknowledged by a node, at last."""
    for one in objects:
        for _ in range(ATTEMPTS):
            status, content = offer(node.port, [one])
            if status == 200:
                assert acknowledged(content) == {one.sop_uid}
                break
            assert status in (0, 502, 503), content
            time.sleep(0.5)
        else:
            raise AssertionError(f"{one.sop_uid} was never taken: {status}")


def test_what_a_lagging_standby_lacks_is_there_before_a_node_is_ready(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    require(postgres.missing())
    with TemporaryDirectory(prefix="vna-postgresql-") as folder:
        seconds = [
            taken_over(tmp_path / str(turn), Path(folder) / str(turn)) for turn in range(ROUNDS)
        ]
    record_property("rounds", ROUNDS)
    record_property("longest until both nodes had all, seconds", round(max(seconds), 1))


def taken_over(data: Path, base: Path) -> float:
    """One fail-over; seconds until both nodes had everything that was acknowledged."""
    with ExitStack() as stack:
        primary = stack.enter_context(postgres.running(base / "a"))
        url = primary.database()
        migrate(url)
        second = stack.enter_context(postgres.standby(base / "b", primary))
        name = url.rsplit("/", 1)[1]
        environment = {
            "VNA_DATABASE": f"postgresql+psycopg://postgres@/{name}?host=127.0.0.1:{primary.port}"
            f"&host=127.0.0.1:{second.port}&target_session_attrs=read-write",
            "VNA_STORES": f"shared {data}/store",
        }
        nodes = [
            servers.start(data / f"node{number}", environment=environment) for number in range(2)
        ]
        for each in nodes:
            stack.callback(each.kill)
        early, logged, last = [[small(study, one) for one in range(OBJECTS)] for study in range(3)]
        stored(nodes[0], early[::2])
        stored(nodes[1], early[1::2])
        wait_for(lambda: all(has(second, name, each.sop_uid) for each in early))
        lags(second)
        stored(nodes[0], logged)
        wait_for(lambda: b"\nvna_rows_unlogged 0.0" in get(nodes[1].port, "/metrics")[1])
        stored(nodes[0], last[::2])
        stored(nodes[1], last[1::2])
        assert not any(has(second, name, each.sop_uid) for each in logged + last)
        primary.kill()
        second.promote()
        began = time.monotonic()
        for node in nodes:
            stored(node, [small(4, node.port)])
            check(node, early + logged + last)
            assert get(node.port, "/readyz")[0] == 200
        seconds = time.monotonic() - began
        said = servers.vna_with(environment, "fsck", "--json", data=nodes[0].data, codes=(0, 5))
        found = json.loads(said.stdout.splitlines()[0])
        assert (found["missing"], found["no-copy"], found["rowless"]) == (0, 0, 0)
        return seconds

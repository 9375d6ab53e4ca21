"""Several nodes over one PostgreSQL and one S3, behind haproxy: each dies, the database too, and
its schema changes."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Connection, Integer

from tests.faults import server as servers
from tests.faults.client import BOUNDARY, ORIGINAL, acknowledged, body, get
from tests.faults.synthetic import Sent, small
from tests.peers import ceph, haproxy, postgres
from tests.peers.ceph import Ceph
from tests.peers.require import require
from tests.size import size
from vna.index import row_log
from vna.index.migrate import alone, migrate, undisturbed
from vna.objects.ulid import new_ulid

NODES = 3
CLIENTS = 3
SECONDS = size(8, 600)  # of load
ATTEMPTS = 30  # of one request, half a second apart: a database and a node come back meanwhile


@dataclass
class Load:
    """Clients that store until told to stop; what was acknowledged, and how often a request had to
    be made again."""

    port: int
    stop: threading.Event = field(default_factory=threading.Event)
    kept: dict[str, Sent] = field(default_factory=dict)
    retries: int = 0
    failed: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, number: int) -> None:
        """One client: small studies, an object at a time; every fourth is sent twice."""
        count = 0
        while not self.stop.is_set():
            count += 1
            one = small(number, count, salt=7)
            for _ in range(2 if count % 4 == 0 else 1):
                self._send(one)

    def _send(self, one: Sent) -> None:
        kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
        said = ""
        for _ in range(ATTEMPTS):
            try:
                with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as to:
                    to.request("POST", "/dicomweb/studies", body([one]), {"Content-Type": kind})
                    answer = to.getresponse()
                    content = answer.read()
            except (OSError, http.client.HTTPException) as error:
                said = type(error).__name__
            else:
                if answer.status == 200:
                    assert acknowledged(content) == {one.sop_uid}
                    with self._lock:
                        self.kept[one.sop_uid] = one
                    return
                said = str(answer.status)
                if answer.status not in (502, 503, 504):
                    break
            with self._lock:
                self.retries += 1
            time.sleep(0.5)
        self.failed.append(f"{one.sop_uid}: {said}")


def test_nodes_and_the_database_die_under_load_and_nothing_acknowledged_is_lost(
    tmp_path: Path, s3: Ceph, record_property: Callable[[str, object], None]
) -> None:
    require(postgres.missing())
    require(haproxy.missing())
    s3.make_bucket("nodes")
    (tmp_path / "keys").write_text(
        f'access_key = "{ceph.ACCESS_KEY}"\nsecret_key = "{ceph.SECRET_KEY}"\n'
    )
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="vna-postgresql-"))
        cluster = stack.enter_context(postgres.running(Path(folder)))
        url = cluster.database()
        migrate(url)
        environment = {
            "VNA_DATABASE": url,
            "VNA_STORES": f"bucket s3://nodes/{new_ulid()} endpoint={s3.endpoint} "
            f"credentials={tmp_path}/keys",
            "VNA_SERVER__WORKERS": "1",
        }
        nodes = [
            servers.start(tmp_path / f"node{number}", environment=environment)
            for number in range(NODES)
        ]
        stack.callback(lambda: ended(nodes))
        port = stack.enter_context(haproxy.running(tmp_path, [each.port for each in nodes]))
        load = Load(port)
        clients = [threading.Thread(target=load.run, args=(each,)) for each in range(CLIENTS)]
        for client in clients:
            client.start()
        began = time.monotonic()
        for turn in range(NODES):
            wait_until(began + SECONDS * (turn + 1) / (NODES + 2))
            old = nodes[turn]
            old.kill()
            nodes[turn] = servers.start(old.data, environment=environment, port=old.port)
        wait_until(began + SECONDS * (NODES + 0.5) / (NODES + 2))
        migrate_beneath(url)
        wait_until(began + SECONDS * (NODES + 1) / (NODES + 2))
        cluster.restart()
        wait_until(began + SECONDS)
        load.stop.set()
        for client in clients:
            client.join()
        record_property("seconds", round(time.monotonic() - began))
        record_property("acknowledged", len(load.kept))
        record_property("requests made again", load.retries)
        assert not load.failed
        assert len(load.kept) > 10
        check(nodes[0].port, load.kept)
        done = servers.vna_with(
            environment, "fsck", "--json", data=nodes[0].data, codes=(0, 5)
        ).stdout.splitlines()[0]
        found = json.loads(done)
        assert (found["missing"], found["no-copy"]) == (0, 0)


def migrate_beneath(url: str) -> None:
    """What a migration of the next release does while nodes of this one serve: columns, a table, an
    index, each row written once, and triggers put anew; in one transaction, as all of ours are."""

    def work(connection: Connection) -> None:
        do = Operations(MigrationContext.configure(connection))
        for table in ("study", "series", "instance", "object", "segment"):
            do.add_column(table, Column("next_release", Integer, server_default="0"))
        do.create_table("next_release", Column("pk", Integer, primary_key=True))
        do.create_index("next_release_of_instance", "instance", ["next_release"])
        do.execute("UPDATE study SET next_release = 1")
        row_log.remove(connection)
        row_log.install(connection)

    with alone(url) as connection:
        undisturbed(connection, work)


def ended(nodes: list[servers.Server]) -> None:
    """Nothing goes on after the test."""
    for each in nodes:
        if each.process.poll() is None:
            each.kill()


def wait_until(moment: float) -> None:
    """The load goes on meanwhile."""
    while (left := moment - time.monotonic()) > 0:
        time.sleep(min(left, 0.2))


def check(port: int, kept: dict[str, Sent]) -> None:
    """Each acknowledged object is there, once, as it was sent."""
    shown: list[str] = []
    while True:
        status, content = get(
            port, f"/dicomweb/instances?limit=1000&offset={len(shown)}", "application/dicom+json"
        )
        if status == 204:
            break
        assert status == 200, content[:500]
        shown += [row["00080018"]["Value"][0] for row in json.loads(content)]
    assert len(shown) == len(set(shown))
    assert kept.keys() <= set(shown)
    for one in kept.values():
        path = ORIGINAL.format(one.study_uid, one.series_uid, one.sop_uid)
        status, content = get(port, path)
        assert (status, content) == (200, one.data), one.sop_uid

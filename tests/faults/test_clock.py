"""Nodes whose clocks are years ahead and behind, over one database and one store."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from tests.faults import server as servers
from tests.faults.client import BOUNDARY, acknowledged, body, get, offer
from tests.faults.server import Server
from tests.faults.synthetic import Sent, small
from tests.faults.test_stores import check, wait_for
from tests.peers import faketime, postgres
from tests.peers.require import require
from tests.size import size
from vna.index.migrate import migrate
from vna.objects import RAW_BYTES
from vna.objects.layout import SEGMENTS

ROUNDS = size(1, 20)
OBJECTS = 8
OFFSETS = ("+0", "+5y", "-2y")


class Upload:
    """A store request of one large object that is held up behind its first half."""

    def __init__(self, port: int, one: Sent) -> None:
        self.one = one
        self._rest = body([one])
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._connection.putrequest("POST", "/dicomweb/studies")
        kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
        self._connection.putheader("Content-Type", kind)
        self._connection.putheader("Content-Length", str(len(self._rest)))
        self._connection.endheaders()
        first = RAW_BYTES + (2 << 20)
        self._connection.send(self._rest[:first])
        self._rest = self._rest[first:]

    def finish(self) -> None:
        """Send the rest; it is acknowledged."""
        with closing(self._connection):
            self._connection.send(self._rest)
            answer = self._connection.getresponse()
            content = answer.read()
        assert answer.status == 200, content
        assert acknowledged(content) == {self.one.sop_uid}


def settled(url: str) -> dict[str, int]:
    """How often each study was said to be complete."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        rows = connection.execute(
            "SELECT study_uid, count(*) FROM change WHERE kind = 'study settled' GROUP BY 1"
        ).fetchall()
    return {str(uid): int(count) for uid, count in rows}


def test_wrong_clocks_lose_nothing_and_remove_nothing_early(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    require(postgres.missing())
    require(faketime.missing())
    kept: list[Sent] = []
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="vna-postgresql-"))
        url = stack.enter_context(postgres.running(Path(folder))).database()
        migrate(url)
        environment = {
            "VNA_DATABASE": url,
            "VNA_STORES": f"shared {tmp_path}/store",
            "VNA_INGEST__QUIET_SECONDS": "1",
            "VNA_SERVER__WORKERS": "1",
        }
        for turn in range(ROUNDS):
            kept += one_round(tmp_path / str(turn), turn, url, environment)
        this_year = datetime.now(UTC).year
        years = {int(each.name) for each in (tmp_path / "store" / SEGMENTS).iterdir()}
        assert years >= {this_year - 2, this_year, this_year + 5}  # the clocks were wrong
        with servers.running(tmp_path / "right", environment=environment) as node:
            check(node, kept)
        said = servers.vna_with(environment, "fsck", "--json", data=tmp_path / "right")
        found = json.loads(said.stdout.splitlines()[0])
        assert (found["missing"], found["no-copy"], found["rowless"]) == (0, 0, 0)
        servers.vna_with(environment, "verify", "--json", data=tmp_path / "right")
    record_property("rounds", ROUNDS)
    record_property("acknowledged", len(kept))


def one_round(data: Path, turn: int, url: str, environment: dict[str, str]) -> list[Sent]:
    """Nodes with each clock store, look after what is there, and read what the others stored."""
    kept: list[Sent] = []
    with ExitStack() as stack:

        def begun(number: int, offset: str) -> Server:
            before = faketime.command(offset) if offset != "+0" else ()
            folder = data / f"node{number}"
            return stack.enter_context(
                servers.running(folder, environment=environment, before=before)
            )

        right = begun(0, OFFSETS[0])
        trashed = small(turn * 10, 1, salt=3)
        assert offer(right.port, [trashed])[0] == 200
        words = ("trash", "put", "--study", trashed.study_uid, "--reason", "wrong patient", "--yes")
        servers.vna_with(environment, *words, data=right.data)
        upload = Upload(right.port, small(turn * 10 + 9, 1, salt=3, rows=12_000, columns=1024))
        # Each begins with what is done every hour: unfinished files, what has lain in the trash.
        nodes = [right, *(begun(n, offset) for n, offset in enumerate(OFFSETS[1:], start=1))]
        for number, node in enumerate(nodes):
            batch = [small(turn * 10 + 1 + number, one, salt=3) for one in range(OBJECTS)]
            for one in batch:
                assert offer(node.port, [one])[0] == 200
            kept += batch
        studies = {each.study_uid for each in kept}
        wait_for(lambda: studies <= settled(url).keys())
        upload.finish()
        kept.append(upload.one)
        for node in nodes:
            check(node, kept)
        assert get(right.port, f"/dicomweb/studies/{trashed.study_uid}")[0] == 410
        for node in nodes[1:]:
            before = faketime.command(OFFSETS[nodes.index(node)])
            purge = ("trash", "purge", "--yes")
            servers.vna_with(environment, *purge, data=node.data, before=before)
        said = servers.vna_with(environment, "trash", "list", "--json", data=right.data)
        (entry,) = map(json.loads, said.stdout.splitlines())
        servers.vna_with(environment, "trash", "restore", str(entry["id"]), data=right.data)
        check(nodes[1], [trashed])
        kept.append(trashed)
        later = small(turn * 10 + 8, 1, salt=3)
        assert offer(right.port, [later])[0] == 200
        wait_for(lambda: later.study_uid in settled(url))
        assert {settled(url)[study] for study in studies} == {1}  # nobody said it again meanwhile
    return kept

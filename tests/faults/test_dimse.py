"""DIMSE when things go wrong: killed in the middle, broken off, slow, malformed, crowded."""

from __future__ import annotations

import random
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from struct import pack

import pydicom
import pytest

from dimse import command
from dimse.pdu import AssociateRequest, Proposed, User, encode
from tests.dimse.test_dcmtk import ct, free_port, run, written
from tests.faults import server
from tests.peers import dcmtk
from tests.peers.require import require
from tests.size import size

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
ROUNDS = size(2, 20)
MALFORMED = size(1000, 10_000)
_STORED = re.compile(
    r"Sending file: (\S+)(?:(?!Sending file).)*?Received Store Response \(Success\)", re.S
)


@pytest.fixture(autouse=True)
def _needs_dcmtk() -> None:
    require(dcmtk.missing())


def request(calling: str = "FAULTS") -> bytes:
    return encode(
        AssociateRequest("VNA", calling, (Proposed(1, CT, (EXPLICIT,)),), User(longest=16384))
    )


def established(port: int, calling: str = "FAULTS") -> socket.socket:
    """A connection whose association was accepted."""
    sock = socket.create_connection(("127.0.0.1", port), 10)
    sock.sendall(request(calling))
    head = sock.recv(6, socket.MSG_WAITALL)
    assert head[0] == 2, head
    sock.recv(int.from_bytes(head[2:], "big"), socket.MSG_WAITALL)
    return sock


def _wait_for_one(logs: Iterable[Path]) -> None:
    """Until somebody was told that something is stored."""
    some, deadline = list(logs), time.monotonic() + 60
    while not any(_STORED.search(each.read_text()) for each in some):
        assert time.monotonic() < deadline, "nothing was stored"
        time.sleep(0.01)


def test_what_storescu_was_told_is_stored_survives_kill_9(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    data, port = tmp_path / "data", free_port()
    acknowledged: dict[str, Path] = {}
    sent = 0
    for number in range(ROUNDS):
        clients, shares = [], list[list[str]]()
        for client in range(4):
            uid = f"1.6.{number + 1}.{client}"
            folder = tmp_path / f"in{number}{client}"
            paths = written(
                folder,
                *(
                    ct(f"{uid}.1.{n}", PixelData=bytes(200_000), Rows=250, Columns=400)
                    for n in range(1, 61)
                ),
            )
            sent += len(paths)
            shares.append(paths)
        running = server.start(data, "--dimse", f"127.0.0.1:{port}")
        for client, paths in enumerate(shares):
            log = (tmp_path / f"log{number}{client}").open("w+")
            process = subprocess.Popen(
                [dcmtk.program("storescu"), "-v", "-aec", "VNA", "127.0.0.1", str(port), *paths],
                stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
            clients.append((process, log))
        try:
            _wait_for_one(tmp_path.glob(f"log{number}*"))
            time.sleep(random.Random(number).uniform(0, 0.3))
        finally:
            running.kill()
        for process, log in clients:
            process.wait(30)
            log.seek(0)
            for name in _STORED.findall(log.read()):
                acknowledged[str(Path(name))] = Path(name)
            log.close()
    assert 0 < len(acknowledged) < sent
    with server.running(data, "--dimse", f"127.0.0.1:{port}"):
        out = tmp_path / "out"
        server.vna("export", str(out), "--original", data=data)
        server.vna("verify", data=data)
    exported = {each.SOPInstanceUID: each for each in map(pydicom.dcmread, out.rglob("*.dcm"))}
    missing = []
    for path in acknowledged.values():
        sent_one = pydicom.dcmread(path)
        if exported.get(sent_one.SOPInstanceUID) != sent_one:
            missing.append(path)
    assert missing == []
    record_property("acknowledged", len(acknowledged))
    record_property("sent without an answer", sent - len(acknowledged))


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[server.Server, int]]:
    """A server of this module's own."""
    require(dcmtk.missing())
    port = free_port()
    folder = tmp_path_factory.mktemp("faults") / "data"
    with server.running(folder, "--dimse", f"127.0.0.1:{port}") as running:
        yield running, port


def test_an_object_that_breaks_off_leaves_nothing(crowded: tuple[server.Server, int]) -> None:
    running, port = crowded
    before = kept(running)
    for size_ in (0, 10_000, 9 << 20):
        with established(port) as sock:
            command = store_command("1.6.99.1.1")
            sock.sendall(pack(">BxIIBB", 4, len(command) + 6, len(command) + 2, 1, 3) + command)
            left = size_
            while left > 0:
                piece = min(left, 16_000)
                sock.sendall(pack(">BxIIBB", 4, piece + 6, piece + 2, 1, 0) + bytes(piece))
                left -= piece
    eventually(lambda: kept(running) == before)
    assert "1.6.99" not in server.vna("search", "--json", data=running.data, codes=(0, 3)).stdout


def kept(running: server.Server) -> list[str]:
    """Raw files, finished and unfinished."""
    store = running.data / "store"
    return sorted(str(path) for path in store.rglob("*") if path.is_file() and "raw" in str(path))


def eventually(true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def store_command(uid: str) -> bytes:
    return command.encode(
        {
            command.COMMAND_FIELD: command.Field.STORE,
            command.MESSAGE_ID: 1,
            command.PRIORITY: 0,
            command.AFFECTED_CLASS: CT,
            command.AFFECTED_INSTANCE: uid,
        },
        data_set=True,
    )


def test_malformed_pdus_harm_nobody_else(crowded: tuple[server.Server, int]) -> None:
    """Each is answered, or ends its connection; the server grows by little and goes on."""
    running, port = crowded
    made = random.Random(7)
    whole = request()
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(lambda data: malformed(port, data), [broken(made, whole) for _ in range(100)])
        )
        settled = sum(running.rss_bytes())
        list(
            pool.map(
                lambda data: malformed(port, data), [broken(made, whole) for _ in range(MALFORMED)]
            )
        )
    assert sum(running.rss_bytes()) - settled < 20 << 20
    assert "Received Echo Response (Success)" in run("echoscu", port)


def broken(made: random.Random, whole: bytes) -> tuple[bytes, bytes]:
    """Bytes for a new connection, and for one that is established."""
    first = bytearray(whole)
    for _ in range(made.randint(0, 4)):
        first[made.randrange(len(first))] = made.randrange(256)
    kind, length = (
        made.choice([0, 1, 2, 3, 4, 5, 6, 7, 8, 255]),
        made.choice([0, 1, 4, 100, 70_000, 2**31]),
    )
    body = bytes(made.randrange(256) for _ in range(min(length, 300)))
    return bytes(first[: made.randint(1, len(first))]), pack(">BxI", kind, length) + body


def malformed(port: int, data: tuple[bytes, bytes]) -> None:
    """Send both; each connection must come to an end."""
    new = socket.create_connection(("127.0.0.1", port), 10)
    for sock, bytes_ in ((new, data[0]), (established(port), data[1])):
        with sock, suppress(ConnectionError):
            sock.settimeout(20)
            sock.sendall(bytes_)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass


def test_idle_and_slow_peers_do_not_keep_others_waiting(
    crowded: tuple[server.Server, int], tmp_path: Path
) -> None:
    _, port = crowded
    idle = [established(port, f"IDLE{number % 4}") for number in range(200)]
    stop = threading.Event()

    def slowly() -> None:
        with socket.create_connection(("127.0.0.1", port), 10) as sock:
            for byte in request("SLOW"):
                sock.sendall(bytes([byte]))
                if stop.wait(1):
                    return

    slow = threading.Thread(target=slowly)
    slow.start()
    try:
        paths = written(tmp_path, *(ct(f"1.6.50.1.{number}") for number in range(1, 21)))
        with ThreadPoolExecutor(20) as pool:
            said = list(pool.map(lambda path: run("storescu", port, path), paths))
        assert all("Received Store Response (Success)" in each for each in said)
    finally:
        stop.set()
        slow.join()
        for sock in idle:
            sock.close()


def test_sigterm_answers_what_is_under_way_and_ends_what_is_idle(tmp_path: Path) -> None:
    port = free_port()
    running = server.start(tmp_path / "data", "--dimse", f"127.0.0.1:{port}")
    idle = established(port)
    began = time.monotonic()
    assert running.stop() == 0
    assert time.monotonic() - began < 15
    assert idle.recv(10)[:1] == b"\7"  # A-ABORT
    idle.close()

"""`vna serve` as a process tree: it starts, counts, survives a worker's death, and drains."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import server as servers
from tests.faults.client import BOUNDARY, body, get
from tests.faults.synthetic import small

KIND = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'


@pytest.fixture
def server(tmp_path: Path) -> Iterator[servers.Server]:
    with servers.running(tmp_path / "data") as running:
        yield running


def store(server: servers.Server, number: int) -> int:
    request = urllib.request.Request(
        f"{server.url}/dicomweb/studies", body([small(number, 1)]), {"Content-Type": KIND}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return int(answer.status)


def threads(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"^Threads:\s+(\d+)", status, re.MULTILINE)[0])


def test_the_supervisor_has_one_thread_and_no_database(server: servers.Server) -> None:
    assert threads(server.process.pid) == 1
    files = Path(f"/proc/{server.process.pid}/fd")
    assert not [link for each in files.iterdir() if "index.db" in (link := os.readlink(each))]


def test_counters_are_added_up_over_all_workers(server: servers.Server) -> None:
    for number in range(12):
        assert store(server, number) == 200
    _, text = get(server.port, "/metrics")
    lines = text.decode().splitlines()
    route = 'code="200",method="POST",route="/dicomweb/studies"'
    assert f"vna_http_request_duration_seconds_count{{{route}}} 12.0" in lines
    assert 'vna_ingest_instances_total{result="new",source="stow"} 12.0' in lines
    assert "vna_held 0.0" in lines
    assert any(line.startswith("vna_storage_free_bytes ") for line in lines)
    assert any(line.startswith("vna_build_info{version=") for line in lines)


def test_a_worker_that_is_killed_is_replaced(server: servers.Server) -> None:
    workers = server.tree()[1:-1]
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    for number in range(4):
        assert store(server, number) == 200
    assert not set(workers) & set(server.tree())


def test_a_request_under_way_is_answered_before_the_end(server: servers.Server) -> None:
    data = body([small(1, 1)])
    head = (
        f"POST /dicomweb/studies HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Content-Type: {KIND}\r\nContent-Length: {len(data)}\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.sendall(head.encode())
        assert b"100 Continue" in client.recv(1024)  # it is being received
        client.sendall(data[:1000])
        server.process.send_signal(signal.SIGTERM)
        _until_refused(server.port)
        client.sendall(data[1000:])
        assert client.recv(65536).startswith(b"HTTP/1.1 200")
    assert server.process.wait(30) == 0
    assert servers.vna("stats", "--json", data=server.data).stdout.count('"instances": 1') == 1


def test_after_the_end_nothing_is_left_running_or_lying_about(server: servers.Server) -> None:
    pids = server.tree()
    store(server, 1)
    assert server.stop() == 0
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert list((server.data / "run").iterdir()) == []


def test_logs_are_json_and_name_no_patient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VNA_LOG__LEVEL", "debug")
    with servers.running(tmp_path / "data") as server:
        store(server, 1)
        get(server.port, "/dicomweb/studies?PatientName=PRUEBA*&PatientID=P0-1")
        get(server.port, "/dicomweb/studies?PatientNam=PRUEBA")
    text = (tmp_path / "data.log").read_text()
    entries = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    requests = [entry for entry in entries if entry["event"] == "request"]
    assert {"/dicomweb/studies"} <= {entry["route"] for entry in requests}
    assert {200, 400} <= {entry["status"] for entry in requests}
    assert "PRUEBA" not in text
    assert "P0-1" not in text


def test_a_second_server_on_the_port_says_what_to_do(server: servers.Server) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vna", "serve", "--data", str(server.data),
         "--http", f"127.0.0.1:{server.port}"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 8
    assert "choose another with --http" in done.stderr


def test_a_store_that_cannot_be_read_is_said_at_once(server: servers.Server) -> None:
    assert server.stop() == 0
    (server.data / "store" / "vna.json").write_text("{}")
    done = servers.vna("serve", "--http", "127.0.0.1:0", data=server.data, codes=(8,))
    assert "error: " in done.stderr
    assert "Traceback" not in done.stderr


def test_port_0_takes_a_free_one_and_the_server_announces_where_it_listens(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "vna", "serve", "--json", "--http", "127.0.0.1:0"]
    with subprocess.Popen(
        [*command, "--data", str(tmp_path / "d")], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        assert facts["data"] == str(tmp_path / "d")
        with urllib.request.urlopen(f"{facts['url']}/livez", timeout=30) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def _until_refused(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:  # taken and dropped while the listener was being closed
            continue

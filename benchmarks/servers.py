"""The two servers of every comparison, run one after the other on the same data and machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers import orthanc


@dataclass(frozen=True, slots=True)
class Server:
    """A running DICOMweb server."""

    name: str
    port: int
    root: str


Start = Callable[[Path], AbstractContextManager[Server]]


@contextmanager
def archive(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """This archive, embedded default: SQLite, local disk, two workers; or with other settings."""
    folder.mkdir(parents=True, exist_ok=True)
    port = _port(folder / "port")
    command = [sys.executable, "-m", "vna", "serve", "--data", str(folder / "data")]
    environment = os.environ | {"VNA_INGEST__QUIET_SECONDS": "2"} | dict(settings or {})
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--http", f"127.0.0.1:{port}"], stdout=log, stderr=log, env=environment
        )
    try:
        _wait(f"http://127.0.0.1:{port}/readyz", process)
        yield Server("vna", port, "/dicomweb")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@contextmanager
def peer(folder: Path) -> Iterator[Server]:
    """Debian's Orthanc with the settings of `tests.peers.orthanc`."""
    with orthanc.running(folder) as server:
        yield Server("orthanc", server.port, server.root)


BOTH: tuple[Start, Start] = (archive, peer)


def _port(remembered: Path) -> int:
    """A free port, the same at every start: stored metadata names the address of the server."""
    if not remembered.exists():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            remembered.write_text(str(probe.getsockname()[1]))
    return int(remembered.read_text())


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"{url} did not answer within 60 s")

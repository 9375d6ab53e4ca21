"""A real server as a process tree of its own, to be stopped kindly or killed."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_ANYBODY = ssl.create_default_context()  # a test of TLS looks at certificates itself
_ANYBODY.check_hostname = False
_ANYBODY.verify_mode = ssl.CERT_NONE


@dataclass(slots=True)
class Server:
    """`vna serve` with its data in `data`, listening on loopback at `port`."""

    data: Path
    port: int
    process: subprocess.Popen[bytes]
    scheme: str = "http"

    @property
    def url(self) -> str:
        """The address of the server, without a path."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """SIGKILL to the whole process tree at once, as a power switch would look to it."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> int:
        """SIGTERM, then wait until every process has drained; the supervisor's exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def peak_rss_bytes(self) -> list[int]:
        """The highest resident size each process of the tree has had, in bytes."""
        return [_status(pid, "VmHWM") for pid in self.tree()]

    def rss_bytes(self) -> list[int]:
        """The resident size of each process of the tree now, in bytes."""
        return [_status(pid, "VmRSS") for pid in self.tree()]

    def tree(self) -> list[int]:
        """The supervisor and its children."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [self.process.pid, *map(int, children.split())]


def start(
    data: Path,
    *options: str,
    environment: dict[str, str] | None = None,
    scheme: str = "http",
    port: int = 0,
    before: Sequence[str] = (),
    ready: bool = True,
) -> Server:
    """Start a server in a session of its own and wait until it is ready, or at least answers;
    port 0: a free one. `before`: a program that runs it."""
    port = port or _free_port()
    data.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "vna", "serve"]
    with (data.parent / f"{data.name}.log").open("ab") as log:
        process = subprocess.Popen(
            [*before, *command, "--data", str(data), "--http", f"127.0.0.1:{port}", *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=os.environ | (environment or {}),
            start_new_session=True,
        )
    server = Server(data, port, process, scheme)
    try:
        _wait(server, "readyz" if ready else "livez")
    except BaseException:
        server.kill()
        raise
    return server


@contextmanager
def running(
    data: Path,
    *options: str,
    environment: dict[str, str] | None = None,
    scheme: str = "http",
    before: Sequence[str] = (),
    ready: bool = True,
) -> Iterator[Server]:
    """A server until the block ends; then it is stopped kindly, or killed if it does not stop."""
    server = start(
        data, *options, environment=environment, scheme=scheme, before=before, ready=ready
    )
    try:
        yield server
    finally:
        if server.process.poll() is None:
            try:
                server.stop()
            except subprocess.TimeoutExpired:
                server.kill()


def vna(*words: str, data: Path, codes: Sequence[int] = (0,)) -> subprocess.CompletedProcess[str]:
    """Run one `vna` command on `data` and check that it ends with one of `codes`."""
    return vna_with({}, *words, data=data, codes=codes)


def vna_with(
    environment: dict[str, str],
    *words: str,
    data: Path,
    codes: Sequence[int] = (0,),
    before: Sequence[str] = (),
) -> subprocess.CompletedProcess[str]:
    """The same with further settings. `before`: a program that runs it."""
    result = subprocess.run(
        [*before, sys.executable, "-m", "vna", *words, "--data", str(data)],
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
        env=os.environ | environment,
    )
    assert result.returncode in codes, (words, result.returncode, result.stderr[-3000:])
    return result


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(server: Server, path: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            log = server.data.parent / f"{server.data.name}.log"
            raise RuntimeError(f"the server ended: {log.read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(f"{server.url}/{path}", timeout=5, context=_ANYBODY):
                return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError("the server was not ready within 60 s")


def _status(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    return 0

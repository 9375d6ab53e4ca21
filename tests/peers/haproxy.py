"""A real haproxy on loopback, in front of several nodes."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PACKAGES = "haproxy"


def missing() -> str | None:
    """The apt line that installs the peer, or None where it is installed."""
    return None if shutil.which("haproxy") else f"apt-get install {PACKAGES}"


@contextmanager
def running(folder: Path, nodes: Sequence[int]) -> Iterator[int]:
    """Balance over the nodes at these ports until the block ends; the port to ask.

    A node gets requests while its /readyz answers; what a node never received goes to another.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    servers = "\n".join(
        f"  server n{number} 127.0.0.1:{node} check inter 200ms fall 1 rise 1"
        for number, node in enumerate(nodes)
    )
    path = folder / "haproxy.cfg"
    path.write_text(f"""global
  maxconn 500
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  option redispatch
  retries 3
  retry-on conn-failure
frontend archive
  bind 127.0.0.1:{port}
  default_backend nodes
backend nodes
  balance roundrobin
  option httpchk GET /readyz
{servers}
""")
    process = subprocess.Popen(
        ["haproxy", "-q", "-db", "-f", str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _wait(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)

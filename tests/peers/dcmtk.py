"""dcmtk's programs from the Debian package."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = ("echoscu", "storescu", "findscu", "movescu", "getscu", "dcmsend", "termscu", "storescp")


def missing() -> str | None:
    """The apt line that installs what is not there, or None."""
    if all(Path(program(each)).exists() for each in PROGRAMS):
        return None
    return "apt install dcmtk"


def program(name: str) -> str:
    """Where dcmtk's is: pynetdicom puts programs of the same names beside Python's."""
    return f"/usr/bin/{name}"


def wait_for(port: int, seconds: float = 20) -> None:
    """Wait until somebody listens there."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError(f"nobody listens on port {port}")


def wait_for_echo(port: int, title: str, seconds: float = 30) -> None:
    """Wait until an application entity answers."""
    deadline = time.monotonic() + seconds
    command = [program("echoscu"), "-aec", title, "127.0.0.1", str(port)]
    while subprocess.run(command, capture_output=True, check=False).returncode:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{title} does not answer on port {port}")
        time.sleep(0.05)

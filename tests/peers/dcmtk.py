"""dcmtk's programs from the Debian package."""

from __future__ import annotations

import shutil
import socket
import time

PROGRAMS = ("echoscu", "storescu", "findscu", "movescu", "getscu", "dcmsend", "termscu", "storescp")


def missing() -> str | None:
    """The apt line that installs what is not there, or None."""
    if all(shutil.which(each) for each in PROGRAMS):
        return None
    return "apt install dcmtk"


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

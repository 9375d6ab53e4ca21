"""dciodvfy of dicom3tools: what is wrong with an object by its information object definition."""

from __future__ import annotations

import shutil
import subprocess
import tempfile

from tests.peers.require import require


def errors_of(data: bytes) -> list[str]:
    """The lines of `dciodvfy` that begin with "Error"."""
    program = shutil.which("dciodvfy")
    if program is None:
        require("dciodvfy: apt install dicom3tools")
    assert program is not None
    with tempfile.NamedTemporaryFile(suffix=".dcm") as file:
        file.write(data)
        file.flush()
        done = subprocess.run([program, file.name], capture_output=True, text=True, check=False)
    said = (done.stdout + done.stderr).splitlines()
    assert said, "dciodvfy said nothing"
    return [line for line in said if line.startswith("Error")]

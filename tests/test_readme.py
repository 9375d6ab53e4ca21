"""The README's walk is carried out as printed, against a server on a free port.

In a `console` block a line after `$` is run by one bash for all; what is printed below it must
come, where `…` stands for anything. The server that `make serve` starts is started here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults import server as servers
from tests.peers.require import require

MARK = "== end of step =="
README = Path(__file__).parent.parent / "README.md"


@dataclass(frozen=True)
class Step:
    """A command and what it prints."""

    command: str
    printed: str


def steps() -> Iterator[Step]:
    """Every command of the README's console blocks."""
    for block in re.findall(r"```console\n(.*?)```", README.read_text("utf-8"), re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.splitlines()
            command = [lines.pop(0)]
            while command[-1].endswith("\\"):
                command.append(lines.pop(0))
            yield Step("\n".join(command), "\n".join(lines).strip())


@pytest.fixture
def walker(tmp_path: Path) -> Iterator[tuple[Path, servers.Server]]:
    require(None if shutil.which("curl") else "apt-get install curl")
    with servers.running(tmp_path / "vna-data") as server:
        yield tmp_path, server


def test_the_walk_prints_what_the_readme_says(walker: tuple[Path, servers.Server]) -> None:
    folder, server = walker
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    (bin_folder / "vna").write_text(f'#!/bin/sh\nexec {sys.executable} -m vna "$@"\n')
    (bin_folder / "vna").chmod(0o755)
    environ = os.environ | {
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "PYTHONPATH": str(README.parent),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }
    walk = list(steps())
    assert len(walk) >= 12
    script = "".join(f"{step.command}\nprintf '{MARK}\n'\n" for step in walk)
    done = subprocess.run(
        ["bash", "-c", script.replace("127.0.0.1:8080", f"127.0.0.1:{server.port}")],
        stdin=subprocess.DEVNULL,
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=200,
    )
    printed = done.stdout.replace(f"127.0.0.1:{server.port}", "127.0.0.1:8080").split(f"{MARK}\n")
    for step, found in zip(walk, printed, strict=False):
        wanted = ".*".join(map(re.escape, step.printed.split("…")))
        assert re.fullmatch(wanted, found.strip(), re.DOTALL), (
            f"$ {step.command}\n{found}\n--- the README says:\n{step.printed}"
        )
    assert len(printed) == len(walk) + 1

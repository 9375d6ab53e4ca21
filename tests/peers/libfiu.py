"""libfiu: system calls of a real process that fail when they are told to."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PACKAGES = "fiu-utils"


def missing() -> str | None:
    """The apt line that installs the peer, or None where it is installed."""
    return None if shutil.which("fiu-run") else f"apt-get install {PACKAGES}"


@dataclass(frozen=True, slots=True)
class Fault:
    """A call of the C library that fails: `point`, a name of libfiu's such as
    posix/io/rw/pwrite; `error`, the errno; `probability` of each call."""

    point: str
    error: int
    probability: float


def command(folder: Path) -> list[str]:
    """What stands before a program so that its processes can be told to fail; their control pipes
    lie in `folder`."""
    return ["fiu-run", "-x", "-f", str(folder / "fiu")]


def begin(folder: Path, pids: Sequence[int], fault: Fault) -> None:
    """Have calls of these processes fail from now on."""
    _tell(
        folder,
        pids,
        f"enable_random name={fault.point},probability={fault.probability},failinfo={fault.error}",
    )


def end(folder: Path, pids: Sequence[int], fault: Fault) -> None:
    """Have them work again."""
    _tell(folder, pids, f"disable name={fault.point}")


def _tell(folder: Path, pids: Sequence[int], what: str) -> None:
    subprocess.run(
        ["fiu-ctrl", "-f", str(folder / "fiu"), "-c", what, *map(str, pids)],
        check=True,
        timeout=30,
    )

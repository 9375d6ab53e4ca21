"""faketime: a process whose wall clock is wrong; its monotonic clock is not."""

from __future__ import annotations

import shutil

PACKAGES = "faketime"
ENVIRONMENT = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}


def missing() -> str | None:
    """The apt line that installs the peer, or None where it is installed."""
    return None if shutil.which("faketime") else f"apt-get install {PACKAGES}"


def command(offset: str) -> list[str]:
    """What stands before a program so that its clock is off by `offset`, such as "+5y"."""
    return ["faketime", "-f", offset]

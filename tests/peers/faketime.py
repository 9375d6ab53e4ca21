"""libfaketime: a process whose wall clock is wrong; its monotonic clock is not.

Preloaded by name, and not by the program `faketime`: that one stays between us and the process.
"""

from __future__ import annotations

from pathlib import Path

PACKAGES = "faketime"
_FOLDERS = "usr/lib/*/faketime/libfaketimeMT.so.1"


def missing() -> str | None:
    """The apt line that installs the peer, or None where it is installed."""
    return None if _library() else f"apt-get install {PACKAGES}"


def command(offset: str) -> list[str]:
    """What stands before a program so that its clock is off by `offset`, such as "+5y"."""
    settings = (f"LD_PRELOAD={_library()}", f"FAKETIME={offset}", "FAKETIME_DONT_FAKE_MONOTONIC=1")
    return ["env", *settings]


def _library() -> str:
    return next(map(str, Path("/").glob(_FOLDERS)), "")

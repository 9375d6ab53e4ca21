"""Which release this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def release() -> str:
    """The version of the installed distribution; "unknown" in a bare checkout."""
    try:
        return version("regional-vna")
    except PackageNotFoundError:
        return "unknown"

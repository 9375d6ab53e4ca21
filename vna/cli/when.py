"""Times as people and programs read them."""

from __future__ import annotations

from datetime import datetime


def local_time(ms: int) -> str:
    """ISO 8601 with the offset of this machine, to the second; '' for 0 (not yet)."""
    if not ms:
        return ""
    return datetime.fromtimestamp(ms / 1000).astimezone().isoformat(timespec="seconds")

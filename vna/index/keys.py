"""Keys that are computed, not given out by the database."""

from __future__ import annotations

import xxhash


def sop_key(partition: int, uid: str) -> bytes:
    """16 bytes that stand for a SOP Instance UID in its partition: xxh3-128."""
    return xxhash.xxh3_128_digest(f"{partition}\0{uid}".encode())

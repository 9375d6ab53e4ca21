"""Keys that are computed, not given out by the database."""

from __future__ import annotations

import xxhash

# Characters, at most four bytes each: PostgreSQL refuses an index entry over 2704 bytes.
LONGEST_INDEXED = 512


def sop_key(partition: int, uid: str) -> bytes:
    """16 bytes that stand for a SOP Instance UID in its partition: xxh3-128."""
    return xxhash.xxh3_128_digest(f"{partition}\0{uid}".encode())


def indexed(text: str) -> str:
    """`text` as both databases can keep and index it: without NUL, at most 512 characters.

    A longer one, which no VR with an index allows, is cut and ends in its digest, so that two of
    them stay two.
    """
    text = text.replace("\0", "")
    if len(text) <= LONGEST_INDEXED:
        return text
    digest = xxhash.xxh3_128_hexdigest(text.encode())
    return f"{text[: LONGEST_INDEXED - len(digest) - 1]}#{digest}"

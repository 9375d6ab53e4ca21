"""ULIDs: 26 characters that sort by the millisecond in which they were made."""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, datetime
from functools import lru_cache

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_FORM = re.compile(rf"[0-7][{ALPHABET}]{{25}}")


def new_ulid() -> str:
    """A ULID of this millisecond and 80 random bits."""
    return encode((time.time_ns() // 1_000_000).to_bytes(6, "big") + os.urandom(10))


def encode(value: bytes) -> str:
    """The text of 16 bytes: 6 of milliseconds since 1970 UTC, 10 of chance."""
    number = int.from_bytes(value, "big")
    return "".join(ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


@lru_cache(maxsize=1024)  # every record of a segment carries the same one
def decode(text: str) -> bytes:
    """The 16 bytes of a ULID; raises `ValueError`."""
    if not _FORM.fullmatch(text):
        raise ValueError(f"not a ULID: {text[:40]!r}")
    number = 0
    for character in text:
        number = number << 5 | _VALUE[character]
    return number.to_bytes(16, "big")


def made_at(text: str) -> datetime:
    """When a ULID was made (UTC); raises `ValueError`."""
    milliseconds = int.from_bytes(decode(text)[:6], "big")
    return datetime.fromtimestamp(milliseconds / 1000, UTC)

"""Tasks that a decoder process does not survive, and some that it does."""

from __future__ import annotations

import ctypes
import os
import threading
from typing import Any

from vna.errors import Undecodable

Answer = tuple[dict[str, Any], bytes]


def echo(facts: dict[str, Any], blobs: list[bytes]) -> Answer:
    """Everything back, and who did it."""
    return facts | {"pid": os.getpid()}, b"".join(blobs)


def refuse(facts: dict[str, Any], blobs: list[bytes]) -> Answer:
    """No codec reads it."""
    raise Undecodable("nobody reads it")


def leave(facts: dict[str, Any], blobs: list[bytes]) -> Answer:
    """End in the middle."""
    os._exit(3)


def crash(facts: dict[str, Any], blobs: list[bytes]) -> Answer:
    """Write where nothing may be written."""
    ctypes.memset(8, 0, 8)
    return {}, b""


def hang(facts: dict[str, Any], blobs: list[bytes]) -> Answer:
    """Wait for ever."""
    threading.Event().wait()
    return {}, b""


def devour(facts: dict[str, Any], blobs: list[bytes]) -> Answer:
    """Take all memory."""
    taken = []
    while True:
        taken.append(bytearray(16 << 20))


def stumble(facts: dict[str, Any], blobs: list[bytes]) -> Answer:
    """Raise what nobody expects."""
    raise ZeroDivisionError

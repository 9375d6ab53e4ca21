"""Answering promptly or not at all: what an event loop may ask for before it asks a thread.

As io_uring does with a read: it is tried where it stands, and what would wait goes to a thread.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class TakesTime(Exception):
    """What was asked for promptly waits for a disk, a network or a lock, or computes for long."""


class _Mode(threading.local):
    prompt = False


_mode = _Mode()


@contextmanager
def promptly() -> Iterator[None]:
    """In the block, whatever says that it `takes_time` raises `TakesTime` instead of doing it."""
    _mode.prompt = True
    try:
        yield
    finally:
        _mode.prompt = False


def must_be_prompt() -> bool:
    """Whether this thread is inside `promptly`."""
    return _mode.prompt


def takes_time() -> None:
    """Said before anything that may take more than a few hundred microseconds; raises `TakesTime`
    where this thread must be prompt."""
    if _mode.prompt:
        raise TakesTime

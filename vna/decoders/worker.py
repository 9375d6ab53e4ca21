"""A decoder process: `python -m vna.decoders.worker FD MEMORY SECONDS`, started by the pool.

It answers one message after another until the pool closes the socket. After an error that may have
left it in disorder (out of memory, an unknown exception) it says so and ends.
"""

from __future__ import annotations

import importlib
import resource
import signal
import socket
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from vna.decoders import framing
from vna.errors import NotAcceptable, VnaError

Task = Callable[[dict[str, Any], list[bytes]], tuple[dict[str, Any], bytes]]

_GRACE_SECONDS = 5  # after the pool should have ended this process itself


def main() -> None:
    """Serve until the socket ends."""
    descriptor, memory, seconds = map(int, sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends us
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with socket.socket(fileno=descriptor) as connection:
        # What is imported counts as well; codecs are loaded by the first task.
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
        while _answer(connection, memory, seconds):
            pass


def _answer(connection: socket.socket, memory: int, seconds: int) -> bool:
    """Do one task; whether the process is fit for another."""
    try:
        facts, blobs = framing.receive(connection, memory)
    except (framing.Broken, OSError):
        return False
    signal.alarm(seconds + _GRACE_SECONDS)  # ends us even inside a codec, if the pool has died
    try:
        said, data = _task(facts["task"])(facts["facts"], blobs)
    except NotAcceptable as error:
        framing.send(connection, {"refused": error.code, "reason": str(error)}, ())
        return True
    except MemoryError:
        framing.send(connection, {"failed": "it ran out of memory"}, ())
        return False
    # Whatever else a codec raises belongs to the one who asked.
    except Exception as error:
        reason = str(error) if isinstance(error, VnaError) else type(error).__name__
        framing.send(connection, {"failed": reason}, ())
        return False
    finally:
        signal.alarm(0)
    framing.send(connection, {"facts": said}, (data,))
    return True


@cache
def _task(place: str) -> Task:
    module, _, function = place.partition(":")
    task: Task = getattr(importlib.import_module(module), function)
    return task


if __name__ == "__main__":
    main()

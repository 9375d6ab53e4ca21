"""The pool: starts decoder processes when they are needed, ends those that crash or hang."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from storage_backends.prompt import takes_time
from vna.decoders import framing
from vna.decoders.tasks import TASKS
from vna.errors import DecoderFailed, NotAcceptable, Overloaded, Undecodable, Unencodable

# Buffers of a frame are given back to the allocator, not to the kernel, which would have to clear
# every page anew: that took a fifth of a frame's time (glibc, mallopt(3)).
ALLOCATION = {
    "MALLOC_MMAP_THRESHOLD_": str(64 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    "MALLOC_TOP_PAD_": str(16 << 20),
}
TASKS_EACH = 2000  # then a process is replaced, so that what a codec leaks does not add up
_LARGEST_ANSWER = 1 << 30
_BUFFER_BYTES = 4 << 20

_REFUSALS: dict[str, type[NotAcceptable]] = {
    each.code: each for each in (NotAcceptable, Undecodable, Unencodable)
}


class Decoders:
    """At most `processes` children, each for one call at a time. Thread-safe; make it after the
    fork.

    `seconds`: the most a task takes, and the most a call waits for a free process. `memory`: bytes
    of data that a child may have, its libraries included. `tasks`: by name, "module:function".
    `observe` is told of every failure.
    """

    def __init__(
        self,
        *,
        processes: int,
        seconds: int,
        memory: int,
        tasks: Mapping[str, str] = TASKS,
        observe: Callable[[], None] = lambda: None,
    ) -> None:
        self._seconds, self._memory, self._observe = seconds, memory, observe
        self._tasks = tasks
        self._free = processes
        self._idle: list[_Child] = []
        self._busy: set[_Child] = set()
        self._closed = False
        self._changed = threading.Condition()

    def run(
        self, task: str, facts: Mapping[str, Any], *blobs: bytes
    ) -> tuple[dict[str, Any], bytes]:
        """What the task of that name makes of JSON-able facts and bytes.

        Blocks. Raises what the task refuses with (`Undecodable`, `NotAcceptable`), `DecoderFailed`
        when the child crashed, hung or ran out of memory, `Overloaded` when none became free.
        """
        takes_time()
        child = self._borrow()
        answer: framing.Message | None = None
        try:
            answer = child.ask({"task": self._tasks[task], "facts": facts}, blobs)
        except TimeoutError as error:
            raise self._failed(f"it took more than {self._seconds} seconds") from error
        except (framing.Broken, OSError) as error:
            raise self._failed("it ended") from error
        finally:
            self._give_back(child, fit=answer is not None and "failed" not in answer[0])
        said, data = answer
        if "refused" in said:
            raise _REFUSALS.get(str(said["refused"]), NotAcceptable)(str(said["reason"]))
        if "failed" in said:
            raise self._failed(str(said["failed"]))
        return said["facts"], data[0]

    def close(self) -> None:
        """End all processes; calls that are under way fail."""
        with self._changed:
            self._closed = True
            children = [*self._idle, *self._busy]
            self._idle.clear()
            self._changed.notify_all()
        for child in children:
            child.end()

    def _failed(self, reason: str) -> DecoderFailed:
        self._observe()
        return DecoderFailed(f"a decoder process failed: {reason}")

    def _borrow(self) -> _Child:
        deadline = time.monotonic() + self._seconds
        with self._changed:
            while not self._closed:
                if self._idle:
                    child = self._idle.pop()
                    break
                if self._free:
                    child = _Child(self._memory, self._seconds)
                    self._free -= 1
                    break
                if not self._changed.wait(deadline - time.monotonic()):
                    raise Overloaded("all decoder processes are busy")
            else:
                raise Overloaded("the archive is shutting down")
            self._busy.add(child)
            return child

    def _give_back(self, child: _Child, *, fit: bool) -> None:
        fit = fit and child.tasks < TASKS_EACH
        if not fit:
            child.end()
        with self._changed:
            self._busy.discard(child)
            if fit and not self._closed:
                self._idle.append(child)
            else:
                self._free += 1
            self._changed.notify()
        if fit and self._closed:
            child.end()


class _Child:
    """One process and the socket to it."""

    def __init__(self, memory: int, seconds: int) -> None:
        self.tasks = 0
        self._socket, other = socket.socketpair()
        for end in (self._socket, other):  # as much as the kernel allows: a frame in few turns
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        self._socket.settimeout(seconds)  # of silence; the child's own clock bounds the rest
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "vna.decoders.worker"]
                + [str(number) for number in (other.fileno(), memory, seconds)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(other.fileno(),),
                env=_environment(),
            )

    def ask(self, facts: Mapping[str, Any], blobs: tuple[bytes, ...]) -> framing.Message:
        """Its answer. Raises TimeoutError, `framing.Broken`, OSError."""
        self.tasks += 1
        framing.send(self._socket, facts, blobs)
        return framing.receive(self._socket, _LARGEST_ANSWER)

    def end(self) -> None:
        """Kill it; it has nothing to lose."""
        self._process.kill()
        self._process.wait()
        self._socket.close()


def _environment() -> dict[str, str]:
    """Nothing of the server's settings and secrets; one thread for each numeric library."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ", "HOME") if name in os.environ}
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    return kept | threads | ALLOCATION | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

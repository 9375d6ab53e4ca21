"""One parent process that keeps its children alive, and ends them in order.

The parent makes no thread, database connection or thread pool: what a child inherits is imported
code, settings and listening sockets. It waits for signals with `sigtimedwait`, so that there are
no handlers and nothing can be interrupted half-way.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from vna.errors import VnaError

log = logging.getLogger("vna.supervisor")

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
ENDING = frozenset({signal.SIGTERM, signal.SIGINT})
ANEW = signal.SIGUSR1  # from a child: what was prepared before the fork holds no more
WATCHED = ENDING | {signal.SIGCHLD, ANEW}

STEADY_SECONDS = 30.0  # a child that lived this long begins anew without back-off
FIRST_DELAY_SECONDS = 0.5
LAST_DELAY_SECONDS = 30.0
KILL_AFTER_DRAIN_SECONDS = 5.0  # beyond drain_seconds: time to seal segments and close the database


class Outcome(Enum):
    """Why a supervisor has ended all its children."""

    ENDED = "told to end"
    KILLED = "told to end, and a child had to be killed"
    ANEW = "a child asked for a new beginning"


class Role(Protocol):
    """What a child does. `run` is called in the child; when it returns, the child ends well."""

    name: str

    def before_fork(self) -> None:
        """In the parent, before each start: make what the child inherits."""

    def run(self) -> None:
        """In the child. Must end soon after SIGTERM."""

    def while_down(self) -> None:
        """In the parent: the child is not started again at once, or never. Give up what it used."""


@dataclass
class _Child:
    role: Role
    pid: int = 0
    started: float = 0.0
    failures: int = 0
    due: float = field(
        default=0.0
    )  # monotonic seconds of the next start; meaningless while it runs


class Supervisor:
    """Forks one child for each role and starts again those that die.

    `on_exit` is called in the parent with the pid of each child that is gone. `run` returns after
    SIGTERM or SIGINT, or `ask_for_new_beginning`: every child gets SIGTERM, `drain_seconds` to
    finish, then SIGKILL; a second signal to end skips the wait.
    """

    def __init__(
        self,
        roles: Sequence[Role],
        *,
        drain_seconds: float,
        on_exit: Callable[[int], None] = lambda pid: None,
    ) -> None:
        self._children = [_Child(role) for role in roles]
        self._drain_seconds = drain_seconds
        self._on_exit = on_exit

    def run(self) -> Outcome:
        """Supervise until told to end, or to have everything prepared anew."""
        signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        gc.collect()
        gc.freeze()  # shared pages stay shared: no collection in a child touches these objects
        for child in self._children:
            self._start(child)
        while (received := self._wait()) is None or received.si_signo not in (*ENDING, ANEW):
            self._reap()
            for child in self._children:
                if not child.pid and child.due <= time.monotonic():
                    self._start(child)
        log.info("draining", extra={"signal": signal.Signals(received.si_signo).name})
        drained = self._drain()
        while signal.sigtimedwait({ANEW}, 0):  # the others have asked for it, too
            continue
        if received.si_signo == ANEW:
            return Outcome.ANEW
        return Outcome.ENDED if drained else Outcome.KILLED

    def _wait(self) -> signal.struct_siginfo | None:
        down = [child.due for child in self._children if not child.pid]
        return _signal(min(down) - time.monotonic() if down else 3600.0)

    def _start(self, child: _Child) -> None:
        child.role.before_fork()
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            _be_child(child.role, parent)
        child.pid, child.started = pid, time.monotonic()
        log.debug("started", extra={"child": child.role.name, "child_pid": pid})

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._on_exit(pid)
            for child in self._children:
                if child.pid == pid:
                    self._died(child, os.waitstatus_to_exitcode(status))

    def _died(self, child: _Child, code: int) -> None:
        lived = time.monotonic() - child.started
        child.failures = 1 if lived >= STEADY_SECONDS else child.failures + 1
        delay = back_off(child.failures)
        child.pid, child.due = 0, time.monotonic() + delay
        log.error(
            "child died",
            extra={"child": child.role.name, "exit": code, "again_in_seconds": delay},
        )
        if delay:
            child.role.while_down()

    def _drain(self) -> bool:
        deadline = time.monotonic() + self._drain_seconds + KILL_AFTER_DRAIN_SECONDS
        self._send(signal.SIGTERM)
        for child in self._children:
            child.role.while_down()
        while self._running():
            received = _signal(deadline - time.monotonic())
            self._collect()
            if received is None or received.si_signo in ENDING:
                break
        killed = self._running()
        if killed:
            log.error("killed after draining", extra={"children": [c.role.name for c in killed]})
            self._send(signal.SIGKILL)
            for child in killed:
                os.waitpid(child.pid, 0)
        return not killed

    def _collect(self) -> None:
        for child in self._running():
            pid, _ = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                child.pid = 0
                self._on_exit(pid)

    def _running(self) -> list[_Child]:
        return [child for child in self._children if child.pid]

    def _send(self, number: signal.Signals) -> None:
        for child in self._running():
            os.kill(child.pid, number)


def ask_for_new_beginning() -> None:
    """From a child: have all children ended, and everything prepared and started again."""
    os.kill(os.getppid(), ANEW)


def ends_within(seconds: float) -> bool:
    """Wait, in the parent, while no child runs; whether it was told to end meanwhile."""
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    return signal.sigtimedwait(ENDING, seconds) is not None


def back_off(failures: int) -> float:
    """Seconds until a child that has died `failures` times in a row is started again."""
    if failures <= 1:
        return 0.0
    return min(FIRST_DELAY_SECONDS * 2.0 ** (failures - 2), LAST_DELAY_SECONDS)


def _signal(seconds: float) -> signal.struct_siginfo | None:
    return signal.sigtimedwait(WATCHED, max(seconds, 0.0))


def _be_child(role: Role, parent: int) -> None:
    """Never returns: the child must not run what the parent has on its stack."""
    code = 1
    try:
        _end_with(parent)
        # SIGINT stays blocked: Ctrl-C reaches the whole process group, only the parent acts on it.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGCHLD})
        role.run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except VnaError as error:
        log.error("child failed", extra={"child": role.name, "code": error.code, "why": str(error)})
    except BaseException:
        traceback.print_exc()
    finally:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _end_with(parent: int) -> None:
    """Have the kernel send SIGTERM should the parent die without a word (Linux)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "prctl"):
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before the line above
        os._exit(0)

"""The supervisor keeps its children alive, and ends them in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from vna.app.supervisor import LAST_DELAY_SECONDS, back_off

ROLES = """
import os, signal, sys, threading
from vna.app.supervisor import Supervisor, ask_for_new_beginning, ends_within

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

class Role:
    def __init__(self, name):
        self.name = name
    def before_fork(self):
        say("before", self.name, len(os.listdir("/proc/self/task")))
    def while_down(self):
        say("down", self.name)

class Waits(Role):
    def run(self):
        signal.signal(signal.SIGTERM, lambda *_: (say("ended", self.name), sys.exit(0)))
        say("running", self.name, os.getpid())
        while True:
            signal.pause()

class Asks(Role):
    def run(self):
        signal.signal(signal.SIGTERM, lambda *_: (say("ended", self.name), sys.exit(0)))
        signal.signal(signal.SIGUSR2, lambda *_: ask_for_new_beginning())
        say("running", self.name, os.getpid())
        while True:
            signal.pause()

class Stubborn(Role):
    def run(self):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        say("running", self.name, os.getpid())
        while True:
            signal.pause()

def supervise(*roles, drain=20):
    print("ended", Supervisor(roles, drain_seconds=drain).run().name, flush=True)
"""


@contextmanager
def supervised(call: str) -> Iterator[subprocess.Popen[str]]:
    script = textwrap.dedent(ROLES) + call
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def line(process: subprocess.Popen[str], *words: str) -> list[str]:
    """The next line that begins with `words`."""
    assert process.stdout is not None
    for text in process.stdout:
        if text.split()[: len(words)] == list(words):
            return text.split()
    raise AssertionError(f"{words} was never said")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_every_child_and_then_the_parent(number: signal.Signals) -> None:
    with supervised('supervise(Waits("one"), Waits("two"))') as process:
        line(process, "running")
        line(process, "running")
        process.send_signal(number)
        assert line(process, "ended")[1] in {"one", "two"}
        assert line(process, "ended")[1] in {"one", "two"}
        assert line(process, "ended") == ["ended", "ENDED"]
        assert process.wait(10) == 0


def test_a_child_that_dies_is_started_again_at_once() -> None:
    with supervised('supervise(Waits("one"))') as process:
        first = line(process, "running")[2]
        os.kill(int(first), signal.SIGKILL)
        second = line(process, "running")[2]
        assert first != second
        process.send_signal(signal.SIGTERM)
        assert line(process, "ended", "ENDED")


def test_a_child_that_keeps_dying_is_started_later_and_gives_up_what_it_used() -> None:
    with supervised('supervise(Waits("one"))') as process:
        for _ in range(2):
            os.kill(int(line(process, "running")[2]), signal.SIGKILL)
        assert line(process, "down") == ["down", "one"]
        assert line(process, "running", "one")
        process.send_signal(signal.SIGTERM)
        assert line(process, "ended", "ENDED")


def test_the_back_off_doubles_to_a_bound() -> None:
    delays = [back_off(failures) for failures in range(1, 12)]
    assert delays[:5] == [0.0, 0.5, 1.0, 2.0, 4.0]
    assert delays[-1] == LAST_DELAY_SECONDS


def test_a_child_that_does_not_drain_is_killed_after_its_time() -> None:
    call = "import vna.app.supervisor as s; s.KILL_AFTER_DRAIN_SECONDS = 0.05\n"
    with supervised(call + 'supervise(Stubborn("one"), drain=0.05)') as process:
        pid = int(line(process, "running")[2])
        process.send_signal(signal.SIGTERM)
        assert line(process, "ended", "KILLED")
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_second_signal_skips_the_wait() -> None:
    with supervised('supervise(Stubborn("one"), drain=3600)') as process:
        line(process, "running")
        process.send_signal(signal.SIGINT)
        line(process, "down")  # the drain has begun
        process.send_signal(signal.SIGINT)
        assert line(process, "ended", "KILLED")


def test_children_end_when_the_parent_is_killed() -> None:
    with supervised('supervise(Waits("one"))') as process:
        line(process, "running")
        process.kill()
        assert line(process, "ended", "one")


def test_nothing_but_one_thread_exists_before_a_fork() -> None:
    with supervised('supervise(Waits("one"))') as process:
        assert line(process, "before") == ["before", "one", "1"]


def test_a_child_asks_for_a_new_beginning_and_all_end() -> None:
    call = 'supervise(Asks("one"), Asks("two"), Waits("three"))\nsupervise(Waits("four"))'
    with supervised(call) as process:
        running = {said[1]: int(said[2]) for said in (line(process, "running") for _ in range(3))}
        for name in ("one", "two"):
            os.kill(running[name], signal.SIGUSR2)
        assert {line(process, "ended")[1] for _ in range(3)} == {"one", "two", "three"}
        assert line(process, "ended") == ["ended", "ANEW"]
        line(process, "running", "four")
        process.send_signal(signal.SIGTERM)
        assert line(process, "ended", "four")
        assert line(process, "ended") == ["ended", "ENDED"], "what two asked for is done once"


def test_a_parent_without_children_is_told_to_end_too() -> None:
    with supervised('say("waits", ends_within(0.01))\nsay("told", ends_within(60))') as process:
        assert line(process, "waits") == ["waits", "False"]
        process.send_signal(signal.SIGTERM)
        assert line(process, "told") == ["told", "True"]

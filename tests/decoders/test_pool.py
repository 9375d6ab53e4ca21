"""Decoder processes may crash, hang and run out of memory; one call fails, the next works."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vna.decoders import Decoders
from vna.errors import DecoderFailed, Overloaded, Undecodable

MIB = 1 << 20
TASKS = {
    name: f"tests.decoders.misbehaving:{name}"
    for name in ("echo", "refuse", "leave", "crash", "hang", "devour", "stumble")
}


@pytest.fixture
def decoders() -> Iterator[Decoders]:
    pool = Decoders(processes=2, seconds=20, memory=300 * MIB, tasks=TASKS)
    yield pool
    pool.close()


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def pid(decoders: Decoders) -> int:
    return int(decoders.run("echo", {})[0]["pid"])


def test_facts_and_blobs_come_back_as_they_went(decoders: Decoders) -> None:
    facts, data = decoders.run("echo", {"frame": 1, "name": "é"}, b"abc", b"", bytes(3 * MIB))

    assert (facts["frame"], facts["name"]) == (1, "é")
    assert data == b"abc" + bytes(3 * MIB)


def test_a_process_does_one_task_after_another(decoders: Decoders) -> None:
    assert pid(decoders) == pid(decoders) != os.getpid()


def test_what_a_task_refuses_is_said_and_its_process_goes_on(decoders: Decoders) -> None:
    before = pid(decoders)

    with pytest.raises(Undecodable, match="nobody reads it"):
        decoders.run("refuse", {})

    assert pid(decoders) == before


@pytest.mark.parametrize("task", ["leave", "crash", "devour", "stumble"])
def test_a_failure_fails_its_own_call_only(decoders: Decoders, task: str) -> None:
    before = pid(decoders)

    with pytest.raises(DecoderFailed):
        decoders.run(task, {})

    assert pid(decoders) != before


def test_a_process_that_hangs_is_ended() -> None:
    decoders = Decoders(processes=1, seconds=1, memory=300 * MIB, tasks=TASKS)
    try:
        with pytest.raises(DecoderFailed, match="1 seconds"):
            decoders.run("hang", {})
        assert decoders.run("echo", {"again": True})[0]["again"]
    finally:
        decoders.close()


def test_a_process_killed_from_outside_fails_the_call_that_it_serves(decoders: Decoders) -> None:
    victim = pid(decoders)
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(decoders.run, "hang", {})
        while not call.running():
            pass
        os.kill(victim, signal.SIGKILL)
        with pytest.raises(DecoderFailed):
            call.result(60)

    assert pid(decoders) != victim


def test_twenty_threads_share_two_processes(decoders: Decoders) -> None:
    with ThreadPoolExecutor(20) as threads:
        calls = [threads.submit(decoders.run, "echo", {"n": n}, bytes([n])) for n in range(200)]
        answers = [call.result(60) for call in calls]

    assert [(facts["n"], data) for facts, data in answers] == [(n, bytes([n])) for n in range(200)]
    assert len({facts["pid"] for facts, _ in answers}) <= 2


def test_who_finds_none_free_is_told_to_come_again() -> None:
    decoders = Decoders(processes=1, seconds=1, memory=300 * MIB, tasks=TASKS)
    try:
        start = threading.Barrier(2)

        def call() -> type[BaseException] | None:
            start.wait()
            try:
                decoders.run("hang", {})
            except (DecoderFailed, Overloaded) as error:
                return type(error)
            return None

        with ThreadPoolExecutor(2) as threads:
            found = [each.result(60) for each in [threads.submit(call), threads.submit(call)]]
        assert set(found) <= {DecoderFailed, Overloaded}
    finally:
        decoders.close()


def test_nothing_is_left_of_processes_that_ended() -> None:
    before = open_descriptors()
    decoders = Decoders(processes=2, seconds=20, memory=300 * MIB, tasks=TASKS)
    last = 0
    for _ in range(3):
        last = pid(decoders)
        with pytest.raises(DecoderFailed):
            decoders.run("leave", {})
    last = pid(decoders)
    decoders.close()

    assert open_descriptors() == before
    with pytest.raises(ProcessLookupError):
        os.kill(last, 0)


def test_a_closed_pool_takes_nothing(decoders: Decoders) -> None:
    decoders.close()

    with pytest.raises(Overloaded):
        decoders.run("echo", {})

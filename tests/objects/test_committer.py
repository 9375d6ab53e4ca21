from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest

from storage_backends.local import LocalBackend
from storage_backends.memory import MemoryBackend
from tests.objects.archive import append_of, content_of, only, placed, sha256_of
from tests.objects.simfs import SimFS
from tests.size import size
from vna.errors import IndexUnavailable, StorageUnavailable
from vna.model.archive import Place
from vna.objects import Committer, ObjectStore, Scan, Unit
from vna.objects.layout import SEGMENTS, segment_key, ulid_of
from vna.objects.segment import footer

PlacedUnits = Sequence[tuple[Unit[Place], Sequence[Place]]]
SUBMITTERS = 16


def unit(content: bytes) -> Unit[Place]:
    return Unit((append_of(content),))


class Gate:
    """A transaction that waits until it is let through, so that a queue builds up behind it."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()
        self.batches: list[list[int]] = []

    def transact(self, units: PlacedUnits) -> None:
        self.entered.set()
        assert self.open.wait(30)
        self.batches.append([len(places) for _, places in units])
        for one, _ in units:
            one.resolve(Place("", 0, 0))


def together(number: int, work: Callable[[int], None]) -> None:
    """Run `work(n)` in `number` threads that begin at once; re-raises what one of them raised."""
    start = threading.Barrier(number)
    errors: list[BaseException] = []

    def run(n: int) -> None:
        start.wait()
        try:
            work(n)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_every_one_of_many_submitters_gets_the_place_of_its_own_object(tmp_path: Path) -> None:
    backend = LocalBackend(str(tmp_path))
    store = ObjectStore.of(backend)
    committer = Committer[Place](only(backend), None, placed, rotate_bytes=2_000_000)
    each = size(100, 2000)

    def submit(submitter: int) -> None:
        contents = [content_of(submitter * each + n, 10 + 37 * (n % 100)) for n in range(each)]
        futures = [committer.submit(unit(content)) for content in contents]
        for content, future in zip(contents, futures, strict=True):
            place = future.result(60)
            assert store.read(place, sha256=sha256_of(content)) == content

    together(SUBMITTERS, submit)
    committer.close()
    count = 0
    for found in backend.list(SEGMENTS):
        segment = ulid_of(found.key)
        scan = Scan(backend.open(found.key), segment)
        count += sum(1 for record in scan if record.header.sequence and record.header.names.sop_uid)
        assert scan.sealed
    assert count == SUBMITTERS * each


def test_what_waits_becomes_one_batch_up_to_the_limit_of_records() -> None:
    gate = Gate()
    committer = Committer[Place](only(MemoryBackend()), None, gate.transact, batch_records=8)
    futures = [committer.submit(unit(b"first"))]
    assert gate.entered.wait(30)
    append = append_of(b"x")
    futures += [committer.submit(Unit((append, append, append))) for _ in range(5)]
    gate.open.set()
    for future in futures:
        future.result(30)
    committer.close()
    assert gate.batches == [[1], [3, 3], [3, 3], [3]]


def test_what_waits_becomes_one_batch_up_to_the_limit_of_bytes() -> None:
    gate = Gate()
    committer = Committer[Place](only(MemoryBackend()), None, gate.transact, batch_bytes=1000)
    futures = [committer.submit(unit(b"first"))]
    assert gate.entered.wait(30)
    futures += [committer.submit(unit(bytes(length))) for length in (400, 400, 400, 5000, 1)]
    gate.open.set()
    for future in futures:
        future.result(30)
    committer.close()
    assert gate.batches == [[1], [1, 1], [1], [1], [1]]


def test_an_error_of_the_index_fails_exactly_its_batch() -> None:
    gate, number = Gate(), itertools.count()

    def transact(units: PlacedUnits) -> None:
        gate.transact(units)
        if next(number) == 1:
            raise IndexUnavailable("away")

    committer = Committer[Place](only(MemoryBackend()), None, transact, batch_records=4)
    futures = [committer.submit(unit(b"first"))]
    assert gate.entered.wait(30)
    futures += [committer.submit(unit(b"x")) for _ in range(12)]
    gate.open.set()
    failed = [future.exception(30) is not None for future in futures]
    committer.close()
    assert gate.batches == [[1], [1] * 4, [1] * 4, [1] * 4]
    assert failed == [False] + [True] * 4 + [False] * 8


def test_a_full_disk_is_told_to_all_and_the_committer_works_again_with_room() -> None:
    disk = SimFS()
    backend = LocalBackend("/store", disk)
    store = ObjectStore.of(backend)
    committer = Committer[Place](only(backend), None, placed)
    kept = committer.submit(unit(content_of(1, 1000))).result(30)
    disk.capacity = disk.used() + 2000
    refused: list[Future[Place]] = []

    def submit(submitter: int) -> None:
        future = committer.submit(unit(content_of(submitter, 5000)))
        with pytest.raises(StorageUnavailable, match="full"):
            future.result(30)
        refused.append(future)

    together(SUBMITTERS, submit)
    assert len(refused) == SUBMITTERS
    disk.capacity = None
    place = committer.submit(unit(content_of(2, 5000))).result(30)
    committer.close()
    assert store.read(place) == content_of(2, 5000)
    assert store.read(kept) == content_of(1, 1000)


def test_closing_commits_what_was_handed_in_and_seals_the_segment() -> None:
    gate, backend = Gate(), MemoryBackend()
    committer = Committer[Place](only(backend), None, gate.transact, batch_records=3)
    futures = [committer.submit(unit(b"x")) for _ in range(10)]
    assert gate.entered.wait(30)
    closing = threading.Thread(target=committer.close)
    closing.start()
    gate.open.set()
    closing.join(30)
    assert [future.result(0) for future in futures] == [Place("", 0, 0)] * 10
    (found,) = backend.list(SEGMENTS)
    assert footer(backend.open(found.key), ulid_of(found.key)) is not None


def test_a_closed_committer_takes_nothing_more() -> None:
    committer = Committer[Place](only(MemoryBackend()), None, placed)
    committer.close()
    committer.close()
    with pytest.raises(StorageUnavailable):
        committer.submit(unit(b"x"))


def test_an_idle_committer_seals_its_segment_and_begins_another() -> None:
    disk, sealed = SimFS(), threading.Event()
    backend = LocalBackend("/store", disk)

    def watch(step: str) -> None:
        if step == "fdatasync":  # the first batch of a segment is synced with fsync
            sealed.set()

    disk.after = watch
    committer = Committer[Place](only(backend), None, placed, idle_seconds=0.01)
    first = committer.submit(unit(b"x")).result(30)
    assert sealed.wait(30)
    assert footer(backend.open(segment_key(first.segment)), first.segment) is not None
    assert committer.submit(unit(b"x")).result(30).segment != first.segment
    committer.close()

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from storage_backends.base import KeyMissing
from storage_backends.local import LocalBackend
from tests.objects.simfs import SimFS
from vna.objects.readers import Readers


def backend_with(count: int, disk: SimFS | None = None) -> LocalBackend:
    backend = LocalBackend("/store", disk or SimFS())
    for number in range(count):
        backend.put_new(f"k{number}", [b"%d" % number])
    return backend


def test_no_more_files_stay_open_than_allowed_and_the_latest_do() -> None:
    disk = SimFS()
    readers = Readers(backend_with(10, disk), limit=3)
    for number in (0, 1, 2, 0, 3, 0):
        with readers.lease(f"k{number}") as reader:
            assert reader.read(0, 9) == b"%d" % number
    assert len(disk._handles) == 3
    readers.close()
    assert disk._handles == {}


def test_a_reader_in_use_is_closed_by_its_last_user() -> None:
    disk = SimFS()
    readers = Readers(backend_with(3, disk), limit=1)
    with readers.lease("k0") as first, readers.lease("k0") as again:
        with readers.lease("k1"), readers.lease("k2"):
            assert first is again
            assert first.read(0, 9) == b"0"
        readers.close()
        assert first.read(0, 9) == b"0"
    assert disk._handles == {}


def test_a_forgotten_key_is_opened_anew() -> None:
    backend = backend_with(1)
    readers = Readers(backend, limit=4)
    with readers.lease("k0"):
        pass
    backend.delete("k0")
    backend.put_new("k0", [b"new"])
    readers.forget("k0")
    readers.forget("nothing")
    with readers.lease("k0") as reader:
        assert reader.read(0, 9) == b"new"


def test_a_missing_key_is_said_to_be_missing() -> None:
    readers = Readers(backend_with(0), limit=4)
    with pytest.raises(KeyMissing), readers.lease("k0"):
        pass


def test_threads_always_read_the_key_they_asked_for(tmp_path: Path) -> None:
    """With real descriptors, whose numbers are used again as soon as they are closed."""
    backend = LocalBackend(str(tmp_path))
    for number in range(20):
        backend.put_new(f"k{number}", [b"%d" % number])
    readers, wrong = Readers(backend, limit=2), []

    def read_many(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(500):
            number = chance.randrange(20)
            with readers.lease(f"k{number}") as reader:
                if reader.read(0, 9) != b"%d" % number:
                    wrong.append(number)

    threads = [threading.Thread(target=read_many, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    readers.close()
    assert wrong == []

from __future__ import annotations

import os
from pathlib import Path

import pytest

from storage_backends.filesystem import OsFileSystem
from storage_backends.local import LocalBackend
from storage_backends.prompt import TakesTime, promptly, takes_time

MIB = 1 << 20


def test_what_takes_time_is_refused_inside_the_block_only() -> None:
    takes_time()
    with pytest.raises(TakesTime), promptly():
        takes_time()
    takes_time()


def test_a_file_is_read_promptly_only_from_memory(tmp_path: Path) -> None:
    backend = LocalBackend(str(tmp_path / "store"))
    backend.put_new("a/b", [bytes(3 * MIB)])
    with pytest.raises(TakesTime), promptly():
        backend.open("a/b")
    reader = backend.open("a/b")
    reader.read(0, 3 * MIB)
    with promptly():
        assert reader.read(5, 2 * MIB) == bytes(2 * MIB)
    with (tmp_path / "store" / "a" / "b").open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    with pytest.raises(TakesTime), promptly():
        reader.read(5, 2 * MIB)
    assert reader.read(5, 2 * MIB) == bytes(2 * MIB)
    reader.close()


def test_what_a_file_system_cannot_say_is_not_cached(tmp_path: Path) -> None:
    system = OsFileSystem()
    assert not system.is_cached(-1, 0, 1)
    handle = system.create(str(tmp_path / "written-only"))
    assert not system.is_cached(handle, 0, 1)
    system.close(handle)

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from storage_backends.base import BackendError, BackendFull, KeyExists, WriterPoisoned
from storage_backends.filesystem import OsFileSystem
from storage_backends.local import LocalBackend
from tests.objects.simfs import SimFS
from tests.storage_backends.contract import AppendingContract, stored


class TestLocalBackend(AppendingContract):
    @pytest.fixture
    def backend(self, tmp_path: Path) -> LocalBackend:
        return LocalBackend(str(tmp_path / "new" / "store"))


class TestLocalBackendOnASimulatedDisk(AppendingContract):
    @pytest.fixture
    def backend(self) -> LocalBackend:
        return LocalBackend("/new/store", SimFS())


@pytest.fixture
def disk() -> SimFS:
    return SimFS()


@pytest.fixture
def backend(disk: SimFS) -> LocalBackend:
    backend = LocalBackend("/store", disk)
    backend.put_new("old/a", [b"old"])
    return backend


def fail_next(disk: SimFS, step: int, error: int = errno.EIO) -> None:
    disk.faults[len(disk.steps) + step] = error


@pytest.mark.parametrize("syncs_before", [0, 1])
def test_a_failed_sync_is_never_tried_again(
    backend: LocalBackend, disk: SimFS, syncs_before: int
) -> None:
    writer = backend.create("old/b")
    for _ in range(syncs_before):
        writer.append([b"one"])
        writer.sync()
    writer.append([b"two"])
    fail_next(disk, 0)
    with pytest.raises(BackendError):
        writer.sync()
    steps = len(disk.steps)
    for refused in (writer.sync, writer.seal, lambda: writer.append([b"x"])):
        with pytest.raises(WriterPoisoned):
            refused()
    assert len(disk.steps) == steps
    assert stored(backend, "old/b").startswith(b"one" * syncs_before)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_has_its_own_error_everywhere(
    backend: LocalBackend, disk: SimFS, error: int
) -> None:
    writer = backend.create("old/b")
    fail_next(disk, 0, error)
    with pytest.raises(BackendFull):
        writer.append([b"x"])
    with pytest.raises(WriterPoisoned):
        writer.append([b"x"])
    fail_next(disk, 0, error)
    with pytest.raises(BackendFull):
        backend.create("old/c")
    for step in range(3):  # create, append, fsync of the temporary file
        fail_next(disk, step, error)
        with pytest.raises(BackendFull):
            backend.put_new("old/d", [b"x"])
    backend.put_new("old/d", [b"works again"])
    assert stored(backend, "old/d") == b"works again"


def test_a_failed_put_leaves_no_key_and_no_file(backend: LocalBackend, disk: SimFS) -> None:
    before = disk.list("/store/old")
    for step in range(5):  # create, append, fsync, link, unlink of the temporary name
        fail_next(disk, step)
        with pytest.raises(BackendError):
            backend.put_new("old/b", [b"x"])
        if step < 4:
            assert disk.list("/store/old") == before


def test_a_key_whose_name_could_not_be_synced_is_taken_back(
    backend: LocalBackend, disk: SimFS
) -> None:
    fail_next(disk, 5)
    with pytest.raises(BackendError):
        backend.put_new("old/b", [b"x"])
    assert [found.key for found in backend.list()] == ["old/a"]
    backend.put_new("old/b", [b"y"])


def test_a_directory_whose_name_could_not_be_synced_is_made_anew(
    backend: LocalBackend, disk: SimFS
) -> None:
    fail_next(disk, 1)  # make_directory, then the sync of its parent
    with pytest.raises(BackendError):
        backend.create("new/a")
    writer = backend.create("new/a")
    writer.append([b"x"])
    writer.seal()
    for image in disk.crash_images(100):
        assert image["/store/new/a"] == b"x"


def test_each_directory_is_synced_once(backend: LocalBackend, disk: SimFS) -> None:
    backend.put_new("a/b/c", [b"x"])
    before = disk.steps.count("fsync_directory")
    backend.put_new("a/b/d", [b"x"])
    assert disk.steps.count("fsync_directory") == before + 1


def test_a_directory_left_by_a_process_that_died_is_synced_by_the_next(disk: SimFS) -> None:
    disk.make_directory("/store")
    disk.make_directory("/store/seg")
    LocalBackend("/store", disk).put_new("seg/a", [b"x"])
    assert [image["/store/seg/a"] for image in disk.crash_images(100)] == [b"x"]


def test_the_leftover_of_an_unfinished_put_is_neither_listed_nor_in_the_way(
    tmp_path: Path,
) -> None:
    backend = LocalBackend(str(tmp_path))
    backend.put_new("a", [b"x"])
    for number in range(5):
        (tmp_path / f".b.{os.getpid()}-{number}").write_bytes(b"half")
    backend.put_new("b", [b"whole"])
    assert [found.key for found in backend.list()] == ["a", "b"]


def test_what_belongs_to_the_volume_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "lost+found" / "a").write_bytes(b"")
    assert list(LocalBackend(str(tmp_path)).list()) == []


def test_a_name_is_given_without_replacing_another(tmp_path: Path) -> None:
    backend = LocalBackend(str(tmp_path))
    backend.put_new("a", [b"first"])
    with pytest.raises(KeyExists):
        backend.put_new("a", [b"second"])
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_root_that_cannot_be_made_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(BackendError):
        LocalBackend(str(tmp_path / "file" / "store"))


def test_a_short_write_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal or a nearly full disk may end a write early; the rest follows."""
    real_write = os.write
    monkeypatch.setattr(os, "writev", lambda fd, bufs: real_write(fd, b"".join(bufs)[:7]))
    monkeypatch.setattr(os, "write", lambda fd, data: real_write(fd, bytes(data)[:2]))
    fs = OsFileSystem()
    handle = fs.create(str(tmp_path / "a"))
    fs.append(handle, [b"one", b"", memoryview(b"two"), bytearray(b"three-four")])
    fs.close(handle)
    assert (tmp_path / "a").read_bytes() == b"onetwothree-four"


def test_free_space_is_what_the_file_system_says(tmp_path: Path) -> None:
    backend = LocalBackend(str(tmp_path / "store"))
    found = os.statvfs(tmp_path)
    assert abs(backend.free() - found.f_bavail * found.f_frsize) < 1 << 30

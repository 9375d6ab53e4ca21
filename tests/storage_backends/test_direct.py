from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage_backends.direct import BLOCK_BYTES, LEAST_BYTES, STEP_BYTES
from storage_backends.filesystem import OsFileSystem

SIZES = st.one_of(
    st.integers(0, 3 * BLOCK_BYTES),
    st.sampled_from([LEAST_BYTES - 1, LEAST_BYTES, LEAST_BYTES + 1, STEP_BYTES, STEP_BYTES + 5]),
    st.integers(0, STEP_BYTES + 2 * BLOCK_BYTES),
)
APPENDS = st.lists(st.lists(SIZES, min_size=1, max_size=4), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("direct")


@settings(max_examples=60, deadline=None)
@given(appends=APPENDS, seed=st.binary(min_size=8, max_size=8))
def test_what_is_appended_large_and_small_stands_in_the_file_in_order(
    folder: Path, appends: list[list[int]], seed: bytes
) -> None:
    path = folder / "file"
    path.unlink(missing_ok=True)
    system = OsFileSystem()
    handle = system.create(str(path))
    reader = system.open(str(path))
    wanted = b""
    for sizes in appends:
        buffers = [(seed * (size // 8 + 1))[number : size + number] for number, size in
                   enumerate(min(each, 8 * (each // 8)) for each in sizes)]  # fmt: skip
        system.append(handle, buffers)
        wanted += b"".join(buffers)
        assert system.read(reader, 0, len(wanted) + 1) == wanted  # through the page cache
    system.fdatasync(handle)
    system.close(handle)
    system.close(reader)
    assert path.read_bytes() == wanted


def test_a_large_append_goes_past_the_page_cache(tmp_path: Path) -> None:
    system = OsFileSystem()
    path = tmp_path / "file"
    handle = system.create(str(path))
    system.append(handle, [b"head"])
    system.append(handle, [os.urandom(4 * BLOCK_BYTES + LEAST_BYTES)])
    reader = system.open(str(path))
    assert system.is_cached(reader, 0, 1)
    assert not system.is_cached(reader, BLOCK_BYTES, BLOCK_BYTES)
    system.close(handle)
    system.close(reader)


def test_where_it_is_not_possible_the_page_cache_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_open = os.open

    def refusing(path: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_DIRECT:
            raise OSError(errno.EINVAL, "not here")
        return real_open(path, flags, mode)

    monkeypatch.setattr(os, "open", refusing)
    system = OsFileSystem()
    handle = system.create(str(tmp_path / "file"))
    data = os.urandom(STEP_BYTES + 7)
    system.append(handle, [data])
    system.append(handle, [data])
    system.close(handle)
    assert (tmp_path / "file").read_bytes() == data + data


def test_a_file_system_that_refuses_the_write_itself_takes_it_through_the_page_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_write = os.pwrite

    def once(handle: int, data: memoryview, at: int) -> int:
        if at:
            raise OSError(errno.EINVAL, "not so")
        return real_write(handle, data[:BLOCK_BYTES], at)

    monkeypatch.setattr(os, "pwrite", once)
    system = OsFileSystem()
    handle = system.create(str(tmp_path / "file"))
    data = os.urandom(STEP_BYTES + LEAST_BYTES + 7)
    system.append(handle, [data[:100], data[100:]])
    system.append(handle, [data])
    system.close(handle)
    assert (tmp_path / "file").read_bytes() == data + data


def test_a_short_direct_write_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_write = os.pwrite
    monkeypatch.setattr(
        os, "pwrite", lambda fd, data, at: real_write(fd, memoryview(data)[:BLOCK_BYTES], at)
    )
    system = OsFileSystem()
    handle = system.create(str(tmp_path / "file"))
    data = os.urandom(LEAST_BYTES + 7)
    system.append(handle, [data[:100], data[100:]])
    system.close(handle)
    assert (tmp_path / "file").read_bytes() == data

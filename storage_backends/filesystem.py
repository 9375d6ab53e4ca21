"""The seam between the local backend and the operating system.

It is thin on purpose: every step whose order matters to durability is one call here, so that a test
can put a simulated disk in its place and cut the power after any of them.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from storage_backends.base import Buffer
from storage_backends.direct import DirectAppends

Handle = int

IOV_MAX = 1024  # buffers per writev: Linux's UIO_MAXIOV
PROBE_BYTES = 256 * 1024
MODE_FILE = 0o640
MODE_DIRECTORY = 0o750


class DirectoryEntry(NamedTuple):
    """One name in a directory; `size` in bytes, 0 for a directory."""

    name: str
    is_directory: bool
    size: int


class FileSystem(Protocol):
    """POSIX files as far as an archive needs them. Every call may raise `OSError`.

    Nothing is durable until said so: the bytes of a file after `fsync` or `fdatasync` of it, its
    name after `fsync_directory` of the directory it stands in. After a sync that raised, what was
    not yet durable may be lost and a later sync that succeeds proves nothing about it.
    """

    def create(self, path: str) -> Handle:
        """Make a new file, open for appending; raises `FileExistsError` if the name is taken."""

    def open(self, path: str) -> Handle:
        """Open an existing file for reading; a directory raises `IsADirectoryError`."""

    def close(self, handle: Handle) -> None:
        """Give the handle back; says nothing about durability."""

    def append(self, handle: Handle, buffers: Sequence[Buffer]) -> None:
        """Write all buffers, in order, at the end. After an error any prefix may be there."""

    def read(self, handle: Handle, offset: int, length: int) -> bytes:
        """Read at a position: exactly `length` bytes, or fewer only where the file ends."""

    def is_cached(self, handle: Handle, offset: int, length: int) -> bool:
        """Whether reading there will most likely not wait for the disk."""

    def size(self, handle: Handle) -> int:
        """The size of an open file in bytes."""

    def fsync(self, handle: Handle) -> None:
        """Make the file's bytes and attributes durable."""

    def fdatasync(self, handle: Handle) -> None:
        """Make the file's bytes durable, with its size."""

    def fsync_directory(self, path: str) -> None:
        """Make the names in a directory durable."""

    def make_directory(self, path: str) -> None:
        """Make one directory; raises `FileExistsError` if the name is taken."""

    def remove_directory(self, path: str) -> None:
        """Remove an empty directory."""

    def rename_new(self, old: str, new: str) -> None:
        """Give a file its final name; raises `FileExistsError` rather than replace another.

        A power cut before the directory is synced may leave either name, or both.
        """

    def unlink(self, path: str) -> None:
        """Remove a name."""

    def free(self, path: str) -> int:
        """Bytes that we may still write in the file system of a directory."""

    def list(self, path: str) -> list[DirectoryEntry]:
        """The names in a directory, sorted."""


class OsFileSystem:
    """The real thing."""

    def __init__(self) -> None:
        self._direct = DirectAppends()

    def create(self, path: str) -> Handle:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        return os.open(path, flags, MODE_FILE)

    def open(self, path: str) -> Handle:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        if stat.S_ISREG(os.fstat(handle).st_mode):
            return handle
        os.close(handle)
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)

    def close(self, handle: Handle) -> None:
        os.close(handle)

    def append(self, handle: Handle, buffers: Sequence[Buffer]) -> None:
        left = self._direct.append(handle, buffers)
        for first in range(0, len(left), IOV_MAX):
            _write_all(handle, left[first : first + IOV_MAX])

    def read(self, handle: Handle, offset: int, length: int) -> bytes:
        data = os.pread(handle, length, offset)
        if len(data) == length or not data:
            return data
        parts = [data]  # a short read is the end of the file, a signal, or Linux's 2 GiB limit
        missing = length - len(data)
        while missing and (data := os.pread(handle, missing, offset + length - missing)):
            parts.append(data)
            missing -= len(data)
        return b"".join(parts)

    def is_cached(self, handle: Handle, offset: int, length: int) -> bool:
        probe = (bytearray(1),)
        try:
            # Objects are read from end to end: where its pages here and there are in memory, the
            # others are, too. Where the file system cannot say, it raises.
            for at in (*range(offset, offset + length, PROBE_BYTES), offset + length - 1):
                if not os.preadv(handle, probe, at, os.RWF_NOWAIT):
                    return False
        except OSError:
            return False
        return True

    def size(self, handle: Handle) -> int:
        return os.fstat(handle).st_size

    def fsync(self, handle: Handle) -> None:
        os.fsync(handle)

    def fdatasync(self, handle: Handle) -> None:
        os.fdatasync(handle)

    def fsync_directory(self, path: str) -> None:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def make_directory(self, path: str) -> None:
        os.mkdir(path, MODE_DIRECTORY)

    def remove_directory(self, path: str) -> None:
        os.rmdir(path)

    def rename_new(self, old: str, new: str) -> None:
        os.link(old, new)  # unlike rename, it never replaces
        os.unlink(old)

    def unlink(self, path: str) -> None:
        os.unlink(path)

    def free(self, path: str) -> int:
        found = os.statvfs(path)
        return found.f_bavail * found.f_frsize

    def list(self, path: str) -> list[DirectoryEntry]:
        with os.scandir(path) as entries:
            return sorted(found for entry in entries if (found := _entry(entry)) is not None)


def _write_all(handle: Handle, buffers: Sequence[Buffer]) -> None:
    written = os.writev(handle, buffers)
    if written == sum(memoryview(buffer).nbytes for buffer in buffers):
        return
    for buffer in buffers:
        view = memoryview(buffer).cast("B")
        skipped = min(written, len(view))
        written -= skipped
        rest = view[skipped:]
        while rest:
            rest = rest[os.write(handle, rest) :]


def _entry(entry: os.DirEntry[str]) -> DirectoryEntry | None:
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:  # removed since the directory was read
        return None
    is_directory = stat.S_ISDIR(status.st_mode)
    return DirectoryEntry(entry.name, is_directory, 0 if is_directory else status.st_size)

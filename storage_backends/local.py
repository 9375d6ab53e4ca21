"""Keys as files below one directory of a POSIX file system with hard links."""

from __future__ import annotations

import errno
import itertools
import os
import posixpath
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress

from storage_backends.base import (
    BackendError,
    BackendFull,
    Buffer,
    Capabilities,
    KeyExists,
    KeyMissing,
    StoredKey,
    WriterPoisoned,
    check_key,
    is_key,
)
from storage_backends.filesystem import FileSystem, Handle, OsFileSystem
from storage_backends.prompt import TakesTime, must_be_prompt, takes_time

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


class LocalBackend:
    """Durable files below `root`, an absolute path that is made if it does not exist.

    What is no key is not listed: unfinished `put_new`s, whose names begin with a dot, and what
    belongs to the volume.
    """

    capabilities = Capabilities(append=True)

    def __init__(self, root: str, filesystem: FileSystem | None = None) -> None:
        self._root = posixpath.normpath(root)
        self._fs = filesystem or OsFileSystem()
        self._directories = _Directories(self._fs)
        self._counter = itertools.count()
        try:
            self._directories.ensure_root(self._root)
        except OSError as error:
            raise _translated(self._root, error) from error

    def create(self, key: str) -> LocalWriter:
        path, directory = self._place(key)
        try:
            self._directories.ensure(directory)
            handle = self._fs.create(path)
        except OSError as error:
            raise _translated(key, error) from error
        return LocalWriter(self._fs, key, handle, directory)

    def put_new(self, key: str, buffers: Sequence[Buffer]) -> None:
        path, directory = self._place(key)
        try:
            self._directories.ensure(directory)
            temporary, handle = self._create_temporary(directory, posixpath.basename(key))
        except OSError as error:
            raise _translated(key, error) from error
        try:
            try:
                self._fs.append(handle, buffers)
                self._fs.fsync(handle)
            finally:
                self._fs.close(handle)
            self._fs.rename_new(temporary, path)
        except OSError as error:
            with suppress(OSError):
                self._fs.unlink(temporary)
            raise _translated(key, error) from error
        try:
            self._fs.fsync_directory(directory)
        except OSError as error:
            with suppress(OSError):  # a name whose sync failed must not be found and trusted later
                self._fs.unlink(path)
            raise _translated(key, error) from error

    def open(self, key: str) -> LocalReader:
        takes_time()
        path, _ = self._place(key)
        try:
            return LocalReader(self._fs, key, self._fs.open(path))
        except OSError as error:
            raise _translated(key, error) from error

    def delete(self, key: str) -> None:
        path, directory = self._place(key)
        try:
            self._fs.unlink(path)
            self._fs.fsync_directory(directory)
        except OSError as error:
            raise _translated(key, error) from error

    def free(self) -> int:
        try:
            return self._fs.free(self._root)
        except OSError as error:
            raise _translated(self._root, error) from error

    def list(self, prefix: str = "") -> Iterator[StoredKey]:
        if prefix:
            check_key(prefix)
        yield from self._walk(prefix)

    def _walk(self, prefix: str) -> Iterator[StoredKey]:
        try:
            entries = self._fs.list(posixpath.join(self._root, prefix))
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise _translated(prefix, error) from error
        # As keys sort: "a/b" comes after "a-b" and before "a0".
        for entry in sorted(entries, key=lambda e: e.name + "/" * e.is_directory):
            if not is_key(entry.name):  # an unfinished put, or the volume's own `lost+found`
                continue
            key = f"{prefix}/{entry.name}" if prefix else entry.name
            if entry.is_directory:
                yield from self._walk(key)
            else:
                yield StoredKey(key, entry.size)

    def _place(self, key: str) -> tuple[str, str]:
        path = posixpath.join(self._root, check_key(key))
        return path, posixpath.dirname(path)

    def _create_temporary(self, directory: str, name: str) -> tuple[str, Handle]:
        while True:  # a dead process of the same number may have left the name behind
            path = f"{directory}/.{name}.{os.getpid()}-{next(self._counter)}"
            with suppress(FileExistsError):
                return path, self._fs.create(path)


class LocalWriter:
    """One file that grows; see `storage_backends.base.Writer`."""

    def __init__(self, fs: FileSystem, key: str, handle: Handle, directory: str) -> None:
        self.key = key
        self._fs = fs
        self._handle: Handle | None = handle
        self._directory = directory
        self._name_is_durable = False
        self._size = 0

    @property
    def size(self) -> int:
        return self._size

    def append(self, buffers: Sequence[Buffer]) -> int:
        handle = self._usable()
        offset = self._size
        try:
            self._fs.append(handle, buffers)
        except OSError as error:
            self.abandon()
            raise _translated(self.key, error) from error
        self._size += sum(memoryview(buffer).nbytes for buffer in buffers)
        return offset

    def sync(self) -> None:
        handle = self._usable()
        try:
            if self._name_is_durable:
                self._fs.fdatasync(handle)
            else:
                self._fs.fsync(handle)
                self._fs.fsync_directory(self._directory)
                self._name_is_durable = True
        except OSError as error:
            self.abandon()
            raise _translated(self.key, error) from error

    def seal(self) -> None:
        self.sync()
        handle, self._handle = self._usable(), None
        try:
            self._fs.close(handle)
        except OSError as error:
            raise _translated(self.key, error) from error

    def abandon(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            with suppress(OSError):
                self._fs.close(handle)

    def _usable(self) -> Handle:
        if self._handle is None:
            raise WriterPoisoned(self.key, "the writer failed before or is closed")
        return self._handle


class LocalReader:
    """One file open for reading; see `storage_backends.base.Reader`."""

    def __init__(self, fs: FileSystem, key: str, handle: Handle) -> None:
        self._fs, self._key, self._handle = fs, key, handle

    def size(self) -> int:
        try:
            return self._fs.size(self._handle)
        except OSError as error:
            raise _translated(self._key, error) from error

    def read(self, offset: int, length: int) -> bytes:
        if must_be_prompt() and not self._fs.is_cached(self._handle, offset, length):
            raise TakesTime
        try:
            return self._fs.read(self._handle, offset, length)
        except OSError as error:
            raise _translated(self._key, error) from error

    def close(self) -> None:
        self._fs.close(self._handle)


class _Directories:
    """Directories whose own names are known to be durable, so that each is synced once a process.

    A directory that another process made may not be durable yet: it is synced here all the same.
    """

    def __init__(self, fs: FileSystem) -> None:
        self._fs = fs
        self._durable: set[str] = set()
        self._lock = threading.Lock()

    def ensure_root(self, root: str) -> None:
        with self._lock:
            self._ensure_ancestors(root)
            self._durable.add(root)

    def ensure(self, path: str) -> None:
        """Make `path`, below the root, and every name that leads to it durable."""
        if path in self._durable:
            return
        with self._lock:
            self._ensure(path)

    def _ensure(self, path: str) -> None:
        if path in self._durable:
            return
        parent = posixpath.dirname(path)
        self._ensure(parent)
        with suppress(FileExistsError):
            self._fs.make_directory(path)
        self._sync_name(path, parent)
        self._durable.add(path)

    def _sync_name(self, path: str, parent: str) -> None:
        try:
            self._fs.fsync_directory(parent)
        except OSError:
            # Syncing again may prove nothing about this name; making it anew does. Where others
            # use it already, the next sync counts: names go through the file system's journal,
            # which takes nothing more once it failed.
            with suppress(OSError):
                self._fs.remove_directory(path)
            raise

    def _ensure_ancestors(self, path: str) -> None:
        parent = posixpath.dirname(path)
        try:
            self._fs.make_directory(path)
        except FileExistsError:
            # Whoever made it may have died before its name was durable. Where we may not even
            # open the parent, it was made by an administrator long ago.
            with suppress(PermissionError):
                self._fs.fsync_directory(parent)
            return
        except FileNotFoundError:
            self._ensure_ancestors(parent)
            self._fs.make_directory(path)
        self._sync_name(path, parent)


def _translated(key: str, error: OSError) -> BackendError:
    if isinstance(error, FileExistsError):
        return KeyExists(key)
    if isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError):
        return KeyMissing(key)
    if error.errno in NO_SPACE:
        return BackendFull(key, "no space left")
    return BackendError(key, error.strerror or type(error).__name__)

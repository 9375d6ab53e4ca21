"""Keys in memory: the contract without a disk. Durable for as long as the process lives."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from storage_backends.base import (
    BackendFull,
    Buffer,
    Capabilities,
    KeyExists,
    KeyMissing,
    StoredKey,
    WriterPoisoned,
    check_key,
)


class MemoryBackend:
    """Bytes in a dictionary. `capacity` in bytes: beyond it the store is full."""

    capabilities = Capabilities(append=True)

    def __init__(self, capacity: int | None = None) -> None:
        self.capacity = capacity
        self._keys: dict[str, bytearray] = {}
        self._lock = threading.Lock()

    def create(self, key: str) -> MemoryWriter:
        with self._lock:
            return MemoryWriter(self, key, self._new(key))

    def put_new(self, key: str, buffers: Sequence[Buffer]) -> None:
        data = b"".join(buffers)
        with self._lock:
            self._reserve(key, len(data))
            self._new(key).extend(data)

    def open(self, key: str) -> MemoryReader:
        with self._lock:
            return MemoryReader(self._lock, self._existing(key))

    def delete(self, key: str) -> None:
        with self._lock:
            self._existing(key)
            del self._keys[key]

    def free(self) -> int | None:
        with self._lock:
            return None if self.capacity is None else max(self.capacity - self._used(), 0)

    def list(self, prefix: str = "") -> Iterator[StoredKey]:
        below = f"{check_key(prefix)}/" if prefix else ""
        with self._lock:
            found = [StoredKey(k, len(v)) for k, v in self._keys.items() if k.startswith(below)]
        yield from sorted(found)

    def _append(self, key: str, content: bytearray, data: bytes) -> int:
        with self._lock:
            self._reserve(key, len(data))
            offset = len(content)
            content.extend(data)
            return offset

    def _reserve(self, key: str, length: int) -> None:
        if self.capacity is not None and self._used() + length > self.capacity:
            raise BackendFull(key, "no space left")

    def _used(self) -> int:
        return sum(len(content) for content in self._keys.values())

    def _new(self, key: str) -> bytearray:
        if check_key(key) in self._keys:
            raise KeyExists(key)
        content = self._keys[key] = bytearray()
        return content

    def _existing(self, key: str) -> bytearray:
        try:
            return self._keys[check_key(key)]
        except KeyError:
            raise KeyMissing(key) from None


class MemoryWriter:
    """One growing key; see `storage_backends.base.Writer`."""

    def __init__(self, backend: MemoryBackend, key: str, content: bytearray) -> None:
        self.key = key
        self._backend = backend
        self._content = content
        self._open = True

    @property
    def size(self) -> int:
        return len(self._content)

    def append(self, buffers: Sequence[Buffer]) -> int:
        self.sync()
        try:
            return self._backend._append(self.key, self._content, b"".join(buffers))
        except BackendFull:
            self._open = False
            raise

    def sync(self) -> None:
        if not self._open:
            raise WriterPoisoned(self.key, "the writer failed before or is closed")

    def seal(self) -> None:
        self.sync()
        self._open = False

    def abandon(self) -> None:
        self._open = False


class MemoryReader:
    """One key open for reading; see `storage_backends.base.Reader`."""

    def __init__(self, lock: threading.Lock, content: bytearray) -> None:
        self._lock, self._content = lock, content

    def size(self) -> int:
        return len(self._content)

    def read(self, offset: int, length: int) -> bytes:
        with self._lock:
            return bytes(self._content[offset : offset + length])

    def close(self) -> None:
        """Nothing to give back."""

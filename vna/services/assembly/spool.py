"""Where bulk data wait until the objects that they belong to are complete."""

from __future__ import annotations

from collections.abc import Callable

from vna.objects import RAW_BYTES, RawObject


class Spool:
    """Bytes in their order, a `Source`. The first 8 MiB are in memory; then all of it is a raw file
    of the store, which is never made durable and goes with `close`.

    Use from one thread at a time. `write` raises `StorageUnavailable`.
    """

    def __init__(self, raw: Callable[[], RawObject]) -> None:
        self._open = raw
        self._memory = bytearray()
        self._raw: RawObject | None = None

    @property
    def size(self) -> int:
        """Bytes written."""
        return len(self._memory) if self._raw is None else self._raw.size

    def write(self, chunk: bytes | memoryview) -> None:
        """Add bytes at the end."""
        if self._raw is not None:
            self._raw.write(chunk)
            return
        self._memory += chunk
        if len(self._memory) > RAW_BYTES:
            self._raw = self._open()
            self._raw.write(bytes(self._memory))
            self._memory = bytearray()

    def read(self, offset: int, length: int) -> bytes:
        """See `vna.dicom.source.Source`."""
        if self._raw is not None:
            return self._raw.read(offset, length)
        return bytes(self._memory[offset : offset + length])

    def close(self) -> None:
        """Keep nothing."""
        self._memory = bytearray()
        if self._raw is not None:
            self._raw.abort()
            self._raw = None

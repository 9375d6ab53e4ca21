"""Random access to the bytes of one object, whether they are in memory or in a store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Source(Protocol):
    """The bytes of one object; readers of large objects ask for small ranges only."""

    @property
    def size(self) -> int:
        """Length of the object in bytes."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes from `offset`, or fewer only where the object ends."""
        ...


class BytesSource:
    """An object that is already in memory; slices copy only what is asked for."""

    __slots__ = ("_view", "size")

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._view = memoryview(data)
        self.size = len(self._view)

    def view(self, offset: int, length: int) -> memoryview:
        """As `read`, without a copy."""
        return self._view[offset : offset + length]

    def read(self, offset: int, length: int) -> bytes:
        """See `Source.read`."""
        return bytes(self._view[offset : offset + length])


def chunks(source: Source, offset: int, length: int, size: int = 1 << 20) -> Iterator[bytes]:
    """Yield the range in pieces of at most `size` bytes; ends early where the object ends."""
    end = offset + length
    while offset < end:
        piece = source.read(offset, min(size, end - offset))
        if not piece:
            return
        yield piece
        offset += len(piece)

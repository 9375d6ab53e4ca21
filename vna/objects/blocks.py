"""Checksums of the blocks of a raw file, so that a part of it is checked without reading all of it.

They stand behind the record header in `.meta` (docs/formats.md, "Raw file").
"""

from __future__ import annotations

import struct

import xxhash

from storage_backends.base import Buffer

BLOCK_BYTES = 1024**2

_MAGIC = b"VNAB"
_HEAD = struct.Struct("<4sIQ")  # magic, bytes of a block, number of blocks
SUM_BYTES = 8  # XXH3-64, big endian


class BlockSums:
    """Digests a payload block by block while it is written."""

    def __init__(self) -> None:
        self._sums: list[bytes] = []
        self._digest = xxhash.xxh3_64()
        self._room = BLOCK_BYTES

    def update(self, data: Buffer) -> None:
        """The next bytes of the payload."""
        rest = memoryview(data).cast("B")
        while rest:
            part = rest[: self._room]
            self._digest.update(part)
            self._room -= len(part)
            rest = rest[len(part) :]
            if not self._room:
                self._next()

    def encode(self) -> bytes:
        """The table; call once, at the end."""
        if self._room < BLOCK_BYTES:
            self._next()
        table = _HEAD.pack(_MAGIC, BLOCK_BYTES, len(self._sums)) + b"".join(self._sums)
        return table + xxhash.xxh3_64_digest(table)

    def _next(self) -> None:
        self._sums.append(self._digest.digest())
        self._digest.reset()
        self._room = BLOCK_BYTES


def decode_blocks(data: bytes, length: int) -> bytes | None:
    """The sums of a payload of `length` bytes, joined; None where `data` is no good table of it."""
    if len(data) < _HEAD.size:
        return None
    magic, block, count = _HEAD.unpack_from(data)
    if (magic, block, count) != (_MAGIC, BLOCK_BYTES, -(-length // BLOCK_BYTES)):
        return None
    end = _HEAD.size + count * SUM_BYTES
    if data[end : end + SUM_BYTES] != xxhash.xxh3_64_digest(data[:end]):
        return None
    return data[_HEAD.size : end]


def is_block(data: Buffer, sums: bytes, number: int) -> bool:
    """Whether `data` is block `number` (from 0) of the payload that `sums` belong to."""
    at = number * SUM_BYTES
    return xxhash.xxh3_64_digest(data) == sums[at : at + SUM_BYTES]

"""JSON arrays kept as deflate pieces that join into one gzip member without recompression.

A series' elements are compressed once and stored; a series' answer is one piece between brackets, a
study's answer is the pieces of its series. Several gzip members in a row would be shorter to write,
but common clients stop after the first member and would lose the rest without a word.

Stored piece (docs/formats.md): CRC-32 of the plain text, u32 LE; its length, u64 LE; raw deflate
(RFC 1951) ending on a byte boundary with a full flush, last-block bit never set.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_FRONT = struct.Struct("<IQ")
_TRAILER = struct.Struct("<II")
_MEMBER = (
    b"\x1f\x8b\x08\0\0\0\0\0\0\xff"  # RFC 1952 §2.3: deflate, no name, no time, unknown system
)
_POLYNOMIAL = 0xEDB88320  # CRC-32 (RFC 1952 §8), bit-reflected
_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Piece:
    """Comma-separated JSON values, compressed. `length`: bytes when plain."""

    crc: int
    length: int
    deflated: bytes

    def encode(self) -> bytes:
        """The stored form."""
        return _FRONT.pack(self.crc, self.length) + self.deflated

    @classmethod
    def decode(cls, data: bytes) -> Piece:
        """Read the stored form."""
        crc, length = _FRONT.unpack_from(data)
        return cls(crc, length, data[_FRONT.size :])

    def plain(self) -> bytes:
        """The text; raises ValueError where it does not match its checksum."""
        text = zlib.decompressobj(-15).decompress(self.deflated)
        if len(text) != self.length or zlib.crc32(text) != self.crc:
            raise ValueError("a stored JSON piece differs from its checksum")
        return text


def compress(values: Iterable[bytes]) -> Piece:
    """Join JSON values with commas and compress them; holds one plain value at a time."""
    engine = zlib.compressobj(_LEVEL, zlib.DEFLATED, -15)
    crc, length, out = 0, 0, []
    for value in values:
        text = b"," + value if length else value
        crc = zlib.crc32(text, crc)
        length += len(text)
        out.append(engine.compress(text))
    out.append(engine.flush(zlib.Z_FULL_FLUSH))
    return Piece(crc, length, b"".join(out))


def values(pieces: Sequence[Piece]) -> Iterator[Any]:
    """Yield each JSON value, read; one at a time beside the text of one piece."""
    read = json.JSONDecoder().raw_decode
    for piece in _filled(pieces):
        text, at = piece.plain().decode(), 0
        while at < len(text):
            value, at = read(text, at)
            yield value
            at += 1  # the comma


def plain_array(pieces: Sequence[Piece]) -> Iterator[bytes]:
    """Yield `[`, every piece's text and `]`, piece by piece."""
    pieces = _filled(pieces)
    yield b"["
    for number, piece in enumerate(pieces):
        yield b"," + piece.plain() if number else piece.plain()
    yield b"]"


def plain_size(pieces: Sequence[Piece]) -> int:
    """Bytes that `plain_array` yields."""
    pieces = _filled(pieces)
    return 2 + sum(piece.length for piece in pieces) + max(0, len(pieces) - 1)


def gzip_array(pieces: Sequence[Piece]) -> Iterator[bytes]:
    """Yield one gzip member that holds the array of all pieces."""
    pieces = _filled(pieces)
    yield _MEMBER + _stored(b"[", last=False)
    crc = zlib.crc32(b"[")
    for number, piece in enumerate(pieces):
        if number:
            crc = zlib.crc32(b",", crc)
            yield _stored(b",", last=False)
        crc = _joined(crc, piece.crc, piece.length)
        yield piece.deflated
    crc = zlib.crc32(b"]", crc)
    yield _stored(b"]", last=True) + _TRAILER.pack(crc, plain_size(pieces) & 0xFFFFFFFF)


def gzip_size(pieces: Sequence[Piece]) -> int:
    """Bytes that `gzip_array` yields."""
    pieces = _filled(pieces)
    stored = 6 * (2 + max(0, len(pieces) - 1))  # brackets and commas, six bytes each
    return len(_MEMBER) + stored + sum(len(piece.deflated) for piece in pieces) + _TRAILER.size


def _filled(pieces: Sequence[Piece]) -> list[Piece]:
    return [piece for piece in pieces if piece.length]


def _stored(text: bytes, *, last: bool) -> bytes:
    """A stored deflate block (RFC 1951 §3.2.4) that begins on a byte boundary."""
    return struct.pack("<BHH", last, len(text), 0xFFFF ^ len(text)) + text


def _joined(first: int, second: int, second_length: int) -> int:
    """The CRC-32 of two texts in a row: first · x^(8·length) + second, modulo the polynomial."""
    return _product(_power_of_x(8 * second_length), first) ^ second


def _product(a: int, b: int) -> int:
    total = 0
    for shift in range(31, -1, -1):  # reflected: the highest bit is x^0
        if a >> shift & 1:
            total ^= b
        b = b >> 1 ^ _POLYNOMIAL if b & 1 else b >> 1
    return total


def _power_of_x(exponent: int) -> int:
    result, square = 1 << 31, 1 << 30  # x^0, x^1
    while exponent:
        if exponent & 1:
            result = _product(result, square)
        square = _product(square, square)
        exponent >>= 1
    return result

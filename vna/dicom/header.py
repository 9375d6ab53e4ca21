"""The header of an object: its data set without large values, small enough to keep in the index.

What is cut out: the pixel data, and other values of more than 1 KiB that DICOM JSON may replace by
a URI (docs/formats.md).  The header knows where each cut was, so that the value is one ranged read.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache

import zstandard

from vna.dicom.transfer_syntax import Encoding
from vna.dicom.varint import put, take
from vna.errors import MalformedObject

CUT_ABOVE = 1024  # bytes; larger values of BULK_VRS are cut
CUT_ALWAYS_ABOVE = 65536  # bytes; larger values of any VR are cut
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Header:
    """`data`: the data set without its cuts, each (position in `data`, bytes removed), ascending.

    A cut is always a whole value: the element's head stands before it.  `incomplete`: the object's
    structure is broken, so that `data` ends at the break, or was made by the fallback and is not of
    its bytes; then no value can be fetched and no file made from it.
    """

    encoding: Encoding
    data: bytes
    cuts: tuple[tuple[int, int], ...] = ()
    incomplete: bool = False

    def encode(self) -> bytes:
        """Deterministic bytes, see docs/formats.md."""
        out = bytearray((_VERSION, self.encoding | self.incomplete << 7))
        put(out, len(self.cuts))
        before = 0
        for position, length in self.cuts:
            put(out, position - before)
            put(out, length)
            before = position
        return bytes(out) + self.data

    @classmethod
    def decode(cls, data: bytes) -> Header:
        """The header that `encode` wrote; raises `MalformedObject` for anything else."""
        try:
            if data[0] != _VERSION:
                raise MalformedObject(f"header format {data[0]} is not known")
            count, at = take(data, 2)
            cuts, before = [], 0
            for _ in range(count):
                step, at = take(data, at)
                length, at = take(data, at)
                before += step
                cuts.append((before, length))
            return cls(Encoding(data[1] & 0x7F), data[at:], tuple(cuts), bool(data[1] >> 7))
        except (IndexError, ValueError) as error:
            raise MalformedObject("not an encoded header") from error


def compress(encoded: bytes, dictionary: bytes | None = None) -> bytes:
    """`encoded` as a zstd frame, level 3; `dictionary`: the encoded header of another instance of
    the series, which `decompress` will need again."""
    return _tools(dictionary)[0].compress(encoded)


def decompress(compressed: bytes, dictionary: bytes | None = None) -> bytes:
    """What `compress` was given; raises `MalformedObject` where the bytes are damaged."""
    try:
        return _tools(dictionary)[1].decompress(compressed)
    except zstandard.ZstdError as error:
        raise MalformedObject("the compressed header is damaged") from error


@dataclass(frozen=True, slots=True)
class PackedHeader:
    """A compressed header as it is stored; unpacked only where somebody wants it."""

    body: bytes
    dictionary: bytes | None = None

    def encoded(self) -> bytes:
        """The encoded header; raises `MalformedObject` where the bytes are damaged."""
        return decompress(self.body, self.dictionary)


class _PerThread(threading.local):
    """zstd contexts may not be shared between threads."""

    def __init__(self) -> None:
        self.tools = lru_cache(maxsize=16)(_make_tools)


def _make_tools(
    dictionary: bytes | None,
) -> tuple[zstandard.ZstdCompressor, zstandard.ZstdDecompressor]:
    if dictionary is None:
        return zstandard.ZstdCompressor(level=3), zstandard.ZstdDecompressor()
    raw = zstandard.ZstdCompressionDict(dictionary, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    return (
        zstandard.ZstdCompressor(level=3, dict_data=raw),
        zstandard.ZstdDecompressor(dict_data=raw),
    )


_per_thread = _PerThread()


def _tools(
    dictionary: bytes | None,
) -> tuple[zstandard.ZstdCompressor, zstandard.ZstdDecompressor]:
    return _per_thread.tools(dictionary)

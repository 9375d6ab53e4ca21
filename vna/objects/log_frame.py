"""A frame of the log: rows of the index, as one commit or many left them (docs/formats.md, "Log").

A file is one frame or several behind one another. What a frame holds is of one state of the index;
with all frames before it, it gives the whole of that state where it is `complete`.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import orjson
import zstandard

from storage_backends.base import Reader

MAGIC = b"VNAL"
FORMAT = 1
LEVEL = 3

_FIXED = struct.Struct("<4sB3xIQ32s")  # magic, format, length of header and body, SHA-256 of both
LONGEST_HEADER = 4096


class BadFrame(Exception):
    """The bytes are not a whole, undamaged frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a frame says of itself.

    `frame`, `previous`: its ULID and that of the one before, '' in the first. `epoch`: rises by
    one. `schema`: revision of the index. `at`: when it was read, ms since 1970 UTC by the clock of
    the database. `feed`: number of the last change then. `rows`: how many it holds.
    """

    frame: str
    previous: str
    epoch: int
    schema: str
    at: int
    feed: int
    complete: bool
    rows: int


@dataclass(frozen=True, slots=True)
class Extent:
    """A frame and where it lies in its file, bytes."""

    frame: Frame
    offset: int
    length: int


def encode(frame: Frame, lines: list[bytes]) -> bytes:
    """The bytes of a frame; `lines` are JSON texts without line feeds."""
    header = orjson.dumps(frame, option=orjson.OPT_SORT_KEYS)
    body = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(b"\n".join(lines))
    digest = hashlib.sha256(header + body).digest()
    return _FIXED.pack(MAGIC, FORMAT, len(header), len(body), digest) + header + body


def decode(data: bytes) -> tuple[Frame, Iterator[bytes]]:
    """A frame and its lines; raises `BadFrame` unless `data` is exactly one."""
    header_length, body_length, digest = _fixed(data)
    content = memoryview(data)[_FIXED.size :]
    if len(content) != header_length + body_length:
        raise BadFrame("the frame ends too early")
    if hashlib.sha256(content).digest() != digest:
        raise BadFrame("the frame's bytes differ from their checksum")
    body = zstandard.ZstdDecompressor().decompress(content[header_length:])
    lines = iter(body.split(b"\n")) if body else iter(())
    return _header(content[:header_length]), lines


def extents(reader: Reader) -> list[Extent]:
    """The frames of a file, by their headers alone; raises `BadFrame`, `BackendError`."""
    found: list[Extent] = []
    size, at = reader.size(), 0
    while at < size:
        data = reader.read(at, _FIXED.size + LONGEST_HEADER)
        header_length, body_length, _ = _fixed(data)
        length = _FIXED.size + header_length + body_length
        if at + length > size or len(data) < _FIXED.size + header_length:
            raise BadFrame("the file ends inside a frame")
        found.append(Extent(_header(data[_FIXED.size :][:header_length]), at, length))
        at += length
    return found


def _fixed(data: bytes) -> tuple[int, int, bytes]:
    if len(data) < _FIXED.size:
        raise BadFrame("the bytes end inside a frame")
    magic, version, header_length, body_length, digest = _FIXED.unpack_from(data)
    if magic != MAGIC:
        raise BadFrame("no frame begins here")
    if version != FORMAT:
        raise BadFrame("the frame was written by a later version")
    return header_length, body_length, digest


def _header(data: bytes | memoryview) -> Frame:
    try:
        return Frame(**orjson.loads(data))
    except (ValueError, TypeError) as error:
        raise BadFrame("the frame's header cannot be read") from error

"""A record: a self-describing header and the bytes it describes (docs/formats.md, "Record").

Everything in the header but `xxh3` can be checked with a standard library alone: CRC-32 for the
header itself, SHA-256 for the payload. The header's length and checksum are its last six bytes, so
that it can be found from the payload's end of it as well.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate, pairwise

from vna.objects import ulid

MAGIC = b"VNAR"
FORMAT = 1
SHA256 = 1
NO_SHA256 = bytes(32)

# magic, format, type, flags, hash algorithm, three reserved, stored length, original length,
# sha256, xxh3-128, segment, sequence, partition, three lengths of names
_FIXED = struct.Struct("<4sBBHB3xQQ32s16s16sQIHHH")
_TAIL = struct.Struct("<HI")  # header length, CRC-32 of all header bytes before it
FIXED_SIZE = _FIXED.size
TAIL_SIZE = _TAIL.size
LONGEST_NAME = 1024  # bytes; PS3.5 §9.1 allows 64, senders have other ideas
LONGEST_HEADER = FIXED_SIZE + 3 * LONGEST_NAME + TAIL_SIZE


class RecordType(IntEnum):
    """What a record holds. Values are on disk for decades: never reused."""

    OBJECT = 1  # bytes as received: a DICOM file, a document
    EVENT = 2  # what cannot be derived from objects: UTF-8 JSON
    FRAMES = 3  # a frame table too large for the index
    SEGMENT = 16  # the first record of a segment: whose it is
    FOOTER = 17  # the last record of a sealed segment: the table of its records


_TYPES = frozenset(map(int, RecordType))


class BadRecord(Exception):
    """The bytes are not a whole, undamaged record."""


@dataclass(frozen=True, slots=True)
class RecordNames:
    """What the payload calls itself; empty where it has no such name.

    Raises `ValueError` for a name over 1024 bytes and a partition that is not an unsigned 32-bit
    number.
    """

    partition: int
    study_uid: str = ""
    series_uid: str = ""
    sop_uid: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.partition < 1 << 32:
            raise ValueError(f"partition {self.partition} in a record header")
        if any(len(name) > LONGEST_NAME for name in self.encoded()):
            raise ValueError(f"a name of more than {LONGEST_NAME} bytes in a record header")

    def encoded(self) -> tuple[bytes, bytes, bytes]:
        """The bytes of the SOP Instance, Series and Study Instance UID, in this order."""
        return (
            self.sop_uid.encode("utf-8", "surrogateescape"),
            self.series_uid.encode("utf-8", "surrogateescape"),
            self.study_uid.encode("utf-8", "surrogateescape"),
        )


@dataclass(frozen=True, slots=True)
class RecordHeader:
    """Everything known about a payload without an index.

    `segment`: the ULID of the file the record was written to. `sequence`: order of reception,
    microseconds since 1970 UTC, strictly rising over the objects and events of a segment.
    `length`: of the payload as stored; `original_length` and `sha256` are of the bytes as received
    (equal in format 1, which stores them as they are); `xxh3` is XXH3-128 of the payload as stored,
    big endian.
    """

    type: RecordType
    segment: str
    sequence: int
    length: int
    original_length: int
    sha256: bytes
    xxh3: bytes
    names: RecordNames

    def encode(self) -> bytes:
        """The header's bytes."""
        sop, series, study = self.names.encoded()
        head = _FIXED.pack(
            MAGIC,
            FORMAT,
            self.type,
            0,
            SHA256,
            self.length,
            self.original_length,
            self.sha256,
            self.xxh3,
            ulid.decode(self.segment),
            self.sequence,
            self.names.partition,
            len(sop),
            len(series),
            len(study),
        )
        length = FIXED_SIZE + len(sop) + len(series) + len(study) + TAIL_SIZE
        body = b"".join((head, sop, series, study, length.to_bytes(2, "little")))
        return body + zlib.crc32(body).to_bytes(4, "little")


def decode(data: bytes | memoryview, offset: int = 0) -> tuple[RecordHeader, int]:
    """The header that begins at `offset` of `data`, and its length in bytes.

    Raises `BadRecord`, also where `data` ends before the header does.
    """
    view = memoryview(data)[offset:]
    if len(view) < FIXED_SIZE + TAIL_SIZE:
        raise BadRecord("the bytes end inside a record header")
    (
        magic,
        version,
        kind,
        flags,
        algorithm,
        length,
        original_length,
        sha256,
        xxh3,
        segment,
        sequence,
        partition,
        *lengths,
    ) = _FIXED.unpack_from(view)
    if magic != MAGIC:
        raise BadRecord("no record begins here")
    size = FIXED_SIZE + sum(lengths) + TAIL_SIZE
    if size > LONGEST_HEADER or size > len(view):
        raise BadRecord("the bytes end inside a record header")
    stated, checksum = _TAIL.unpack_from(view, size - TAIL_SIZE)
    if stated != size or checksum != zlib.crc32(view[: size - 4]):
        raise BadRecord("the header's checksum is wrong")
    if (version, flags, algorithm) != (FORMAT, 0, SHA256) or kind not in _TYPES:
        raise BadRecord("the record was written by a later version")
    ends = [FIXED_SIZE, *(FIXED_SIZE + end for end in accumulate(lengths))]
    sop, series, study = (
        str(view[first:end], "utf-8", "surrogateescape") for first, end in pairwise(ends)
    )
    return (
        RecordHeader(
            RecordType(kind),
            ulid.encode(segment),
            sequence,
            length,
            original_length,
            sha256,
            xxh3,
            RecordNames(partition, study, series, sop),
        ),
        size,
    )


def decode_before(data: bytes | memoryview) -> tuple[RecordHeader, int]:
    """The header that ends where `data` ends, and its length; raises `BadRecord`."""
    if len(data) < TAIL_SIZE:
        raise BadRecord("the bytes end inside a record header")
    size, _ = _TAIL.unpack_from(data, len(data) - TAIL_SIZE)
    if size > len(data):
        raise BadRecord("no record header ends here")
    header, decoded = decode(data, len(data) - size)
    if decoded != size:
        raise BadRecord("no record header ends here")
    return header, size

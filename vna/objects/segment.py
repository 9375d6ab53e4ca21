"""A segment: an append-only file of records (docs/formats.md, "Segment").

The first record says whose it is. The last one of a sealed segment is a table of all others. A
segment that ends without it ends at its first bad record: what lies behind was never acknowledged.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import xxhash

from storage_backends.base import Backend, Buffer, Reader
from vna.model.archive import Place
from vna.objects import ulid
from vna.objects.layout import segment_key
from vna.objects.mirror import MirrorWriter
from vna.objects.record import (
    FIXED_SIZE,
    LONGEST_HEADER,
    MAGIC,
    TAIL_SIZE,
    BadRecord,
    RecordHeader,
    RecordNames,
    RecordType,
    decode,
)
from vna.objects.targets import Targets

LAST_BYTES = 16 * 1024  # of a segment read first: they hold the table of a few hundred records
CHUNK = 1024 * 1024  # bytes read at once while a payload is checked
NO_NAMES = RecordNames(0)

# offset and length of the header, type, five reserved, length of the payload, sha256
_ENTRY = struct.Struct("<QHB5xQ32s")
_TRAILER = struct.Struct("<QI4s")  # offset of the footer's header, number of entries, magic
_TRAILER_MAGIC = b"VNAF"


class SegmentKind(IntEnum):
    """How the bytes of a segment lie."""

    RECORDS = 1  # many records in one file
    RAW = 2  # one payload as a file of its own, its header beside it


@dataclass(frozen=True, slots=True)
class Append:
    """One record to be written. `sha256` and `xxh3` (16 bytes, big endian) are of the payload."""

    type: RecordType
    payload: Sequence[Buffer]
    sha256: bytes
    xxh3: bytes
    names: RecordNames

    def __post_init__(self) -> None:
        if (len(self.sha256), len(self.xxh3)) != (32, 16):
            raise ValueError("a digest of the wrong length")

    @property
    def length(self) -> int:
        """Of the payload, in bytes."""
        return sum(memoryview(buffer).nbytes for buffer in self.payload)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a footer's table: a header's `offset` and `header_length`, and what it says."""

    offset: int
    header_length: int
    type: RecordType
    length: int
    sha256: bytes


class SegmentWriter:
    """A segment being written, by one thread, to every chosen store. Errors are those of the
    backends' writers. `appends`: it may go on after a sync; otherwise only `seal` is durable.
    `stores`: names of those."""

    def __init__(self, targets: Targets, segment: str, owner: str, room: int = 0) -> None:
        """`room`: bytes that the stores must have beside their reserve."""
        self.segment = segment
        self.synced = False
        self._writer = MirrorWriter(targets, segment_key(segment), room)
        self.appends = self._writer.appends
        self.stores = tuple(each.name for each in self._writer.targets)
        store = self._writer.targets[0].identity
        self._entries: list[Entry] = []
        self._pending: list[Buffer] = []
        self._pending_bytes = 0
        about = {"segment": segment, "owner": owner, "store": store}
        self.add(plain(RecordType.SEGMENT, json.dumps(about).encode()), _sequence_of(segment))

    @property
    def size(self) -> int:
        """Bytes of the segment so far, those not yet written included."""
        return self._writer.size + self._pending_bytes

    def add(self, append: Append, sequence: int) -> Place:
        """Queue a record for the next `flush`; returns where its payload will lie."""
        length = append.length
        header = RecordHeader(
            append.type,
            self.segment,
            sequence,
            length,
            length,
            append.sha256,
            append.xxh3,
            append.names,
        ).encode()
        offset = self.size
        self._entries.append(Entry(offset, len(header), append.type, length, append.sha256))
        self._pending.append(header)
        self._pending.extend(append.payload)
        self._pending_bytes += len(header) + length
        return Place(self.segment, offset + len(header), length, stores=self.stores)

    def flush(self) -> None:
        """Write what was added, in one append. Not yet durable."""
        pending, self._pending, self._pending_bytes = self._pending, [], 0
        self._writer.append(pending)

    def sync(self) -> None:
        """Make everything flushed durable, and the segment's name."""
        self._writer.sync()
        self.synced = True

    def seal(self) -> None:
        """Write the footer, sync and close."""
        offset, count = self.size, len(self._entries)
        table = b"".join(
            _ENTRY.pack(e.offset, e.header_length, e.type, e.length, e.sha256)
            for e in self._entries
        )
        footer = table + _TRAILER.pack(offset, count, _TRAILER_MAGIC)
        self.add(plain(RecordType.FOOTER, footer), _sequence_of(self.segment))
        self.flush()
        self._writer.seal()
        self.synced = True

    def abandon(self) -> None:
        """Close without a promise; what was synced stays good."""
        self._writer.abandon()

    def delete(self) -> None:
        """Remove it: for a segment of which nothing was ever durable. Never raises."""
        self._writer.delete()


def plain(type: RecordType, payload: bytes, names: RecordNames = NO_NAMES) -> Append:
    """A record to be written whose digests are computed here: for small payloads."""
    return Append(
        type, (payload,), hashlib.sha256(payload).digest(), xxhash.xxh3_128_digest(payload), names
    )


@dataclass(frozen=True, slots=True)
class Record:
    """A record as found: its header, where the header lies, and where its payload does."""

    header: RecordHeader
    header_offset: int
    place: Place


class Scan:
    """Iterate the records of a segment from its beginning, each checked whole.

    Afterwards `end` is the first byte behind the last good record; `sealed` says that that is the
    footer; `tail` is the number of bytes behind it, `reason` why they are no record ("" if none).
    """

    def __init__(self, reader: Reader, segment: str) -> None:
        self.segment = segment
        self.end = 0
        self.tail = 0
        self.sealed = False
        self.reason = ""
        self.reader = reader
        self.size = reader.size()  # it may grow while it is read

    def __iter__(self) -> Iterator[Record]:
        while self.end < self.size and not self.sealed:
            try:
                record = self._next(self.end)
            except BadRecord as error:
                self.reason = str(error)
                break
            self.end = record.place.offset + record.place.length
            self.sealed = record.header.type is RecordType.FOOTER
            yield record
        self.tail = self.size - self.end
        if self.sealed and self.tail:
            self.reason = "bytes behind the footer"

    def _next(self, offset: int) -> Record:
        head = self.reader.read(offset, min(LONGEST_HEADER, self.size - offset))
        header, length = decode(head)
        place = Place(self.segment, offset + length, header.length)
        if header.segment != self.segment:
            raise BadRecord("the record belongs to another segment")
        if offset == 0 and header.type is not RecordType.SEGMENT:
            raise BadRecord("the segment does not begin with its own record")
        if place.offset + place.length > self.size:
            raise BadRecord("the bytes end inside a payload")
        self._check_payload(header, place)
        return Record(header, offset, place)

    def _check_payload(self, header: RecordHeader, place: Place) -> None:
        check_payload(self.reader, header, place)


def behind(scan: Scan) -> Iterator[Record]:
    """The good records behind that at which a scan has ended: where one was damaged before the
    segment had its table. Every place that looks like the head of a record is tried.

    What was written since the scan began is not looked at: of a segment that grows it saw a part.
    """
    reader, at = scan.reader, scan.end + 1
    while not scan.sealed and 0 <= (at := _mark(reader, at)) < scan.size:
        try:
            header, length = decode(reader.read(at, min(LONGEST_HEADER, scan.size - at)))
            place = Place(scan.segment, at + length, header.length)
            if header.segment != scan.segment or place.offset + place.length > scan.size:
                raise BadRecord("it is none of this segment")
            check_payload(reader, header, place)
        except BadRecord:
            at += 1
        else:
            yield Record(header, at, place)
            at = place.offset + place.length


def _mark(reader: Reader, start: int) -> int:
    """Where the next record may begin, from `start`; -1 where none does."""
    while data := reader.read(start, CHUNK):
        found = data.find(MAGIC)
        if found >= 0:
            return start + found
        if len(data) < len(MAGIC):
            break
        start += len(data) - len(MAGIC) + 1
    return -1


def check_payload(reader: Reader, header: RecordHeader, place: Place) -> None:
    """Raise `BadRecord` unless a payload is what its header says."""
    digest = xxhash.xxh3_128()
    for start in range(0, place.length, CHUNK):
        length = min(CHUNK, place.length - start)
        digest.update(reader.read(place.offset + start, length))
    if digest.digest() != header.xxh3:
        raise BadRecord("the payload differs from its checksum")


def is_empty(backend: Backend, segment: str) -> bool:
    """Whether a file holds no record at all: its writer died at once. Raises `BackendError`."""
    reader = backend.open(segment_key(segment))
    try:
        return next(iter(Scan(reader, segment)), None) is None
    finally:
        reader.close()


def footer(reader: Reader, segment: str) -> list[Entry] | None:
    """The table of a sealed segment, without reading its records; None where there is none."""
    size = reader.size()
    start = size - _TRAILER.size
    if start < FIXED_SIZE + TAIL_SIZE:
        return None
    first = max(0, size - LAST_BYTES)
    last = reader.read(first, size - first)
    offset, count, magic = _TRAILER.unpack(last[-_TRAILER.size :])
    if magic != _TRAILER_MAGIC or offset >= start:
        return None
    data = last[offset - first :] if offset >= first else reader.read(offset, size - offset)
    try:
        header, length = decode(data)
    except BadRecord:
        return None
    payload = data[length:]
    whole = (
        header.type is RecordType.FOOTER
        and header.segment == segment
        and len(payload) == header.length == count * _ENTRY.size + _TRAILER.size
        and xxhash.xxh3_128_digest(payload) == header.xxh3
    )
    if not whole:
        return None
    entries = _ENTRY.iter_unpack(payload[: -_TRAILER.size])
    return [Entry(o, h, RecordType(kind), n, sha256) for o, h, kind, n, sha256 in entries]


def _sequence_of(segment: str) -> int:
    return int.from_bytes(ulid.decode(segment)[:6], "big") * 1000

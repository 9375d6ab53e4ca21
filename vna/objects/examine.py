"""All of one copy of a segment read and checked, and what is good in it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain

from storage_backends.base import Backend, BackendError, Reader
from vna.model.archive import Place
from vna.objects.blocks import decode_blocks
from vna.objects.layout import meta_key, raw_key, segment_key
from vna.objects.record import LONGEST_HEADER, BadRecord, RecordHeader, RecordType, decode
from vna.objects.segment import CHUNK, Entry, Scan, behind, check_payload, footer

Pace = Callable[[int], None]


@dataclass(slots=True)
class Examined:
    """What a copy holds. `good`: offset of each payload that is what its record says, and the
    SHA-256 of it; `bad`: what is wrong, in words; `size`: bytes up to the end of the last good
    record. `sealed`: it has its footer, so that `bad` is all that is missing. `gap`: without a
    footer, where something lies that is no record, before good ones; damage only if one of those
    was acknowledged, as a power cut may leave the end of a batch without its beginning. Else -1."""

    good: dict[int, bytes] = field(default_factory=dict)
    bad: list[str] = field(default_factory=list)
    size: int = 0
    sealed: bool = False
    gap: int = -1


def examine(
    backend: Backend, segment: str, *, raw: bool, pace: Pace = lambda read: None
) -> Examined:
    """Read all of a copy; `pace` is told of bytes read, and may wait.

    SHA-256 is computed of raw files, XXH3-128 of records. A segment without a footer ends with its
    last good record; what lies behind that is no damage in itself. What cannot be read is bad: a
    disk has bad sectors while the rest of it is good. Whether the store is there is the caller's
    question.
    """
    found = Examined()
    try:
        if raw:
            _raw(backend, segment, found, pace)
        else:
            reader = backend.open(segment_key(segment))
            try:
                _records(reader, segment, found, pace)
            finally:
                reader.close()
    except BackendError as error:
        found.bad.append(str(error))
    return found


def _records(reader: Reader, segment: str, found: Examined, pace: Pace) -> None:
    entries = footer(reader, segment)
    if entries is None:
        scan = Scan(reader, segment)
        for record in scan:
            pace(record.place.length)
            found.good[record.place.offset] = record.header.sha256
        found.size, found.sealed = scan.end, scan.sealed
        for record in behind(scan):
            pace(record.place.length)
            found.good[record.place.offset] = record.header.sha256
            found.size = record.place.offset + record.place.length
        if found.size != scan.end:
            found.gap = scan.end
        return
    found.sealed, found.size = True, reader.size()
    for entry in entries:
        pace(entry.length)
        try:
            _entry(reader, segment, entry)
        except (BadRecord, BackendError) as error:
            found.bad.append(f"the record at {entry.offset}: {error}")
        else:
            found.good[entry.offset + entry.header_length] = entry.sha256


def _entry(reader: Reader, segment: str, entry: Entry) -> None:
    header, length = decode(reader.read(entry.offset, entry.header_length))
    place = Place(segment, entry.offset + length, entry.length)
    if (header.segment, header.length, header.sha256, length) != (
        segment,
        entry.length,
        entry.sha256,
        entry.header_length,
    ):
        raise BadRecord("it differs from the footer")
    check_payload(reader, header, place)


def _raw(backend: Backend, segment: str, found: Examined, pace: Pace) -> None:
    meta = backend.open(meta_key(segment))
    try:
        data = meta.read(0, meta.size())
    finally:
        meta.close()
    try:
        header, length = decode(data[:LONGEST_HEADER])
    except BadRecord as error:
        found.bad.append(f"{meta_key(segment)}: {error}")
        return
    if len(data) > length and decode_blocks(data[length:], header.length) is None:
        found.bad.append(f"{meta_key(segment)}: its checksums of blocks are damaged")
    reader = backend.open(raw_key(segment))
    try:
        _payload(reader, header, found, pace)
    finally:
        reader.close()


def _payload(reader: Reader, header: RecordHeader, found: Examined, pace: Pace) -> None:
    digest = hashlib.sha256()
    for start in range(0, header.length, CHUNK):
        digest.update(chunk := reader.read(start, min(CHUNK, header.length - start)))
        pace(len(chunk))
    if reader.size() != header.length or digest.digest() != header.sha256:
        found.bad.append("the bytes differ from their SHA-256")
        return
    found.sealed, found.size = True, header.length
    found.good[0] = header.sha256


@dataclass(frozen=True, slots=True)
class Held:
    """One record as its segment's table, or its header, has it: `offset` of its payload."""

    offset: int
    length: int
    type: RecordType
    sha256: bytes


def survey(backend: Backend, segment: str, *, raw: bool) -> list[Held]:
    """What a copy should hold by its footer, or by its sizes and header where it is a raw file.

    Without a footer every record is read and checked. Otherwise payloads are not. Raises
    `BackendError`.
    """
    if raw:
        return _surveyed_raw(backend, segment)
    reader = backend.open(segment_key(segment))
    try:
        entries = footer(reader, segment)
        if entries is None:
            scan = Scan(reader, segment)
            return [
                Held(r.place.offset, r.place.length, r.header.type, r.header.sha256)
                for r in chain(scan, behind(scan))
            ]
        size = reader.size()
    finally:
        reader.close()
    return [
        Held(e.offset + e.header_length, e.length, e.type, e.sha256)
        for e in entries
        if e.offset + e.header_length + e.length <= size
    ]


def _surveyed_raw(backend: Backend, segment: str) -> list[Held]:
    meta, payload = backend.open(meta_key(segment)), backend.open(raw_key(segment))
    try:
        header = decode(meta.read(0, LONGEST_HEADER))[0]
        size = payload.size()
    except BadRecord:
        return []
    finally:
        meta.close()
        payload.close()
    if header.length != size:
        return []
    return [Held(0, header.length, header.type, header.sha256)]

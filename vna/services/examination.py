"""What is learnt from a complete object before anything is decided about it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import xxhash

from vna.dicom.inflate import InflatedSource
from vna.dicom.scan import Scan, scan
from vna.dicom.source import BytesSource, Source, chunks
from vna.errors import MalformedObject
from vna.services.payload import CHUNK
from vna.services.reception import InMemory, Received

LONGEST_UID = 512  # bytes; PS3.5 §9.1 allows 64, and a record header holds 1024


@dataclass(frozen=True)
class Examined:
    """An identified object. `dataset_xxh3`: of the data set without preamble and group 0002;
    `pixel_xxh3`: of the pixel data section, of nothing where there is none."""

    received: Received
    source: Source
    scan: Scan
    sha256: bytes
    xxh3: bytes
    dataset_xxh3: bytes
    pixel_xxh3: bytes


def examine(received: Received) -> Examined:
    """Identify an object and digest its parts; raises `MalformedObject` where it has no UIDs."""
    if isinstance(received, InMemory):
        source: Source = BytesSource(received.data)
        sha256 = hashlib.sha256(received.data).digest()
        xxh3 = xxhash.xxh3_128_digest(received.data)
    else:
        source = received.raw
        sha256, xxh3 = received.sha256, received.xxh3
    found = scan(source)
    for uid in (found.sop_uid, found.series_uid, found.study_uid):
        if len(uid.encode()) > LONGEST_UID:
            raise MalformedObject(f"a UID of {len(uid)} characters")
    dataset, pixels = _digests(source, found)
    return Examined(received, source, found, sha256, xxh3, dataset, pixels)


def _digests(source: Source, found: Scan) -> tuple[bytes, bytes]:
    """Digests of the data set and of the pixel data, in one pass where both lie plainly."""
    anatomy, begin = found.anatomy, found.dataset_offset
    if anatomy.deflated:
        inflated = InflatedSource(source, begin)
        return (
            _digest(chunks(source, begin, source.size - begin, CHUNK)),
            _digest(chunks(inflated, anatomy.pixel_offset, anatomy.pixel_length, CHUNK)),
        )
    if not anatomy.pixel_length:
        dataset = _digest(chunks(source, begin, source.size - begin, CHUNK))
        return dataset, xxhash.xxh3_128_digest(b"")
    whole, pixels = xxhash.xxh3_128(), xxhash.xxh3_128()
    first, end = anatomy.pixel_offset, anatomy.pixel_offset + anatomy.pixel_length
    for offset, length, inside in (
        (begin, first - begin, False),
        (first, end - first, True),
        (end, source.size - end, False),
    ):
        for chunk in _pieces(source, offset, length):
            whole.update(chunk)
            if inside:
                pixels.update(chunk)
    return whole.digest(), pixels.digest()


def _pieces(source: Source, offset: int, length: int) -> Iterator[bytes | memoryview]:
    """A part of the object, without a copy where it is in memory."""
    if isinstance(source, BytesSource):
        yield source.view(offset, length)
    else:
        yield from chunks(source, offset, length, CHUNK)


def _digest(pieces: Iterator[bytes]) -> bytes:
    digest = xxhash.xxh3_128()
    for piece in pieces:
        digest.update(piece)
    return digest.digest()

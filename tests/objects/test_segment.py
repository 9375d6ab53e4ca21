from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage_backends.base import KeyExists
from storage_backends.memory import MemoryBackend
from tests.objects.archive import append_of, content_of, only
from vna.model.archive import Place
from vna.objects import Append, RecordNames, RecordType, Scan
from vna.objects.examine import examine, survey
from vna.objects.layout import segment_key
from vna.objects.segment import Record, SegmentWriter, behind, footer

ULID = "01JD0000000000000000000000"
CONTENTS = [content_of(number, length) for number, length in enumerate((300, 0, 5000))]


def written(backend: MemoryBackend, *, seal: bool) -> list[Place]:
    segment = SegmentWriter(only(backend, "store"), ULID, "host/1")
    places = [segment.add(append_of(content), number) for number, content in enumerate(CONTENTS)]
    segment.flush()
    segment.sync()
    if seal:
        segment.seal()
    return places


def scanned(backend: MemoryBackend, segment: str = ULID) -> tuple[list[Record], Scan]:
    scan = Scan(backend.open(segment_key(segment)), segment)
    return list(scan), scan


def replaced(backend: MemoryBackend, data: bytes) -> None:
    backend.delete(segment_key(ULID))
    backend.put_new(segment_key(ULID), [data])


def content(backend: MemoryBackend) -> bytes:
    reader = backend.open(segment_key(ULID))
    return reader.read(0, reader.size())


@pytest.mark.parametrize("seal", [False, True])
def test_a_scan_finds_every_record_where_it_was_said_to_lie(seal: bool) -> None:
    backend = MemoryBackend()
    places = written(backend, seal=seal)
    records, scan = scanned(backend)
    objects = [record for record in records if record.header.type is RecordType.OBJECT]
    assert [record.place for record in objects] == places
    assert [record.header.sequence for record in objects] == [0, 1, 2]
    assert (scan.sealed, scan.tail, scan.reason) == (seal, 0, "")
    assert scan.end == len(content(backend))


def test_the_first_record_says_whose_the_segment_is() -> None:
    backend = MemoryBackend()
    written(backend, seal=False)
    (first, *_), _ = scanned(backend)
    data = content(backend)[first.place.offset :][: first.place.length]
    assert first.header.type is RecordType.SEGMENT
    assert json.loads(data) == {"segment": ULID, "owner": "host/1", "store": "store"}


def test_the_footer_lists_what_a_scan_finds() -> None:
    backend = MemoryBackend()
    written(backend, seal=True)
    entries = footer(backend.open(segment_key(ULID)), ULID)
    (*records, last), _ = scanned(backend)
    assert last.header.type is RecordType.FOOTER
    assert entries is not None
    assert [
        (e.offset, e.offset + e.header_length, e.type, e.length, e.sha256) for e in entries
    ] == [
        (r.header_offset, r.place.offset, r.header.type, r.place.length, r.header.sha256)
        for r in records
    ]


def test_a_segment_that_was_not_sealed_has_no_footer() -> None:
    backend = MemoryBackend()
    written(backend, seal=False)
    assert footer(backend.open(segment_key(ULID)), ULID) is None
    replaced(backend, b"")
    assert footer(backend.open(segment_key(ULID)), ULID) is None


@given(cut=st.integers(0))
def test_a_segment_cut_anywhere_ends_before_the_torn_record(cut: int) -> None:
    backend = MemoryBackend()
    written(backend, seal=True)
    whole, _ = scanned(backend)
    data = content(backend)
    cut %= len(data)
    replaced(backend, data[:cut])
    records, scan = scanned(backend)
    assert records == [r for r in whole if r.place.offset + r.place.length <= cut]
    assert (scan.end + scan.tail, bool(scan.tail)) == (cut, bool(scan.reason))
    assert footer(backend.open(segment_key(ULID)), ULID) is None


@given(position=st.integers(0), bit=st.integers(0, 7))
def test_a_changed_bit_ends_the_scan_before_its_record(position: int, bit: int) -> None:
    backend = MemoryBackend()
    written(backend, seal=True)
    whole, _ = scanned(backend)
    data = bytearray(content(backend))
    position %= len(data)
    data[position] ^= 1 << bit
    replaced(backend, bytes(data))
    records, scan = scanned(backend)
    assert records == [r for r in whole if r.place.offset + r.place.length <= position]
    assert scan.reason


def test_records_of_another_segment_are_no_part_of_this_one() -> None:
    """Blocks of a deleted segment may come back in a torn tail."""
    backend = MemoryBackend()
    written(backend, seal=False)
    other = SegmentWriter(only(backend), "01JD0000000000000000000001", "host/1")
    other.add(append_of(b"old"), 1)
    other.flush()
    reader = backend.open(segment_key("01JD0000000000000000000001"))
    replaced(backend, content(backend) + reader.read(0, reader.size()))
    records, scan = scanned(backend)
    assert len(records) == 1 + len(CONTENTS)
    assert scan.reason == "the record belongs to another segment"


def test_bytes_behind_the_footer_are_reported() -> None:
    backend = MemoryBackend()
    written(backend, seal=True)
    replaced(backend, content(backend) + b"more")
    _, scan = scanned(backend)
    assert (scan.sealed, scan.tail, scan.reason) == (True, 4, "bytes behind the footer")


def test_a_segment_begins_with_its_own_record() -> None:
    backend = MemoryBackend()
    written(backend, seal=False)
    records, _ = scanned(backend)
    replaced(backend, content(backend)[records[1].header_offset :])
    records, scan = scanned(backend)
    assert (records, scan.reason) == ([], "the segment does not begin with its own record")


def test_a_segment_is_never_begun_twice() -> None:
    backend = MemoryBackend()
    written(backend, seal=False)
    with pytest.raises(KeyExists):
        SegmentWriter(only(backend), ULID, "host/2")


def test_digests_of_the_wrong_length_are_refused() -> None:
    with pytest.raises(ValueError, match="digest"):
        Append(RecordType.OBJECT, (b"",), b"short", bytes(16), RecordNames(1))


@pytest.mark.parametrize("where", ["payload", "header"])
def test_good_records_behind_a_damaged_one_are_found_where_there_is_no_table(where: str) -> None:
    backend = MemoryBackend()
    places = written(backend, seal=False)
    data = bytearray(content(backend))
    data[places[0].offset + (10 if where == "payload" else -10)] ^= 1
    replaced(backend, bytes(data))
    records, scan = scanned(backend)
    assert [record.header.type for record in records] == [RecordType.SEGMENT]
    found = list(behind(scan))
    assert [record.place for record in found] == places[1:]
    held = survey(backend, ULID, raw=False)
    assert [each.offset for each in held[1:]] == [place.offset for place in places[1:]]
    examined = examine(backend, ULID, raw=False)
    assert set(examined.good) >= {place.offset for place in places[1:]}
    assert places[0].offset not in examined.good
    assert (examined.size, examined.sealed) == (len(data), False)
    assert (examined.gap, examined.bad) == (scan.end, [])


def test_records_inside_an_object_are_not_taken_for_the_segments_own() -> None:
    backend, other = MemoryBackend(), MemoryBackend()
    written(other, seal=False)
    inner = content(other)  # records of another segment
    segment = SegmentWriter(only(backend, "store"), "01JD0000000000000000000001", "host/1")
    places = [segment.add(append_of(each), number) for number, each in enumerate((inner, inner))]
    segment.flush()
    segment.sync()
    key = segment_key("01JD0000000000000000000001")
    reader = backend.open(key)
    data = bytearray(reader.read(0, reader.size()))
    data[places[0].offset + 5] ^= 1
    backend.delete(key)
    backend.put_new(key, [bytes(data)])
    _, scan = scanned(backend, "01JD0000000000000000000001")
    found = list(behind(scan))
    assert [record.place for record in found] == places[1:]


@given(cut=st.integers(1, 6000))
def test_behind_a_torn_end_there_is_nothing(cut: int) -> None:
    backend = MemoryBackend()
    places = written(backend, seal=False)
    data = content(backend)
    replaced(backend, data[: max(len(data) - cut, 0)])
    records, scan = scanned(backend)
    whole = [record.place for record in records if record.header.type is RecordType.OBJECT]
    assert whole == [each for each in places if each.offset + each.length <= len(data) - cut]
    assert list(behind(scan)) == []


def test_what_is_written_during_a_scan_is_not_taken_for_damage() -> None:
    backend = MemoryBackend()
    written(backend, seal=False)
    data = content(backend)
    replaced(backend, data[:-100])
    _, scan = scanned(backend)
    replaced(backend, data + data)  # the record is whole by now, and others follow
    scan.reader = backend.open(segment_key(ULID))
    assert list(behind(scan)) == []

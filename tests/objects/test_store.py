from __future__ import annotations

import dataclasses
import errno

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from storage_backends.local import LocalBackend
from storage_backends.memory import MemoryBackend, MemoryReader
from tests.objects.archive import content_of, raw_stored, sha256_of, stored
from tests.objects.simfs import SimFS
from vna.errors import Damaged, StorageUnavailable
from vna.model.archive import Place
from vna.objects import ObjectStore
from vna.objects.blocks import BLOCK_BYTES
from vna.objects.layout import meta_key, raw_key, segment_key

CONTENT = content_of(1, 100_000)
NAME = sha256_of(CONTENT)


@pytest.fixture
def backend() -> MemoryBackend:
    return MemoryBackend()


@pytest.fixture
def store(backend: MemoryBackend) -> ObjectStore:
    return ObjectStore.of(backend)


@pytest.fixture(params=["record", "raw file"])
def place(request: pytest.FixtureRequest, backend: MemoryBackend, store: ObjectStore) -> Place:
    if request.param == "raw file":
        return raw_stored(store, CONTENT)
    before, found, after = stored(backend, content_of(2, 700), CONTENT, content_of(3, 700))
    assert before.offset < found.offset < after.offset
    return found


def key_of(place: Place) -> str:
    return raw_key(place.segment) if place.raw else segment_key(place.segment)


def replace(backend: MemoryBackend, key: str, data: bytes) -> None:
    backend.delete(key)
    backend.put_new(key, [data])


def replace_marker(backend: MemoryBackend, other: MemoryBackend) -> None:
    reader = other.open("vna.json")
    backend.put_new("vna.json", [reader.read(0, reader.size())])


def flip(backend: MemoryBackend, key: str, position: int) -> None:
    reader = backend.open(key)
    data = bytearray(reader.read(0, reader.size()))
    data[position] ^= 1
    replace(backend, key, bytes(data))


def test_an_object_comes_back_whole_in_chunks_and_in_parts(
    store: ObjectStore, place: Place
) -> None:
    assert store.read(place) == store.read(place, sha256=NAME) == CONTENT
    chunks = list(store.stream(place, chunk_bytes=30_000))
    assert [len(chunk) for chunk in chunks] == [30_000, 30_000, 30_000, 10_000]
    assert b"".join(chunks) == CONTENT
    assert store.read(place, 5, 10) == CONTENT[5:15]
    assert store.read(place, 99_990, 100) == CONTENT[99_990:]
    assert store.read(place, 100_000, 1) == b""
    assert store.header(place).sha256 == NAME
    store.verify(place, NAME, xxhash.xxh3_128_digest(CONTENT))


def test_a_source_reads_at_random(store: ObjectStore, place: Place) -> None:
    source = store.source(place)
    assert source.size == len(CONTENT)
    assert source.read(17, 4) == CONTENT[17:21]
    assert source.read(99_999, 4) == CONTENT[99_999:]
    assert source.read(200_000, 4) == b""


@given(
    ranges=st.lists(st.tuples(st.integers(0, 90_000), st.integers(0, 10_000)), max_size=12),
    chunk=st.integers(1000, 50_000),
)
def test_ranges_come_in_the_order_asked_for(ranges: list[tuple[int, int]], chunk: int) -> None:
    backend = MemoryBackend()
    (place,) = stored(backend, CONTENT)
    chunks = list(ObjectStore.of(backend).stream(place, ranges, chunk))
    assert b"".join(chunks) == b"".join(CONTENT[a : a + n] for a, n in ranges)
    assert all(len(piece) <= chunk for piece in chunks)


def test_an_object_in_a_segment_is_read_at_once(
    backend: MemoryBackend, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place,) = stored(backend, CONTENT)
    reads: list[tuple[int, int]] = []
    real = MemoryReader.read

    def read(self: MemoryReader, offset: int, length: int) -> bytes:
        reads.append((offset, length))
        return real(self, offset, length)

    monkeypatch.setattr(MemoryReader, "read", read)
    fragments = [(1000 + 508 * n, 500) for n in range(20)]  # 8 bytes of item header between
    far = [(80_000, 100), (80_100, 100)]
    data = b"".join(store.stream(place, fragments + far))
    assert data == b"".join(CONTENT[a : a + n] for a, n in fragments + far)
    assert len(reads) == 1


def test_of_a_raw_file_only_the_blocks_asked_for_are_read(
    backend: MemoryBackend, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = content_of(7, 5 * BLOCK_BYTES + 10)
    place = raw_stored(store, content)
    store.header(place)
    reads: list[tuple[int, int]] = []
    real = MemoryReader.read

    def read(self: MemoryReader, offset: int, length: int) -> bytes:
        reads.append((offset, length))
        return real(self, offset, length)

    monkeypatch.setattr(MemoryReader, "read", read)
    assert store.read(place, 2 * BLOCK_BYTES - 5, 10) == content[2 * BLOCK_BYTES - 5 :][:10]
    assert store.read(place, 5 * BLOCK_BYTES + 3, 4) == content[5 * BLOCK_BYTES + 3 :][:4]
    assert reads == [(BLOCK_BYTES, 2 * BLOCK_BYTES), (5 * BLOCK_BYTES, 10)]


def test_a_part_of_a_damaged_object_is_never_given(
    backend: MemoryBackend, store: ObjectStore, place: Place
) -> None:
    flip(backend, key_of(place), place.offset + 50_000)
    with pytest.raises(Damaged, match=NAME.hex()):
        store.read(place, 49_990, 20)
    with pytest.raises(Damaged, match=NAME.hex()):
        list(store.stream(place, [(49_990, 20), (60_000, 5)]))
    with pytest.raises(Damaged, match=NAME.hex()):
        store.source(place).read(50_000, 1)


def test_a_damaged_block_costs_only_itself(backend: MemoryBackend, store: ObjectStore) -> None:
    content = content_of(8, 3 * BLOCK_BYTES)
    place = raw_stored(store, content)
    flip(backend, key_of(place), BLOCK_BYTES + 17)
    assert store.read(place, 0, BLOCK_BYTES) == content[:BLOCK_BYTES]
    assert store.read(place, 2 * BLOCK_BYTES, 9) == content[2 * BLOCK_BYTES :][:9]
    with pytest.raises(Damaged):
        store.read(place, BLOCK_BYTES - 1, 2)


@pytest.mark.parametrize("length", [0, 1])
def test_a_tiny_object_is_an_object(
    backend: MemoryBackend, store: ObjectStore, length: int
) -> None:
    (place,) = stored(backend, bytes(length))
    assert store.read(place) == bytes(length)
    assert store.read(raw_stored(store, bytes(length))) == bytes(length)
    store.verify(place, sha256_of(bytes(length)), xxhash.xxh3_128_digest(bytes(length)))


@pytest.mark.parametrize("position", [0, 50_000, 99_999])
def test_nobody_gets_all_of_a_damaged_object(
    backend: MemoryBackend, store: ObjectStore, place: Place, position: int
) -> None:
    flip(backend, key_of(place), place.offset + position)
    for read in (
        lambda: store.read(place),
        lambda: store.read(place, 0, len(CONTENT)),
        lambda: store.verify(place, NAME, xxhash.xxh3_128_digest(CONTENT)),
    ):
        with pytest.raises(Damaged) as caught:
            read()
        assert caught.value.sha256 == NAME.hex()
    got: list[bytes] = []
    with pytest.raises(Damaged):
        got.extend(store.stream(place, [(0, 60_000), (60_000, 40_000)], 30_000))
    assert not got


def test_a_damaged_record_header_is_damage(
    backend: MemoryBackend, store: ObjectStore, place: Place
) -> None:
    key = meta_key(place.segment) if place.raw else segment_key(place.segment)
    flip(backend, key, place.offset - 5 if not place.raw else 5)
    with pytest.raises(Damaged, match=NAME.hex()):
        store.read(place, sha256=NAME)
    with pytest.raises(Damaged, match="unknown"):
        store.read(place)


def test_a_file_that_ends_too_early_is_damage(
    backend: MemoryBackend, store: ObjectStore, place: Place
) -> None:
    reader = backend.open(key_of(place))
    replace(backend, key_of(place), reader.read(0, place.offset + 60_000))
    with pytest.raises(Damaged, match=NAME.hex()):
        store.read(place)
    with pytest.raises(Damaged):
        store.read(place, 50_000, 20_000)


def test_a_place_that_is_not_this_object_is_damage(store: ObjectStore, place: Place) -> None:
    for wrong in (
        dataclasses.replace(place, length=place.length - 1),
        dataclasses.replace(place, offset=place.offset + 1),
    ):
        if not (place.raw and wrong.offset):
            with pytest.raises(Damaged):
                store.read(wrong)
    with pytest.raises(Damaged, match="another object"):
        store.read(place, sha256=bytes(32))
    with pytest.raises(Damaged):
        store.verify(place, bytes(32), xxhash.xxh3_128_digest(CONTENT))
    with pytest.raises(Damaged, match="another checksum"):
        store.verify(place, NAME, bytes(16))


def test_a_missing_file_is_damage_where_the_store_is_there(
    backend: MemoryBackend, store: ObjectStore, place: Place
) -> None:
    backend.delete(key_of(place))
    with pytest.raises(Damaged, match=f"{NAME.hex()}.*missing"):
        store.read(place, sha256=NAME)
    with pytest.raises(Damaged, match="missing"):
        store.read(place, 5, 5)


def test_a_missing_file_is_no_damage_where_the_store_is_away(
    backend: MemoryBackend, store: ObjectStore, place: Place
) -> None:
    backend.delete(key_of(place))
    backend.delete("vna.json")
    with pytest.raises(StorageUnavailable):
        store.read(place)
    with pytest.raises(StorageUnavailable):
        store.remove_raw(place.segment)
    ObjectStore.of(backend_of_another := MemoryBackend())
    replace_marker(backend, backend_of_another)
    with pytest.raises(StorageUnavailable):
        store.read(place)


def test_a_disk_that_does_not_answer_is_no_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = SimFS()
    backend = LocalBackend("/store", disk)
    (place,) = stored(backend, CONTENT)
    store = ObjectStore.of(backend)

    def read(handle: int, offset: int, length: int) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(disk, "read", read)
    with pytest.raises(StorageUnavailable):
        store.read(place)
    with pytest.raises(StorageUnavailable):
        store.read(place, 5, 5)


@pytest.mark.parametrize("start", [-1, 100_001])
def test_a_range_outside_the_object_is_a_fault_of_the_caller(
    store: ObjectStore, place: Place, start: int
) -> None:
    with pytest.raises(ValueError, match="of an object of"):
        store.read(place, start, 1)


def test_a_closed_store_opens_its_files_again_when_asked(store: ObjectStore, place: Place) -> None:
    store.read(place)
    store.close()
    assert store.read(place) == CONTENT

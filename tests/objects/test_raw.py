from __future__ import annotations

import errno
import threading

import pytest
import xxhash

from storage_backends.local import LocalBackend
from storage_backends.memory import MemoryBackend
from tests.objects.archive import content_of, raw_stored, sha256_of
from tests.objects.simfs import SimFS
from vna.errors import Damaged, StorageUnavailable
from vna.objects import MountedStore, ObjectStore, RecordNames, RecordType, raw, ulid
from vna.objects.blocks import decode_blocks, is_block
from vna.objects.layout import meta_key, raw_key
from vna.objects.raw import RAW_BYTES
from vna.objects.record import decode


def test_a_raw_file_is_the_object_and_nothing_else() -> None:
    backend, content = MemoryBackend(), content_of(1, 20_000)
    store = ObjectStore.of(backend)
    place = raw_stored(store, content)
    reader = backend.open(raw_key(place.segment))
    assert reader.read(0, reader.size()) == content
    assert (place.offset, place.length, place.raw) == (0, 20_000, True)
    assert store.read(place, sha256=sha256_of(content)) == content


def test_its_header_lies_beside_it() -> None:
    backend, content = MemoryBackend(), content_of(1, 20_000)
    place = raw_stored(ObjectStore.of(backend), content)
    reader = backend.open(meta_key(place.segment))
    data = reader.read(0, reader.size())
    header, length = decode(data)
    sums = decode_blocks(data[length:], len(content))
    assert sums is not None
    assert is_block(content, sums, 0)
    assert (header.type, header.segment, header.length) == (
        RecordType.OBJECT,
        place.segment,
        20_000,
    )
    assert header.sha256 == sha256_of(content)
    assert header.names.sop_uid == "2.25.9"


def test_what_is_aborted_leaves_nothing() -> None:
    backend = MemoryBackend()
    store = ObjectStore.of(backend)
    unfinished = store.create_raw()
    unfinished.write(b"half")
    unfinished.abort()
    unfinished.abort()
    raw_object = store.create_raw()
    raw_object.write(b"whole")
    raw_object.finish(sha256_of(b"whole"), xxhash.xxh3_128_digest(b"whole"), RecordNames(1))
    raw_object.abort()
    assert [found.key for found in backend.list()] == ["vna.json"]


def test_what_a_dead_process_left_is_listed_and_can_be_removed() -> None:
    backend = MemoryBackend()
    store = ObjectStore.of(backend)
    left = [store.create_raw() for _ in range(3)]
    for number, unfinished in enumerate(left):
        unfinished.write(bytes(number))
    finished = [raw_stored(store, content_of(number, 100)) for number in range(3)]
    backend.put_new("big/aa/bb/lost-found.bin", [b"not ours"])
    strays = store.strays()
    assert {(s.segment, s.size) for s in strays} == {(r.segment, r.size) for r in left}
    assert all(abs(ulid.made_at(s.segment).timestamp()) > 0 for s in strays)
    for stray in strays:
        store.remove_raw(stray.segment)
    store.remove_raw(strays[0].segment)
    assert store.strays() == []
    for number, place in enumerate(finished):
        assert store.read(place) == content_of(number, 100)


def test_what_is_removed_is_gone_also_for_open_files_and_after_a_power_cut() -> None:
    disk = SimFS()
    store = ObjectStore.of(LocalBackend("/store", disk))
    place = raw_stored(store, content_of(1, 5000))
    assert store.read(place) == content_of(1, 5000)
    store.remove_raw(place.segment)
    with pytest.raises(Damaged, match="missing"):
        store.read(place)
    assert disk._handles == {}
    for image in disk.crash_images(100):
        assert not [path for path in image if place.segment in path]


def test_a_removal_that_fails_is_told_and_can_be_done_again() -> None:
    disk = SimFS()
    store = ObjectStore.of(LocalBackend("/store", disk))
    place = raw_stored(store, content_of(1, 5000))
    disk.faults = {len(disk.steps) + 2: errno.EIO}  # the header is gone, the file is not
    with pytest.raises(StorageUnavailable):
        store.remove_raw(place.segment)
    assert [stray.segment for stray in store.strays()] == [place.segment]
    store.remove_raw(place.segment)
    assert store.strays() == []


def test_a_long_stream_is_synced_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "SYNC_EVERY", 1000)
    disk = SimFS()
    unfinished = ObjectStore.of(LocalBackend("/store", disk)).create_raw()
    before = len(disk.steps)
    for _ in range(10):
        unfinished.write(bytes(250))
    assert [step for step in disk.steps[before:] if step != "append"] == [
        "fsync",
        "fsync_directory",
        "fdatasync",
    ]


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC])
def test_every_step_may_fail_and_leaves_nothing_to_be_taken_for_an_object(error: int) -> None:
    def attempt(disk: SimFS) -> None:
        store = ObjectStore.of(LocalBackend("/store", disk))
        disk.faults = {len(disk.steps) + step: error}
        raw_object = store.create_raw()
        try:
            raw_object.write(b"content")
            raw_object.finish(sha256_of(b"content"), bytes(16), RecordNames(1))
        except StorageUnavailable:
            raw_object.abort()
            raise

    for step in range(14):
        disk = SimFS()
        try:
            attempt(disk)
        except StorageUnavailable:
            found = LocalBackend("/store", disk).list()
            assert [f.key for f in found] == ["vna.json"], f"step {step}"
            continue
        assert step >= 13, f"step {step} did not fail"


def test_chunks_may_come_from_different_threads() -> None:
    store = ObjectStore.of(MemoryBackend())
    raw_object = store.create_raw()
    for number in range(20):
        thread = threading.Thread(target=raw_object.write, args=(bytes([number]) * 10,))
        thread.start()
        thread.join()
    content = b"".join(bytes([number]) * 10 for number in range(20))
    place = raw_object.finish(sha256_of(content), xxhash.xxh3_128_digest(content), RecordNames(1))
    assert store.read(place) == content


def test_a_raw_file_leaves_the_reserve() -> None:
    backend = MemoryBackend(capacity=RAW_BYTES + 3_000)
    store = ObjectStore([MountedStore("main", backend)], reserve=2_000)
    raw_object = store.create_raw()
    for _ in range(8):
        raw_object.write(bytes(RAW_BYTES // 16))
    with pytest.raises(StorageUnavailable, match="full"):
        raw_object.write(bytes(RAW_BYTES // 2))
    raw_object.abort()
    assert [each.key for each in backend.list()] == ["vna.json"]
    backend.capacity = RAW_BYTES
    with pytest.raises(StorageUnavailable, match="full"):
        store.create_raw()

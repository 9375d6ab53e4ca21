"""What was read of a store and found good is kept, and never believed without its digest."""

from __future__ import annotations

from pathlib import Path

import pytest
import xxhash

from storage_backends.base import BackendError
from storage_backends.memory import MemoryBackend, MemoryReader
from tests.objects.archive import content_of, raw_stored, sha256_of, stored
from vna.errors import Damaged, StorageUnavailable
from vna.model.archive import Place
from vna.objects import FolderCache, MountedStore, ObjectStore
from vna.objects.blocks import BLOCK_BYTES

GIB = 1 << 30
CONTENT = content_of(1, 3 * BLOCK_BYTES + 17)
NAME, XXH3 = sha256_of(CONTENT), xxhash.xxh3_128_digest(CONTENT)


class Reads:
    """How often the store itself was read, and whether it answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count, self.away = 0, False
        real = MemoryReader.read

        def read(reader: MemoryReader, offset: int, length: int) -> bytes:
            self.count += 1
            if self.away:
                raise BackendError("store", "away")
            return real(reader, offset, length)

        monkeypatch.setattr(MemoryReader, "read", read)


@pytest.fixture
def backend() -> MemoryBackend:
    return MemoryBackend()


@pytest.fixture
def store(backend: MemoryBackend, tmp_path: Path) -> ObjectStore:
    return ObjectStore([MountedStore("main", backend, cache=FolderCache(tmp_path / "c", GIB))])


@pytest.fixture(params=["record", "raw file"])
def place(request: pytest.FixtureRequest, backend: MemoryBackend, store: ObjectStore) -> Place:
    if request.param == "raw file":
        return raw_stored(store, CONTENT)
    (found,) = stored(backend, CONTENT)
    return found


def kept(folder: Path) -> list[Path]:
    return [path for path in (folder / "c").rglob("*") if path.is_file()]


def test_what_was_read_is_had_while_the_store_is_away(
    store: ObjectStore, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Reads(monkeypatch)
    assert store.checked(place, sha256=NAME, xxh3=XXH3) == CONTENT
    before, reads.away = reads.count, True
    assert store.checked(place, sha256=NAME, xxh3=XXH3) == CONTENT
    assert reads.count == before
    with pytest.raises(StorageUnavailable):
        store.verify(place, NAME, XXH3)


def test_of_a_raw_file_the_blocks_that_were_read_are_kept(
    backend: MemoryBackend, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, reads = raw_stored(store, CONTENT), Reads(monkeypatch)
    store.read(place, BLOCK_BYTES + 5, BLOCK_BYTES, sha256=NAME)
    before = reads.count
    part = store.read(place, 2 * BLOCK_BYTES - 10, 20, sha256=NAME)
    assert part == CONTENT[2 * BLOCK_BYTES - 10 :][:20]
    assert reads.count == before
    assert store.read(place, 5, 10, sha256=NAME) == CONTENT[5:15]
    assert reads.count == before + 1


def test_what_is_wrong_in_the_cache_is_read_again(
    store: ObjectStore, place: Place, tmp_path: Path
) -> None:
    cache = FolderCache(tmp_path / "c", GIB)
    store.checked(place, sha256=NAME, xxh3=XXH3)
    for offset in range(0, len(CONTENT), BLOCK_BYTES):  # whole by its own digest, and another
        at = offset if place.raw else place.offset
        name = f"{store.stores['main'].identity} {place.segment} {at}".encode()
        assert cache.get(name) is not None
        cache.put(name, (b"something else",))
    assert store.checked(place, sha256=NAME, xxh3=XXH3) == CONTENT
    for path in kept(tmp_path):
        path.write_bytes(b"torn")
    assert store.checked(place, sha256=NAME, xxh3=XXH3) == CONTENT


def test_what_is_damaged_is_not_kept(
    backend: MemoryBackend, store: ObjectStore, place: Place, tmp_path: Path
) -> None:
    with pytest.raises(Damaged):
        store.checked(place, sha256=NAME, xxh3=bytes(16))
    if not place.raw:  # the blocks of a raw file have digests of their own, and are right
        assert kept(tmp_path) == []


def test_a_verification_neither_trusts_the_cache_nor_fills_it(
    store: ObjectStore, place: Place, tmp_path: Path
) -> None:
    store.verify(place, NAME, XXH3)
    assert kept(tmp_path) == []

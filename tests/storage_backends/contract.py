"""What every storage backend must do. A backend's own test gives the `backend` fixture."""

from __future__ import annotations

import threading

import pytest

from storage_backends.base import (
    Backend,
    KeyExists,
    KeyMissing,
    StoredKey,
    WriterPoisoned,
)

BAD_KEYS = ["", "/a", "a/", "a//b", "../a", "a/../b", ".a", "a/.b", "a b", "ñ", "a\\b", "a\0"]


def stored(backend: Backend, key: str) -> bytes:
    reader = backend.open(key)
    try:
        return reader.read(0, reader.size())
    finally:
        reader.close()


class BackendContract:
    def test_appended_buffers_lie_behind_one_another(self, backend: Backend) -> None:
        writer = backend.create("seg/a.vseg")
        assert writer.append([b"one", memoryview(b"two")]) == 0
        assert writer.append([bytearray(b"three")]) == 6
        assert writer.size == 11
        writer.seal()
        assert stored(backend, "seg/a.vseg") == b"onetwothree"

    def test_a_batch_of_more_buffers_than_one_system_call_takes_is_whole(
        self, backend: Backend
    ) -> None:
        buffers = [bytes([n % 256]) * (n % 5) for n in range(3000)]
        writer = backend.create("a")
        writer.append(buffers)
        writer.seal()
        assert stored(backend, "a") == b"".join(buffers)

    def test_an_empty_key_and_an_empty_append_are_allowed(self, backend: Backend) -> None:
        writer = backend.create("a")
        writer.append([])
        writer.append([b""])
        writer.seal()
        assert stored(backend, "a") == b""

    @pytest.mark.parametrize(
        ("offset", "length", "expected"),
        [(0, 10, b"0123456789"), (3, 4, b"3456"), (8, 5, b"89"), (10, 1, b""), (99, 1, b"")],
    )
    def test_a_read_is_exact_and_ends_where_the_key_ends(
        self, backend: Backend, offset: int, length: int, expected: bytes
    ) -> None:
        backend.put_new("a", [b"01234", b"56789"])
        reader = backend.open("a")
        assert reader.read(offset, length) == expected
        reader.close()

    def test_a_key_is_never_overwritten(self, backend: Backend) -> None:
        backend.put_new("d/a", [b"first"])
        with pytest.raises(KeyExists):
            backend.create("d/a")
        with pytest.raises(KeyExists):
            backend.put_new("d/a", [b"second"])
        assert stored(backend, "d/a") == b"first"
        assert list(backend.list()) == [StoredKey("d/a", 5)]

    def test_a_missing_key_is_said_to_be_missing(self, backend: Backend) -> None:
        backend.put_new("d/a", [b"x"])
        for key in ("b", "d/b", "d", "d/a/c"):
            with pytest.raises(KeyMissing):
                backend.open(key)
            with pytest.raises(KeyMissing):
                backend.delete(key)

    def test_a_deleted_key_is_gone_and_can_be_made_anew(self, backend: Backend) -> None:
        backend.put_new("a", [b"old"])
        backend.delete("a")
        assert list(backend.list()) == []
        backend.put_new("a", [b"new"])
        assert stored(backend, "a") == b"new"

    def test_a_sealed_writer_is_not_used_again(self, backend: Backend) -> None:
        writer = backend.create("a")
        writer.seal()
        with pytest.raises(WriterPoisoned):
            writer.append([b"x"])
        with pytest.raises(WriterPoisoned):
            writer.sync()
        with pytest.raises(WriterPoisoned):
            writer.seal()
        writer.abandon()
        assert stored(backend, "a") == b""

    def test_keys_are_listed_in_order_below_whole_names(self, backend: Backend) -> None:
        keys = ["a", "b/a/x", "b/a-x", "b/a.x", "b/a0", "b/aa", "b-c", "bb/x", "z/z/z"]
        for key in keys:
            backend.put_new(key, [key.encode()])
        assert [found.key for found in backend.list()] == sorted(keys)
        assert [found.key for found in backend.list("b")] == sorted(
            k for k in keys if k[:2] == "b/"
        )
        assert list(backend.list("b/a")) == [StoredKey("b/a/x", 5)]
        assert list(backend.list("nothing")) == []
        assert list(backend.list("a")) == []

    @pytest.mark.parametrize("key", BAD_KEYS)
    def test_a_malformed_key_is_refused(self, backend: Backend, key: str) -> None:
        with pytest.raises(ValueError, match="not a storage key"):
            backend.create(key)
        with pytest.raises(ValueError, match="not a storage key"):
            backend.put_new(key, [b"x"])
        with pytest.raises(ValueError, match="not a storage key"):
            backend.open(key)
        with pytest.raises(ValueError, match="not a storage key"):
            backend.delete(key)

    def test_of_many_that_race_for_a_key_exactly_one_wins(self, backend: Backend) -> None:
        start = threading.Barrier(8)
        won: list[int] = []

        def put(number: int) -> None:
            start.wait()
            try:
                backend.put_new("a/b/c", [bytes([number]) * 1000])
                won.append(number)
            except KeyExists:
                pass

        threads = [threading.Thread(target=put, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        assert stored(backend, "a/b/c") == bytes(won) * 1000
        assert [found.key for found in backend.list()] == ["a/b/c"]

    def test_free_space_is_known_or_said_to_be_unknown(self, backend: Backend) -> None:
        free = backend.free()
        assert free is None or free > 0


class AppendingContract(BackendContract):
    """Of backends whose `sync` makes durable what was appended so far."""

    def test_what_was_synced_can_be_read_while_the_writer_goes_on(self, backend: Backend) -> None:
        writer = backend.create("a")
        writer.append([b"one"])
        writer.sync()
        reader = backend.open("a")
        assert reader.read(0, 3) == b"one"
        writer.append([b"two"])
        writer.sync()
        assert (reader.read(0, 6), reader.size()) == (b"onetwo", 6)
        reader.close()
        writer.abandon()
        assert stored(backend, "a") == b"onetwo"

    def test_an_abandoned_writer_keeps_what_was_synced(self, backend: Backend) -> None:
        writer = backend.create("a")
        writer.append([b"one"])
        writer.sync()
        writer.abandon()
        writer.abandon()
        with pytest.raises(WriterPoisoned):
            writer.append([b"two"])
        assert stored(backend, "a") == b"one"

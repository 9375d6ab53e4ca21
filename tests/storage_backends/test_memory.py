from __future__ import annotations

import pytest

from storage_backends.base import BackendFull, WriterPoisoned
from storage_backends.memory import MemoryBackend
from tests.storage_backends.contract import AppendingContract, stored


class TestMemoryBackend(AppendingContract):
    @pytest.fixture
    def backend(self) -> MemoryBackend:
        return MemoryBackend()


def test_a_full_store_poisons_the_writer_and_works_again_after_a_deletion() -> None:
    backend = MemoryBackend(capacity=10)
    backend.put_new("old", [b"12345"])
    writer = backend.create("new")
    with pytest.raises(BackendFull):
        writer.append([b"123456"])
    with pytest.raises(WriterPoisoned):
        writer.append([b"1"])
    with pytest.raises(BackendFull):
        backend.put_new("third", [b"123456"])
    backend.delete("old")
    backend.put_new("third", [b"123456"])
    assert stored(backend, "third") == b"123456"

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from storage_backends.base import BackendError, Buffer, KeyMissing
from storage_backends.local import LocalBackend
from storage_backends.memory import MemoryBackend
from tests.objects.archive import content_of
from vna.objects import copying
from vna.objects.copying import CopyDiffers, copy_key

CONTENT = content_of(1, 300_000)


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> MemoryBackend:
    monkeypatch.setattr(copying, "CHUNK_BYTES", 70_000)
    made = MemoryBackend()
    made.put_new("a/b", [CONTENT])
    return made


def content(backend: MemoryBackend | LocalBackend, key: str) -> bytes:
    reader = backend.open(key)
    return reader.read(0, reader.size())


@pytest.mark.parametrize("length", [None, 0, 1, 150_000, 300_000])
def test_a_copy_is_equal(source: MemoryBackend, tmp_path: Path, length: int | None) -> None:
    target = LocalBackend(str(tmp_path))
    copied = copy_key(source, target, "a/b", length)
    assert content(target, "a/b") == CONTENT[:length]
    assert copied == len(CONTENT[:length])


def test_an_equal_key_is_the_copy_and_another_is_replaced(source: MemoryBackend) -> None:
    target = MemoryBackend()
    copy_key(source, target, "a/b")
    copy_key(source, target, "a/b")
    target.delete("a/b")
    target.put_new("a/b", [CONTENT[:1000]])
    copy_key(source, target, "a/b")
    assert content(target, "a/b") == CONTENT


class Forgetful(MemoryBackend):
    """Keeps something else than it was given."""

    def create(self, key: str):  # type: ignore[no-untyped-def]
        writer = super().create(key)
        real = writer.append
        changed: list[Sequence[Buffer]] = []

        def append(buffers: Sequence[Buffer]) -> int:
            wrong = [bytes(len(memoryview(each))) for each in buffers]
            changed.append(wrong)
            return real(wrong)

        writer.append = append  # type: ignore[method-assign]
        return writer


def test_a_copy_that_differs_is_an_error_and_does_not_stay(source: MemoryBackend) -> None:
    target = Forgetful()
    with pytest.raises(CopyDiffers):
        copy_key(source, target, "a/b")
    with pytest.raises(KeyMissing):
        target.open("a/b")


def test_a_source_that_ends_too_early_leaves_nothing(source: MemoryBackend) -> None:
    target = MemoryBackend()
    with pytest.raises(BackendError, match="too early"):
        copy_key(source, target, "a/b", 300_001)
    with pytest.raises(KeyMissing):
        target.open("a/b")

"""A key copied from one store to another, and read back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import xxhash

from storage_backends.base import Backend, BackendError, KeyExists

CHUNK_BYTES = 4 * 1024**2


class CopyDiffers(BackendError):
    """What was read back is not what was written."""

    def __init__(self, key: str) -> None:
        super().__init__(key, "the copy differs from what was copied")


def copy_key(
    source: Backend, target: Backend, key: str, length: int | None = None, *, name: str = ""
) -> int:
    """Copy a key, or its first `length` bytes; returns how many. Durable and read back.

    `name`: the key of the copy, the same where it is empty.

    An equal key that is there already is taken for the copy; another one is removed first: nothing
    may refer to it. Raises `BackendError`; then nothing of the copy stays.
    """
    name = name or key
    try:
        writer = target.create(name)
    except KeyExists:
        if digest_of(target, name) == digest_of(source, key, length):
            return _size(target, name)
        target.delete(name)
        writer = target.create(name)
    digest = xxhash.xxh3_128()
    try:
        for chunk in _chunks(source, key, length):
            digest.update(chunk)
            writer.append([chunk])
        writer.seal()
        if digest_of(target, name) != digest.digest():
            raise CopyDiffers(name)
    except BackendError:
        writer.abandon()
        with suppress(BackendError):
            target.delete(name)
        raise
    return _size(target, name)


def digest_of(backend: Backend, key: str, length: int | None = None) -> bytes:
    """XXH3-128 of a key, or of its first `length` bytes."""
    digest = xxhash.xxh3_128()
    for chunk in _chunks(backend, key, length):
        digest.update(chunk)
    return digest.digest()


def _chunks(backend: Backend, key: str, length: int | None) -> Iterator[bytes]:
    reader = backend.open(key)
    try:
        end = reader.size() if length is None else length
        at = 0
        while at < end:
            chunk = reader.read(at, min(CHUNK_BYTES, end - at))
            if not chunk:
                raise BackendError(key, "it ends too early")
            yield chunk
            at += len(chunk)
    finally:
        reader.close()


def _size(backend: Backend, key: str) -> int:
    reader = backend.open(key)
    try:
        return reader.size()
    finally:
        reader.close()

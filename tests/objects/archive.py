"""A small archive to look into: a backend, its store, and a committer that only says where."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Future

import xxhash

from storage_backends.base import Backend
from vna.model.archive import Place
from vna.objects import (
    Append,
    Committer,
    ObjectStore,
    RecordNames,
    RecordType,
    Target,
    Targets,
    Unit,
)


def only(backend: Backend, identity: str = "") -> Targets:
    """One store, which takes everything."""
    return Targets([Target("main", backend, identity=identity)])


def append_of(content: bytes, uid: str = "2.25.1", type: RecordType = RecordType.OBJECT) -> Append:
    """A record of `content`, in two buffers as from a network."""
    return Append(
        type,
        (content[:100], memoryview(content)[100:]),
        sha256_of(content),
        xxhash.xxh3_128_digest(content),
        RecordNames(1, "2.25.3", "2.25.2", uid),
    )


def sha256_of(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def content_of(number: int, length: int) -> bytes:
    """Bytes without a pattern, so that a sector in the wrong place shows; never zero."""
    stream = b"".join(
        hashlib.sha256(b"%d/%d" % (number, block)).digest() for block in range(length // 32 + 1)
    )
    return stream[:length].replace(b"\0", b"\1")


def placed(units: Sequence[tuple[Unit[Place], Sequence[Place]]]) -> None:
    """A transaction that answers each unit with the place of its first record."""
    for unit, places in units:
        unit.resolve(places[0])


def stored(backend: Backend, *contents: bytes, seal: bool = True) -> list[Place]:
    """Commit `contents`, one unit each, to a new segment; returns where they lie."""
    ObjectStore.of(backend)  # writes the marker
    committer = Committer[Place](only(backend), None, placed, owner="test")
    futures: list[Future[Place]] = [
        committer.submit(Unit((append_of(content, f"2.25.{number}"),)))
        for number, content in enumerate(contents)
    ]
    places = [future.result(30) for future in futures]
    if seal:
        committer.close()
    return places


def raw_stored(store: ObjectStore, content: bytes) -> Place:
    """Store `content` as a raw file."""
    raw = store.create_raw()
    for start in range(0, len(content), 4096):
        raw.write(content[start : start + 4096])
    names = RecordNames(1, "2.25.3", "2.25.2", "2.25.9")
    return raw.finish(sha256_of(content), xxhash.xxh3_128_digest(content), names)

"""A way of an archive over a simulated disk, and the checker that looks at every power cut in it.

The index is modelled as what it promises: a set that is durable when `transact` returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field

import xxhash

from storage_backends.base import Backend, BackendError
from storage_backends.local import LocalBackend
from tests.objects.archive import append_of, content_of, only, sha256_of
from tests.objects.simfs import Image, SimFS
from vna.errors import VnaError
from vna.model.archive import Place
from vna.objects import GroupCommit, ObjectStore, RecordNames, RecordType, Scan, Unit
from vna.objects.layout import RAW_FILES, SEGMENTS, raw_key, ulid_of
from vna.objects.record import BadRecord, decode

ROOT = "/data/store"
ROTATE_BYTES = 12_000


class Sent(Unit[Place]):
    """One object on its way; `raw`: where it lies already, if it is a file of its own."""

    def __init__(self, content: bytes, raw: Place | None = None) -> None:
        super().__init__(() if raw else (append_of(content),))
        self.content, self.raw = content, raw


@dataclass(frozen=True)
class Versions:
    """What is under test; the mutants replace a part each."""

    disk: type[SimFS] = SimFS
    group: type[GroupCommit[Place]] = GroupCommit
    scan: type[Scan] = Scan


@dataclass
class World:
    """What was sent, what the index holds, what was acknowledged."""

    versions: Versions = field(default_factory=Versions)
    sent: dict[bytes, bytes] = field(default_factory=dict)
    index: dict[bytes, Place] = field(default_factory=dict)
    acknowledged: set[bytes] = field(default_factory=set)
    after: Callable[[str], None] = lambda step: None

    def send(self, content: bytes, raw: Place | None = None) -> Sent:
        unit = Sent(content, raw)
        name = sha256_of(content)
        self.sent[name] = content
        unit.future.add_done_callback(lambda future: self._answer(name, future))
        return unit

    def _answer(self, name: bytes, future: Future[Place]) -> None:
        if future.exception() is None:
            self.acknowledged.add(name)
            self.after("acknowledged")

    def transact(self, placed: Sequence[tuple[Unit[Place], Sequence[Place]]]) -> None:
        for unit, places in placed:
            assert isinstance(unit, Sent)
            place = unit.raw or places[0]
            self.index[sha256_of(unit.content)] = place
            unit.resolve(place)
        self.after("indexed")


def way_of_an_archive(world: World, disk: SimFS) -> None:
    """Open, three batches, a raw object, a rotation, an aborted raw object, a clean end.

    Whatever fails, the process goes on or starts again, as the real one does.
    """
    for _ in range(2):
        try:
            backend = LocalBackend(ROOT, disk)
            store = ObjectStore.of(backend)
            break
        except (BackendError, VnaError):
            continue
    group = world.versions.group(only(backend), None, world.transact, rotate_bytes=ROTATE_BYTES)
    group.commit([world.send(content_of(1, 700)), world.send(content_of(2, 4000))])
    group.commit([world.send(content_of(3, 90))])
    _send_raw(world, store, group, content_of(4, 6000))
    group.commit([world.send(content_of(n, 900 * n)) for n in (5, 6)])
    group.commit([world.send(content_of(7, 1000))])  # the segment is full: a new one
    with suppress(VnaError):
        raw = store.create_raw()
        raw.write(content_of(9, 100))
        raw.abort()
    group.commit([world.send(content_of(8, 513))])
    group.seal()


def _send_raw(world: World, store: ObjectStore, group: GroupCommit[Place], content: bytes) -> None:
    name = sha256_of(content)
    world.sent[name] = content
    try:
        raw = store.create_raw()
    except VnaError:
        return
    try:
        for start in range(0, len(content), 2500):
            raw.write(content[start : start + 2500])
        place = raw.finish(name, xxhash.xxh3_128_digest(content), RecordNames(1))
    except VnaError:
        raw.abort()
        return
    group.commit([world.send(content, place)])


@dataclass
class Report:
    """What a walk found: power cuts looked at, steps of the disk, objects acknowledged."""

    cuts: int = 0
    steps: int = 0
    acknowledged: int = 0
    violations: list[str] = field(default_factory=list)


def walk(
    versions: Versions, *, faults: dict[int, int] | None = None, most: int, seed: int = 0
) -> Report:
    """Walk the way of an archive; after every step of its disk, cut the power in `most` ways."""
    disk = versions.disk({"/data": None})
    disk.faults = faults or {}
    world, report = World(versions), Report()

    def cut(step: str) -> None:
        for image in disk.crash_images(most, seed + len(disk.steps)):
            report.cuts += 1
            where = f"step {len(disk.steps)} ({step})"
            report.violations += [f"{where}: {wrong}" for wrong in damage(world, image)]

    disk.after = world.after = cut
    way_of_an_archive(world, disk)
    cut("the end")
    report.steps = len(disk.steps)
    report.acknowledged = len(world.acknowledged)
    return report


def damage(world: World, image: Image) -> Iterator[str]:
    """What is wrong with the archive that starts on this disk; nothing, it is hoped."""
    yield from ("acknowledged, but not indexed" for _ in world.acknowledged - world.index.keys())
    try:
        backend = LocalBackend(ROOT, SimFS(image))
        store = ObjectStore.of(backend)
    except (BackendError, VnaError) as error:
        yield f"the store does not open: {error}"
        return
    for name, place in world.index.items():
        try:
            if store.read(place, sha256=name) != world.sent[name]:
                yield "an indexed object has other bytes"
        except VnaError as error:
            yield f"an indexed object cannot be read: {error}"
    scanned = set()
    for found in backend.list(SEGMENTS):
        reader = backend.open(found.key)
        scan = world.versions.scan(reader, ulid_of(found.key))
        for record in scan:
            if record.header.type is RecordType.OBJECT:
                payload = reader.read(record.place.offset, record.place.length)
                if payload != world.sent.get(record.header.sha256):
                    yield "a scan shows an object that nobody sent"
                scanned.add(record.place)
        if scan.end + scan.tail != found.size or bool(scan.tail) != bool(scan.reason):
            yield "a scan does not say where it ended"
        reader.close()
    lost = {place for place in world.index.values() if not place.raw} - scanned
    yield from ("a scan misses an indexed object" for _ in lost)
    yield from _raw_damage(world, backend)


def _raw_damage(world: World, backend: Backend) -> Iterator[str]:
    """A raw file that has a header is whole; one without is a stray."""
    for found in backend.list(RAW_FILES):
        if not found.key.endswith(".meta"):
            continue
        reader = backend.open(found.key)
        try:
            header, _ = decode(reader.read(0, found.size))
            body = backend.open(raw_key(ulid_of(found.key)))
            if body.read(0, body.size()) != world.sent[header.sha256]:
                yield "a raw file with a header is not whole"
        except (BadRecord, BackendError) as error:
            yield f"a raw file's header promises too much: {error}"

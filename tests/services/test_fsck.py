"""Index and stores compared, over both databases."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from storage_backends.memory import MemoryBackend
from tests.services.house import CALLER, House, opened
from tests.services.objects import image
from tests.size import size
from vna.errors import StorageUnavailable
from vna.index import tables
from vna.index.engine import Index, Session
from vna.objects.layout import MARKER, meta_key, raw_key, segment_key
from vna.objects.ulid import new_ulid
from vna.services.fsck import Finding, Fsck, Problem

PLANTED = 5
GOOD = size(6, 200)
LARGE = 9 << 20


@pytest.fixture
def house(index: Index, tmp_path: Path) -> Iterator[House]:
    with opened(index, tmp_path) as made:
        yield made


def fsck(house: House) -> Fsck:
    return Fsck(house.index, house.objects, wait=lambda seconds: None)


def found(house: House, *, full: bool = False) -> list[Finding]:
    return list(fsck(house).run(CALLER, full=full))


def named(findings: list[Finding], problem: Problem) -> set[str]:
    return {each.name for each in findings if each.problem is problem}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def forget(house: House, data: bytes) -> None:
    """Remove all rows of an object, as if its transaction had never been committed."""

    def work(session: Session) -> None:
        digest = hashlib.sha256(data).digest()
        key = session.execute(
            select(tables.object_.c.pk).where(tables.object_.c.sha256 == digest)
        ).scalar_one()
        version = tables.instance_version
        instance = session.execute(
            select(version.c.instance_fk).where(version.c.object_fk == key)
        ).scalar_one()
        session.execute(delete(version).where(version.c.object_fk == key))
        session.execute(delete(tables.sop).where(tables.sop.c.instance_fk == instance))
        session.execute(delete(tables.instance).where(tables.instance.c.pk == instance))
        session.execute(delete(tables.object_).where(tables.object_.c.pk == key))

    house.index.transact(work)


def large(number: int) -> bytes:
    return image(EncapsulatedDocument=bytes([number]) * LARGE)


def test_an_archive_in_use_has_nothing_to_find(house: House) -> None:
    house.send(*[image() for _ in range(GOOD)], large(1))
    assert found(house) == []
    assert found(house, full=True) == []


def test_exactly_what_was_planted_is_found(house: House) -> None:
    """5 missing, 5 stray and 5 rowless objects, among good ones."""
    good = [image() for _ in range(GOOD)]
    rowless = [image() for _ in range(PLANTED)]
    missing = [large(number) for number in range(PLANTED)]
    for some in (good, rowless, missing):
        house.send(*some)
    for data in rowless:
        forget(house, data)
    segments = {row["pk"]: row["name"] for row in house.rows("segment") if row["kind"] == 2}
    for name in segments.values():
        house.backend.delete(raw_key(name))
    stray = [raw_key(new_ulid()) for _ in range(PLANTED - 2)] + ["seg/notes.txt", "lost-and-found"]
    for key in stray:
        house.backend.put_new(key, [b"left by somebody"])
    for full in (False, True):
        findings = found(house, full=full)
        assert named(findings, Problem.MISSING) == {sha256(data) for data in missing}
        assert named(findings, Problem.ROWLESS) == {sha256(data) for data in rowless}
        assert named(findings, Problem.STRAY) >= set(stray)
        left = {each.name for each in findings if each.problem is Problem.STRAY} - set(stray)
        assert not left
        assert not named(findings, Problem.NO_COPY)


def test_a_flipped_bit_is_found_by_reading_everything(house: House) -> None:
    data = image(PatientComments="middle of it")
    house.send(image(), data)
    (key,) = [each.key for each in house.backend.list("seg")]
    reader = house.backend.open(key)
    content = bytearray(reader.read(0, reader.size()))
    content[content.index(b"middle of it")] ^= 1
    house.backend.delete(key)
    house.backend.put_new(key, [content])
    assert named(found(house, full=True), Problem.MISSING) == {sha256(data)}


def test_what_was_just_on_its_way_is_not_named(house: House) -> None:
    """Its row is committed while fsck waits for its second look."""
    data = image()
    house.send(image(), data)
    forget(house, data)
    late = Fsck(house.index, house.objects, wait=lambda seconds: house.send(data))
    assert list(late.run(CALLER)) == []


def test_what_was_purged_or_superseded_is_not_named(house: House) -> None:
    data = image()
    house.send(data)

    def purged(session: Session) -> None:
        session.execute(tables.object_.update().values(state=2))

    house.index.transact(purged)
    assert found(house) == []


def test_a_copy_that_is_missing_in_one_store_is_said_so(index: Index, tmp_path: Path) -> None:
    far = MemoryBackend()
    with opened(index, tmp_path, further={"far": far}, ack_copies=2) as house:
        house.send(image())
        (segment,) = {row["name"] for row in house.rows("segment")}
        far.delete(segment_key(segment))
        (finding,) = found(house)
        assert (finding.problem, finding.store) == (Problem.NO_COPY, "far")


def test_a_store_that_is_away_is_no_finding(house: House) -> None:
    house.send(image(), large(1))
    house.backend.delete(MARKER)
    with pytest.raises(StorageUnavailable):
        found(house)


def test_a_raw_file_that_was_never_finished_is_a_stray(house: House) -> None:
    name = new_ulid()
    house.backend.put_new(raw_key(name), [b"half"])
    (finding,) = found(house)
    assert (finding.problem, finding.name) == (Problem.STRAY, raw_key(name))
    assert meta_key(name) != finding.name

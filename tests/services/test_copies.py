"""Copies of segments in several stores, over both databases."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from storage_backends.base import BackendError
from storage_backends.memory import MemoryBackend, MemoryReader
from tests.services.house import CALLER, House, opened
from tests.services.objects import image
from vna.errors import Damaged, StorageUnavailable
from vna.index import copies
from vna.index.copies import Copy
from vna.index.engine import Index
from vna.index.jobs import Job
from vna.index.segments import REPLICATE
from vna.model.archive import CopyState, Disposition, Place
from vna.objects.layout import segment_key
from vna.services.copies import REPAIR, Copies
from vna.services.custody import Custody
from vna.services.jobs import Jobs
from vna.services.scrub import Scrub

LARGE = 9 << 20


@pytest.fixture
def house(index: Index, tmp_path: Path) -> Iterator[House]:
    """Two stores; an answer waits for one of them."""
    with opened(index, tmp_path, further={"far": MemoryBackend()}) as made:
        yield made


def kept(house: House, wanted: int = 2) -> Copies:
    return Copies(house.index, house.objects, house.ingest.committer.submit, wanted=wanted)


def work(house: House, kept: Copies) -> None:
    """Run what is due, as the worker does."""
    Jobs(house.index, {REPLICATE: kept.replicate, REPAIR: kept.repair}).run_once()


def held(house: House) -> dict[str, Copy]:
    """The copies of the only segment, by store."""
    (segment,) = {row["name"] for row in house.rows("segment")}
    with house.index.reading() as session:
        return {each.store: each for each in copies.copies_of(session, segment)}


def seal(house: House) -> None:
    house.ingest.close()


def flip(backend: MemoryBackend, key: str, what: bytes) -> None:
    """Change a byte in the middle of `what`, as a disk that forgets."""
    reader = backend.open(key)
    data = bytearray(reader.read(0, reader.size()))
    data[data.index(what) + len(what) // 2] ^= 1
    backend.delete(key)
    backend.put_new(key, [data])


def places(house: House) -> list[tuple[Place, bytes, bytes]]:
    """Where each object lies, with its digests."""
    segments = {row["pk"]: row for row in house.rows("segment")}
    return [
        (
            Place(
                segments[row["segment_fk"]]["name"],
                row["offset"],
                row["length"],
                segments[row["segment_fk"]]["kind"] == 2,
            ),
            row["sha256"],
            row["xxh3"],
        )
        for row in house.rows("object")
    ]


def contents(backend: MemoryBackend) -> dict[str, bytes]:
    found = {}
    for each in backend.list():
        reader = backend.open(each.key)
        found[each.key] = reader.read(0, each.size)
    return found


def segments_of(backend: MemoryBackend) -> dict[str, bytes]:
    return {key: data for key, data in contents(backend).items() if key.startswith(("seg", "big"))}


def test_a_sealed_segment_is_copied_byte_for_byte(house: House) -> None:
    house.send(image(), image())
    seal(house)
    work(house, kept(house))
    assert segments_of(house.further["far"]) == segments_of(house.backend) != {}
    assert {each.state for each in held(house).values()} == {CopyState.GOOD}
    assert all(each.verified_at for each in held(house).values())


def test_a_raw_file_is_copied_with_what_belongs_to_it(house: House) -> None:
    house.send(image(EncapsulatedDocument=bytes(range(256)) * (LARGE // 256)))
    work(house, kept(house))
    copied = segments_of(house.further["far"])
    assert copied == {k: v for k, v in segments_of(house.backend).items() if k.startswith("big/")}
    assert {key.rpartition(".")[2] for key in copied} == {"bin", "meta"}


def test_a_segment_that_may_grow_is_looked_at_again(house: House) -> None:
    house.send(image())
    work(house, kept(house))
    assert not segments_of(house.further["far"])
    waiting = next(row for row in house.rows("job") if row["kind"] == REPLICATE)
    assert waiting["not_before"] > waiting["created_at"]


def test_a_segment_whose_writer_is_gone_is_closed_and_copied(house: House) -> None:
    """Its writer may not be gone: what it indexes later lies in another segment."""
    first, second = image(), image()
    house.send(first)
    (name,) = {row["name"] for row in house.rows("segment")}
    house.index.transact(lambda session: copies.close(session, name))
    (outcome,) = house.send(second)
    assert outcome.disposition is Disposition.NEW
    names = {row["name"] for row in house.rows("segment")}
    assert len(names) == 2
    for place, sha256, xxh3 in places(house):
        house.objects.verify(place, sha256, xxh3)


def test_an_answer_waits_for_as_many_stores_as_are_set(index: Index, tmp_path: Path) -> None:
    with opened(index, tmp_path, further={"far": MemoryBackend()}, ack_copies=2) as house:
        house.send(image(), image(EncapsulatedDocument=bytes(range(256)) * (LARGE // 256)))
        assert segments_of(house.further["far"]) == segments_of(house.backend)
        states = {row["state"] for row in house.rows("segment_copy")}
        assert states == {CopyState.GOOD}
        assert len(house.rows("segment_copy")) == 2 * len(house.rows("segment"))


class Failing(MemoryBackend):
    """Fails to create while it is told to."""

    failing = False

    def create(self, key: str):  # type: ignore[no-untyped-def]
        if self.failing:
            raise BackendError(key, "no such device")
        return super().create(key)


def test_what_one_store_cannot_take_goes_to_the_next(index: Index, tmp_path: Path) -> None:
    near = Failing()
    with opened(index, tmp_path, backend=near, further={"far": MemoryBackend()}) as house:
        near.failing = True
        (outcome,) = house.send(image())
        assert outcome.disposition is Disposition.NEW
        assert [each.store for each in held(house).values()] == ["far"]
        for place, sha256, xxh3 in places(house):
            house.objects.verify(place, sha256, xxh3)


def test_fewer_stores_than_an_answer_waits_for_refuse(index: Index, tmp_path: Path) -> None:
    near = Failing()
    with opened(
        index, tmp_path, backend=near, further={"far": MemoryBackend()}, ack_copies=2
    ) as house:
        near.failing = True
        (answer,) = house.hand_in(image())
        with pytest.raises(StorageUnavailable):
            answer.result(60)
        assert not house.rows("object")


def test_a_damaged_copy_is_read_around_and_replaced(house: House) -> None:
    data = image(PatientComments="middle of it")
    house.send(image(), data, image())
    seal(house)
    work(house, kept(house))
    (key,) = segments_of(house.backend)
    flip(house.backend, key, b"middle of it")
    house.objects.forget(key.rpartition("/")[2].removesuffix(".vseg"))
    for place, sha256, xxh3 in places(house):
        house.objects.verify(place, sha256, xxh3)
    work(house, kept(house))  # reading it asked for the repair
    assert segments_of(house.backend) == segments_of(house.further["far"])
    assert {each.state for each in held(house).values()} == {CopyState.GOOD}
    assert [key for key in contents(house.backend) if key.startswith("q/")]


def test_scrubbing_names_exactly_the_damaged_object_and_repairs_it(house: House) -> None:
    data = image(PatientComments="middle of it")
    house.send(image(), data, image())
    seal(house)
    work(house, kept(house))
    (key,) = segments_of(house.further["far"])
    flip(house.further["far"], key, b"middle of it")
    scrub = Scrub(house.index, house.objects, kept(house), days=90, rate=0)
    found = [each for each in scrub.now(CALLER) if not each.checked.good]
    assert [each.copy.store for each in found] == ["far"]
    assert found[0].objects == (hashlib.sha256(data).hexdigest(),)
    assert found[0].mended is not None
    assert found[0].mended.replaced
    assert all(each.checked.good for each in scrub.now(CALLER))


def test_what_no_copy_has_is_named_and_heals_when_it_is_sent_again(house: House) -> None:
    data = image(PatientComments="middle of it")
    house.send(image(), data, image())
    seal(house)
    work(house, kept(house))
    (key,) = segments_of(house.backend)
    for backend in (house.backend, house.further["far"]):
        flip(backend, key, b"middle of it")
    house.objects.forget(key.rpartition("/")[2].removesuffix(".vseg"))
    with opened(house.index, house.folder, house.backend, house.further) as again:
        scrub = Scrub(again.index, again.objects, kept(again), days=90, rate=0)
        lost = {each for found in scrub.now(CALLER) if found.mended for each in found.mended.lost}
        damaged = [row for row in again.rows("object") if row["state"]]
        assert lost == {row["sha256"] for row in damaged}
        assert len(lost) == 1
        assert [row["kind"] for row in again.rows("attention")] == ["object-damaged"]
        ((place, sha256, _),) = [each for each in places(again) if each[1] in lost]
        with pytest.raises(Damaged, match=sha256.hex()):
            again.objects.read(place, sha256=sha256)
        (outcome,) = again.send(data)
        assert outcome.disposition is Disposition.HEALED
        for place, sha256, xxh3 in places(again):
            again.objects.verify(place, sha256, xxh3)
        assert not any(row["state"] for row in again.rows("object"))


@pytest.mark.parametrize("what", ["an object", "the record of a reception"])
def test_in_a_segment_that_is_still_open_exactly_the_damaged_object_is_named(
    house: House, what: str
) -> None:
    data = image(PatientComments="middle of it")
    house.send(image(), data, image(), image())
    (key,) = segments_of(house.backend)
    flip(house.backend, key, b"middle of it" if what == "an object" else b'"received"')
    scrub = Scrub(house.index, house.objects, kept(house), days=90, rate=0)
    (found,) = [each for each in scrub.now(CALLER) if not each.checked.good]
    bad = (hashlib.sha256(data).hexdigest(),) if what == "an object" else ()
    assert found.objects == bad
    for place, sha256, xxh3 in places(house):
        if sha256.hex() not in bad:
            house.objects.verify(place, sha256, xxh3)


def test_damage_in_every_copy_but_at_different_places_loses_nothing(house: House) -> None:
    house.send(image(PatientComments="one of them"), image(PatientComments="other of them"))
    seal(house)
    work(house, kept(house))
    (key,) = segments_of(house.backend)
    flip(house.backend, key, b"one of them")
    flip(house.further["far"], key, b"other of them")
    with opened(house.index, house.folder, house.backend, house.further) as again:
        scrub = Scrub(again.index, again.objects, kept(again), days=90, rate=0)
        found = [each.mended for each in scrub.now(CALLER) if each.mended]
        assert sum(each.moved for each in found) >= 1
        assert not any(each.lost for each in found)
        for place, sha256, xxh3 in places(again):
            again.objects.verify(place, sha256, xxh3)


def test_a_copy_is_given_up_only_where_enough_verified_ones_stay(house: House) -> None:
    house.send(image())
    seal(house)
    custody = Custody(house.index, house.objects, kept(house))
    (stays,) = custody.evacuate(CALLER, "main", keep=1)
    assert "0 other verified copies" in stays.refused
    work(house, kept(house))
    (would,) = custody.evacuate(CALLER, "main", keep=1, dry_run=True)
    assert not would.refused
    assert segments_of(house.backend)
    (gone,) = custody.evacuate(CALLER, "main", keep=1)
    assert not gone.refused
    assert not segments_of(house.backend)
    for place, sha256, xxh3 in places(house):
        house.objects.verify(place, sha256, xxh3)
    (last,) = custody.evacuate(CALLER, "far", keep=1)
    assert last.refused


def test_a_removal_that_was_interrupted_is_finished(house: House) -> None:
    house.send(image())
    seal(house)
    work(house, kept(house))
    segment = held(house)["main"].segment
    house.index.transact(lambda session: copies.leave(session, segment, "main"))
    assert kept(house).finish_drops() == 1
    assert list(held(house)) == ["far"]
    assert not segments_of(house.backend)


def test_what_a_killed_copy_left_is_replaced(house: House) -> None:
    house.send(image())
    seal(house)
    (key,) = segments_of(house.backend)
    house.further["far"].put_new(key, [b"half of it"])
    work(house, kept(house))
    assert segments_of(house.further["far"]) == segments_of(house.backend)


def test_the_sweep_finds_what_lacks_copies(house: House) -> None:
    house.send(image())
    seal(house)
    Jobs(house.index, {REPLICATE: lambda job: None}).run_once()  # as where no copy was wanted
    assert all(row["kind"] != REPLICATE for row in house.rows("job"))
    assert kept(house).sweep() == 1
    work(house, kept(house))
    assert kept(house).sweep() == 0


def test_a_store_that_is_away_refuses_rather_than_to_forget(house: House) -> None:
    house.send(image())
    seal(house)
    work(house, kept(house))
    segment = held(house)["main"].segment
    for key in contents(house.backend):
        house.backend.delete(key)  # as an unmounted disk looks
    kept(house).repair(Job(1, REPAIR, f"{segment}@main", 1, 0))
    assert [row["subject"] for row in house.rows("job") if row["kind"] == REPAIR] == [
        f"{segment}@main"
    ], "it is to be asked again"
    for place, sha256, xxh3 in places(house):
        house.objects.verify(place, sha256, xxh3)
    assert held(house)["main"].state is CopyState.GOOD
    assert segment_key(segment) in contents(house.further["far"])


def test_a_segment_that_is_being_written_is_closed_before_its_copy_is_replaced(
    index: Index, tmp_path: Path
) -> None:
    """Or else what its writer adds would be missing in a copy that counts as good."""
    far = MemoryBackend()
    with opened(index, tmp_path, further={"far": far}, ack_copies=2) as house:
        house.send(image(PatientComments="middle of it"))
        (key,) = segments_of(house.backend)
        flip(house.backend, key, b"middle of it")
        segment = held(house)["main"].segment
        house.objects.forget(segment)
        kept(house).repair(Job(1, REPAIR, f"{segment}@main", 1, 0))
        house.send(*[image() for _ in range(5)])
        assert len(segments_of(house.backend)) == len(segments_of(far)) == 2
        custody = Custody(house.index, house.objects, kept(house))
        assert not any(each.refused for each in custody.evacuate(CALLER, "far", keep=1))
        for place, sha256, xxh3 in places(house):
            house.objects.verify(place, sha256, xxh3)


def test_what_is_given_up_while_it_is_written_loses_nothing(index: Index, tmp_path: Path) -> None:
    far = MemoryBackend()
    with opened(index, tmp_path, further={"far": far}, ack_copies=2) as house:
        house.send(image())
        custody = Custody(house.index, house.objects, kept(house))
        (given,) = custody.evacuate(CALLER, "main", keep=1)
        assert not given.refused
        house.send(*[image() for _ in range(3)])
        for place, sha256, xxh3 in places(house):
            house.objects.verify(place, sha256, xxh3)
        assert len({row["name"] for row in house.rows("segment")}) == 2


class Scratched(MemoryBackend):
    """Cannot read what lies around `scratch`, as a disk with bad sectors."""

    scratch = b""

    def open(self, key: str) -> MemoryReader:
        reader = super().open(key)
        real, scratch = reader.read, self.scratch

        def read(offset: int, length: int) -> bytes:
            data = real(offset, length)
            if scratch and scratch in data:
                raise BackendError(key, "input/output error")
            return data

        reader.read = read  # type: ignore[method-assign]
        return reader


def test_what_cannot_be_read_is_repaired_and_scrubbing_goes_on(
    index: Index, tmp_path: Path
) -> None:
    near = Scratched()
    with opened(index, tmp_path, backend=near, further={"far": MemoryBackend()}) as house:
        data = image(PatientComments="under the scratch")
        house.send(image(), data)
        seal(house)
        work(house, kept(house))
    with opened(index, tmp_path, backend=near, further=house.further) as house:
        house.send(image())
        seal(house)
        near.scratch = b"under the scratch"
        scrub = Scrub(house.index, house.objects, kept(house), days=90, rate=0)
        found = list(scrub.now(CALLER, repair=False))
        assert len(found) == 3, "scrubbing ended at the copy that cannot be read"
        (bad,) = [each for each in found if not each.checked.good]
        assert bad.copy.store == "main"
        assert bad.objects == (hashlib.sha256(data).hexdigest(),)


def test_one_store_that_is_away_does_not_keep_others_waiting(index: Index, tmp_path: Path) -> None:
    far = MemoryBackend()
    with opened(index, tmp_path, further={"far": far, "third": MemoryBackend()}) as house:
        house.send(image())
        seal(house)
        segment = held(house)["main"].segment
        marker = contents(far)["vna.json"]
        far.delete("vna.json")
        jobs_of = Jobs(house.index, {REPLICATE: kept(house).replicate})
        assert jobs_of.run_once() == 1
        waiting = [row for row in house.rows("job") if row["kind"] == REPLICATE]
        assert [row["subject"] for row in waiting] == [segment]
        assert waiting[0]["not_before"] > waiting[0]["created_at"]
        far.put_new("vna.json", [marker])
        kept(house).replicate(Job(1, REPLICATE, segment, 1, 0))
        assert segments_of(far) == segments_of(house.backend)


def test_what_has_no_good_copy_is_not_to_be_replicated(house: House) -> None:
    house.send(image(PatientComments="middle of it"))
    seal(house)
    (key,) = segments_of(house.backend)
    flip(house.backend, key, b"middle of it")
    segment = held(house)["main"].segment
    kept(house).replicate(Job(1, REPLICATE, segment, 1, 0))
    kept(house).replicate(Job(1, REPLICATE, segment, 1, 0))
    assert held(house)["main"].state is CopyState.DAMAGED
    assert kept(house).sweep() == 0


def test_what_somebody_else_found_damaged_just_now_is_named_too(house: House) -> None:
    """The server's worker looks at a copy while an administrator scrubs."""
    data = image(PatientComments="middle of it")
    house.send(data)
    seal(house)
    (key,) = segments_of(house.backend)
    flip(house.backend, key, b"middle of it")
    segment = held(house)["main"].segment
    scrub = Scrub(house.index, house.objects, kept(house), days=90, rate=0)
    found = scrub.now(CALLER)
    kept(house).repair(Job(1, REPAIR, f"{segment}@main", 1, 0))
    house.index.transact(
        lambda session: session.execute(
            text("UPDATE segment_copy SET verified_at = verified_at + 60000")
        )
    )
    (named,) = found
    assert named.objects == (hashlib.sha256(data).hexdigest(),)


def test_what_a_power_cut_left_of_a_batch_is_no_damage(house: House) -> None:
    """Its end may be on the disk without its beginning; nobody was told that it is stored."""
    house.send(image())
    (key,) = segments_of(house.backend)
    data = segments_of(house.backend)[key]
    (place, _, _) = places(house)[0]
    record = data[data.rindex(b"VNAR", 0, place.offset) : place.offset + place.length]
    house.backend.delete(key)
    house.backend.put_new(key, [data, bytes(300), record])
    scrub = Scrub(house.index, house.objects, kept(house), days=90, rate=0)
    assert [each.checked.good for each in scrub.now(CALLER)] == [True]

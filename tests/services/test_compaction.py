"""The space of what was purged is given back, and nothing else is lost, even if broken off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from storage_backends.base import BackendError, Buffer
from storage_backends.memory import MemoryBackend
from tests.services.desk import Desk, image
from tests.services.house import CALLER, House, opened
from tests.services.test_copies import held, kept, segments_of, work
from tests.services.test_copies import places as all_places
from vna.errors import StorageUnavailable
from vna.index import copies
from vna.index.engine import Index
from vna.index.purge import PURGED_OBJECT
from vna.model.archive import Place
from vna.services.compaction import COMPACT, REMOVE, SHARE, Compaction
from vna.services.fsck import Fsck
from vna.services.jobs import Jobs
from vna.services.moving import Moving
from vna.services.row_log import RowLog

SECRET = "nobody should read this again"


@pytest.fixture
def house(index: Index, tmp_path: Path) -> Iterator[House]:
    with opened(index, tmp_path, further={"far": MemoryBackend()}, ack_copies=2) as made:
        yield made


def places(house: House) -> list[tuple[Place, bytes, bytes]]:
    """Where everything lies that was not purged."""
    live = {row["sha256"] for row in house.rows("object") if row["state"] != PURGED_OBJECT}
    return [each for each in all_places(house) if each[1] in live]


def compaction(house: House) -> Compaction:
    moving = Moving(house.index, house.objects, house.ingest.committer.submit)
    return Compaction(house.index, moving, kept(house))


def purged(house: House, study: str) -> None:
    desk = Desk(house)
    entry = desk.trash.put(CALLER, "not ours", study_uid=study)
    desk.trash.purge(CALLER, dry_run=False, ignore_grace=True, id=entry.id, reason="by law")
    desk.close()


def filled(house: House) -> None:
    """Six studies in one segment, two of them purged."""
    for n in range(6):
        house.send(image(f"1.2.{n}.1.1", f"P{n}", PatientComments=f"{SECRET} {n}"))
    purged(house, "1.2.1")
    purged(house, "1.2.4")


def check(house: House) -> None:
    """Everything that was not purged is there, in both stores, and nothing does not fit."""
    stored = places(house)
    assert len(stored) == 4
    for store in house.objects.stores.values():
        for place, sha256, xxh3 in stored:
            assert store.payload(place, sha256, xxh3)
    fsck = Fsck(house.index, house.objects, wait=lambda seconds: None)
    assert list(fsck.run(CALLER, full=True)) == []


def readable(house: House, text: str) -> bool:
    backends = [house.backend, *house.further.values()]
    return any(text.encode() in data for each in backends for data in segments_of(each).values())


def test_no_purged_byte_is_left_in_any_store(house: House) -> None:
    filled(house)
    assert readable(house, f"{SECRET} 1")
    (found,) = compaction(house).plan(CALLER)
    assert found.dead >= SHARE * (found.live + found.dead)
    (done,) = compaction(house).run(CALLER, now=True)
    assert (done.moved, done.left) == (4, 0)
    assert not readable(house, f"{SECRET} 1")
    assert not readable(house, f"{SECRET} 4")
    assert readable(house, f"{SECRET} 2")
    assert compaction(house).plan(CALLER, 0) == []
    check(house)


def test_readers_have_a_day_before_the_old_bytes_go(house: House) -> None:
    filled(house)
    before = places(house)
    (done,) = compaction(house).run(CALLER)
    assert done.moved == 4
    for place, sha256, xxh3 in before:  # as those who looked it up before read it
        assert house.objects.checked(place, sha256=sha256, xxh3=xxh3)
    (job,) = [row for row in house.rows("job") if row["kind"] == REMOVE]
    assert job["not_before"] - job["created_at"] == 24 * 3600 * 1000
    check(house)


def test_little_waste_is_left_where_it_is_until_it_is_asked_for(house: House) -> None:
    for n in range(6):
        house.send(image(f"1.2.{n}.1.1", f"P{n}"))
    purged(house, "1.2.1")
    assert compaction(house).plan(CALLER) == []
    assert compaction(house).sweep() == 0
    assert len(compaction(house).plan(CALLER, 0)) == 1


def test_the_worker_does_it_by_itself(house: House) -> None:
    filled(house)
    made = compaction(house)
    assert made.sweep() == 1
    jobs = Jobs(house.index, {COMPACT: made.compact, REMOVE: made.remove})
    assert jobs.run_once() == 1
    check(house)
    assert readable(house, f"{SECRET} 1"), "the old segment went before its time"


def test_a_segment_that_lost_everything_goes_without_a_copy_of_anything(house: House) -> None:
    for n in range(2):
        house.send(image(f"1.2.{n}.1.1", f"P{n}"))
    purged(house, "1.2.0")
    purged(house, "1.2.1")
    before = len(segments_of(house.backend))
    (done,) = compaction(house).run(CALLER, now=True)
    assert done.moved == 0
    assert len(segments_of(house.backend)) <= before


def test_what_is_damaged_everywhere_keeps_its_segment(index: Index, tmp_path: Path) -> None:
    with opened(index, tmp_path) as house:
        filled(house)
        (key,) = segments_of(house.backend)
        reader = house.backend.open(key)
        data = bytearray(reader.read(0, reader.size()))
        data[data.index(f"{SECRET} 2".encode())] ^= 1
        house.backend.delete(key)
        house.backend.put_new(key, [data])
        house.objects.forget(key.rpartition("/")[2].removesuffix(".vseg"))
        (done,) = compaction(house).run(CALLER, now=True)
        assert (done.moved, done.left) == (3, 1)
        assert key in segments_of(house.backend)


def test_what_is_purged_while_it_is_moved_stays_purged(house: House) -> None:
    filled(house)
    with house.index.reading() as session:
        lying = copies.lying_in(session, held(house)["main"].segment)
    purged(house, "1.2.2")
    moving = Moving(house.index, house.objects, house.ingest.committer.submit)
    assert moving.move(held(house)["main"].segment, lying, raw=False) == []
    assert len(places(house)) == 3
    assert [row["state"] for row in house.rows("object")].count(2) == 3


class Breaking(MemoryBackend):
    """Fails for good at the n-th write or removal, as if the process had died there."""

    left = -1

    def _step(self, key: str) -> None:
        if self.left == 0:
            raise BackendError(key, "the power is out")
        self.left -= 1

    def delete(self, key: str) -> None:
        self._step(key)
        super().delete(key)

    def put_new(self, key: str, buffers: Sequence[Buffer]) -> None:
        self._step(key)
        super().put_new(key, buffers)


@pytest.mark.parametrize("steps", range(4))
def test_broken_off_anywhere_it_goes_on_and_nothing_is_lost(
    index: Index, tmp_path: Path, steps: int
) -> None:
    far = Breaking()
    with opened(index, tmp_path, further={"far": far}, ack_copies=2) as house:
        filled(house)
        far.left = steps
        try:
            list(compaction(house).run(CALLER, now=True))
        except StorageUnavailable:
            assert len(places(house)) == 4
        far.left = -1
    with opened(index, tmp_path, backend=house.backend, further={"far": far}) as again:
        made = compaction(again)
        list(made.run(CALLER, now=True))
        work(again, kept(again))
        Jobs(index, {REMOVE: made.remove}).run_once()
        kept(again).finish_drops()
        check(again)
        assert not readable(again, f"{SECRET} 1")


def test_what_was_compacted_is_in_the_log(house: House) -> None:
    filled(house)
    list(compaction(house).run(CALLER, now=True))
    assert RowLog(house.index, house.objects).write() > 0

from __future__ import annotations

import errno
from collections.abc import Sequence
from concurrent.futures import Future

import pytest

from storage_backends.base import Capabilities
from storage_backends.local import LocalBackend
from storage_backends.memory import MemoryBackend
from tests.objects.archive import append_of, content_of, only, placed
from tests.objects.simfs import SimFS
from vna.errors import Conflict, IndexUnavailable, StorageUnavailable
from vna.model.archive import Place
from vna.objects import GroupCommit, MountedStore, RecordType, Scan, Target, Targets, Unit
from vna.objects.layout import SEGMENTS, segment_key, ulid_of
from vna.objects.segment import footer

Units = Sequence[Unit[Place]]
PlacedUnits = Sequence[tuple[Unit[Place], Sequence[Place]]]


def unit(number: int = 0, length: int = 1000) -> Unit[Place]:
    return Unit((append_of(content_of(number, length)),))


def segments(backend: MemoryBackend | LocalBackend) -> list[str]:
    return [ulid_of(found.key) for found in backend.list(SEGMENTS)]


def test_a_batch_is_one_append_one_sync_and_one_transaction() -> None:
    disk = SimFS()
    backend = LocalBackend("/store", disk)
    batches: list[int] = []

    def transact(units: PlacedUnits) -> None:
        batches.append(len(units))
        placed(units)

    group = GroupCommit[Place](only(backend), None, transact)
    group.commit([unit()])
    before = len(disk.steps)
    group.commit([unit(number) for number in range(50)])
    assert disk.steps[before:] == ["append", "fdatasync"]
    assert batches == [1, 50]


def test_the_first_batch_of_a_segment_syncs_its_name_too() -> None:
    disk = SimFS()
    backend = LocalBackend("/store", disk)
    group = GroupCommit[Place](only(backend), None, placed)
    group.commit([unit()])
    assert disk.steps[-4:] == ["create", "append", "fsync", "fsync_directory"]


def test_a_unit_may_hold_several_records_or_none() -> None:
    backend = MemoryBackend()
    seen: list[int] = []

    def transact(units: PlacedUnits) -> None:
        for one, places in units:
            seen.append(len(places))
            one.resolve(Place("", 0, 0))

    group = GroupCommit[Place](only(backend), None, transact)
    append = append_of(b"x")
    group.commit([Unit((append, append, append)), Unit(), Unit((append,))])
    assert seen == [3, 0, 1]


def test_units_without_records_touch_no_store() -> None:
    backend = MemoryBackend()

    def transact(units: PlacedUnits) -> None:
        for one, _ in units:
            one.resolve(Place("", 0, 0))

    empty = Unit[Place]()
    GroupCommit[Place](only(backend), None, transact).commit([empty])
    assert empty.future.result(0) == Place("", 0, 0)
    assert list(backend.list()) == []


def test_a_plan_answers_what_need_not_be_written() -> None:
    backend = MemoryBackend()
    known = Place("01JD0000000000000000000000", 1, 2)

    def plan(units: Units) -> Units:
        for one in units[1:]:
            one.resolve(known)
        units[0].appends = (*units[0].appends, append_of(b"a frame table"))
        return units[:1]

    group = GroupCommit[Place](only(backend), plan, placed)
    units = [unit(), unit(), unit()]
    group.commit(units)
    assert [one.future.result(0) == known for one in units] == [False, True, True]
    (segment,) = segments(backend)
    assert len(list(Scan(backend.open(segment_key(segment)), segment))) == 3


def test_a_plan_that_keeps_nothing_writes_nothing() -> None:
    backend = MemoryBackend()

    def plan(units: Units) -> Units:
        for one in units:
            one.fail(Conflict())
        return []

    one = unit()
    GroupCommit[Place](only(backend), plan, placed).commit([one])
    with pytest.raises(Conflict):
        one.future.result(0)
    assert list(backend.list()) == []


def test_an_error_of_the_plan_fails_the_batch_before_anything_is_written() -> None:
    backend = MemoryBackend()

    def plan(units: Units) -> Units:
        raise IndexUnavailable

    one = unit()
    GroupCommit[Place](only(backend), plan, placed).commit([one])
    with pytest.raises(IndexUnavailable):
        one.future.result(0)
    assert list(backend.list()) == []


def test_one_unit_can_fail_without_the_others() -> None:
    def transact(units: PlacedUnits) -> None:
        placed(units)
        units[1][0].fail(Conflict("another patient"))

    units = [unit(), unit(), unit()]
    GroupCommit[Place](only(MemoryBackend()), None, transact).commit(units)
    assert [one.future.exception(0) is None for one in units] == [True, False, True]


def test_a_unit_that_nobody_answered_fails() -> None:
    one = unit()
    GroupCommit[Place](only(MemoryBackend()), None, lambda units: None).commit([one])
    with pytest.raises(RuntimeError, match="without an answer"):
        one.future.result(0)


def test_a_transaction_that_fails_leaves_orphans_and_the_segment_goes_on() -> None:
    backend = MemoryBackend()
    fails = [True]

    def transact(units: PlacedUnits) -> None:
        placed(units)
        if fails.pop():
            raise IndexUnavailable("away")

    group = GroupCommit[Place](only(backend), None, transact)
    first, second = unit(1), unit(2)
    group.commit([first])
    fails.append(False)
    group.commit([second])
    with pytest.raises(IndexUnavailable):
        first.future.result(0)
    place = second.future.result(0)
    assert segments(backend) == [place.segment]
    assert stored_at(backend, place) == content_of(2, 1000)


def stored_at(backend: MemoryBackend | LocalBackend, place: Place) -> bytes:
    reader = backend.open(segment_key(place.segment))
    return reader.read(place.offset, place.length)


def test_futures_complete_only_after_the_transaction_returned() -> None:
    states: list[bool] = []

    def transact(units: PlacedUnits) -> None:
        placed(units)
        states.extend(one.future.done() for one, _ in units)

    GroupCommit[Place](only(MemoryBackend()), None, transact).commit([unit(), unit()])
    assert states == [False, False]


def test_a_cancelled_future_harms_nobody() -> None:
    units = [unit(), unit()]
    units[0].future.cancel()
    GroupCommit[Place](only(MemoryBackend()), None, placed).commit(units)
    assert units[0].future.cancelled()
    assert units[1].future.result(0).length == 1000


@pytest.mark.parametrize("step", ["append", "fdatasync"])
def test_after_an_error_the_batch_goes_to_a_new_segment_and_the_old_one_is_left(step: str) -> None:
    disk = SimFS()
    backend = LocalBackend("/store", disk)
    group = GroupCommit[Place](only(backend), None, placed)
    first, second, third = unit(1), unit(2), unit(3)
    group.commit([first])
    disk.faults = {len(disk.steps) + (step == "fdatasync"): errno.EIO}
    group.commit([second])
    group.commit([third])
    places = [one.future.result(0) for one in (first, second, third)]
    assert places[0].segment != places[1].segment == places[2].segment
    assert [stored_at(backend, place) for place in places] == [
        content_of(number, 1000) for number in (1, 2, 3)
    ]
    assert set(segments(backend)) == {place.segment for place in places}


def test_a_second_error_is_told_and_the_next_batch_tries_again() -> None:
    disk = SimFS()
    backend = LocalBackend("/store", disk)
    group = GroupCommit[Place](only(backend), None, placed)
    group.commit([unit(1)])
    before = segments(backend)
    now = len(disk.steps)
    disk.faults = dict.fromkeys((now, now + 2), errno.EIO)  # append; create, append
    failed, works = unit(2), unit(3)
    group.commit([failed])
    with pytest.raises(StorageUnavailable):
        failed.future.result(0)
    assert segments(backend) == before  # what was never durable is removed
    group.commit([works])
    assert works.future.result(0).segment not in before


def test_a_full_store_is_told_and_works_again_once_there_is_room() -> None:
    disk = SimFS()
    backend = LocalBackend("/store", disk)
    group = GroupCommit[Place](only(backend), None, placed)
    group.commit([unit(1)])
    disk.capacity = disk.used() + 500
    failed, small, works = unit(2), unit(3, 10), unit(4)
    group.commit([failed])
    with pytest.raises(StorageUnavailable, match="full"):
        failed.future.result(0)
    disk.capacity += 10_000
    group.commit([small, works])
    assert stored_at(backend, works.future.result(0)) == content_of(4, 1000)


def test_an_unforeseen_error_while_writing_leaves_no_half_batch_behind() -> None:
    backend = MemoryBackend()
    group = GroupCommit[Place](only(backend), None, placed)
    broken: Unit[Place] = Unit((append_of(b"x"), "no append"))  # type: ignore[arg-type]
    group.commit([unit(1), broken])
    with pytest.raises(AttributeError):
        broken.future.result(0)
    works = unit(2)
    group.commit([works])
    group.seal()
    (segment,) = segments(backend)
    records = list(Scan(backend.open(segment_key(segment)), segment))
    assert [record.header.type for record in records] == [
        RecordType.SEGMENT,
        RecordType.OBJECT,
        RecordType.FOOTER,
    ]


def test_a_full_segment_is_sealed_and_a_new_one_begun() -> None:
    backend = MemoryBackend()
    group = GroupCommit[Place](only(backend), None, placed, rotate_bytes=2000)
    units = [unit(number) for number in range(5)]
    for one in units:
        group.commit([one])
    used = list(dict.fromkeys(one.future.result(0).segment for one in units))
    assert len(used) == 3
    sealed = [footer(backend.open(segment_key(segment)), segment) is not None for segment in used]
    assert sealed == [True, True, False]
    group.seal()
    assert footer(backend.open(segment_key(used[-1])), used[-1]) is not None


def test_the_order_of_reception_rises_over_segments() -> None:
    backend = MemoryBackend()
    group = GroupCommit[Place](only(backend), None, placed, rotate_bytes=3000)
    units = [unit(number) for number in range(20)]
    for first in range(0, 20, 4):
        group.commit(units[first : first + 4])
    order = {
        record.place: record.header.sequence
        for segment in segments(backend)
        for record in Scan(backend.open(segment_key(segment)), segment)
    }
    sequences = [order[one.future.result(0)] for one in units]
    assert sequences == sorted(set(sequences))


class SealedIsDurable(MemoryBackend):
    """A backend like S3: nothing is durable, or to be seen, before it is sealed."""

    capabilities = Capabilities(append=False)


def test_where_only_sealed_is_durable_each_batch_is_a_segment() -> None:
    backend = SealedIsDurable()
    group = GroupCommit[Place](only(backend), None, placed)
    units = [unit(number) for number in range(3)]
    for one in units:
        group.commit([one])
    for one in units:
        segment = one.future.result(0).segment
        assert footer(backend.open(segment_key(segment)), segment) is not None
    assert len(segments(backend)) == 3


def test_callbacks_see_the_answer() -> None:
    seen: list[Future[Place]] = []
    one = unit()
    one.future.add_done_callback(seen.append)
    GroupCommit[Place](only(MemoryBackend()), None, placed).commit([one])
    assert seen == [one.future]


def test_a_segment_names_its_owner_and_store() -> None:
    backend = MemoryBackend()
    identity = MountedStore("main", backend).identity
    group = GroupCommit[Place](only(backend, identity), None, placed, owner="node-1/77")
    group.commit([unit()])
    (segment,) = segments(backend)
    reader = backend.open(segment_key(segment))
    data = reader.read(0, reader.size())
    assert b'"owner": "node-1/77"' in data
    assert identity.encode() in data


class Decision(Unit[Place]):
    """What is made even where nothing new is taken."""

    uses_reserve = True


def test_the_reserve_is_left_by_objects_and_used_by_decisions() -> None:
    backend = MemoryBackend(capacity=10_000)
    targets = Targets([Target("main", backend)], reserve=5_000)
    group = GroupCommit[Place](targets, None, placed)
    first, large, decision = unit(1), unit(2, 9_000), Decision((append_of(b"decided"),))
    group.commit([first])
    group.commit([large, decision])
    with pytest.raises(StorageUnavailable, match="full"):
        large.future.result(0)
    assert decision.future.result(0).segment == first.future.result(0).segment
    group.seal()
    again = unit(3, 3_900)
    group.commit([again])
    with pytest.raises(StorageUnavailable, match="full"):
        again.future.result(0)
    assert len(segments(backend)) == 1, "what finds no room begins no segment"


def test_a_segment_goes_on_in_the_next_store_where_its_own_has_no_room_left() -> None:
    near, far = MemoryBackend(capacity=10_000), MemoryBackend()
    targets = Targets([Target("near", near), Target("far", far)], reserve=2_000)
    group = GroupCommit[Place](targets, None, placed)
    units = [unit(number, 3_000) for number in range(4)]
    for each in units:
        group.commit([each])
    assert [each.future.result(0).stores for each in units] == [("near",)] * 2 + [("far",)] * 2
    (sealed,) = segments(near)
    assert footer(near.open(segment_key(sealed)), sealed) is not None

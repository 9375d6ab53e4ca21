"""What a dead process left half written is removed after a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from storage_backends.memory import MemoryBackend
from tests.services.house import House
from tests.services.test_copies import flip
from tests.services.test_ingest import image
from vna.objects import ObjectStore, RecordNames
from vna.objects.layout import segment_key
from vna.objects.ulid import new_ulid
from vna.services.strays import remove_strays


def test_only_unfinished_files_of_long_ago_are_removed(house: House) -> None:
    objects = ObjectStore.of(MemoryBackend())
    finished, unfinished = objects.create_raw(), objects.create_raw()
    for each in (finished, unfinished):
        each.write(b"bytes")
    place = finished.finish(bytes(32), bytes(16), RecordNames(1))
    now = datetime.now(UTC)
    assert remove_strays(house.index, objects, now) == 0
    assert [stray.segment for stray in objects.strays()] == [unfinished.segment]
    assert remove_strays(house.index, objects, now + timedelta(days=2)) == 1
    assert objects.strays() == []
    assert objects.read(place, 0, 3) == b"byt"


def test_segments_without_a_record_are_removed_and_no_others(house: House) -> None:
    house.send(image())
    (known,) = [each.key for each in house.backend.list("seg")]
    flip(house.backend, known, b"owner")  # in its first record: damaged, but known
    torn = {new_ulid(): bytes(length) for length in (0, 10, 250)}
    for name, content in torn.items():
        house.backend.put_new(segment_key(name), [content])
    house.backend.put_new("seg/not-ours.vseg", [b""])
    objects, now = house.objects, datetime.now(UTC)
    assert remove_strays(house.index, objects, now) == 0
    assert remove_strays(house.index, objects, now + timedelta(days=2)) == len(torn)
    assert [each.key for each in house.backend.list("seg")] == [known, "seg/not-ours.vseg"]

"""What a dead process left half written is removed after a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from storage_backends.memory import MemoryBackend
from vna.objects import ObjectStore, RecordNames
from vna.services.strays import remove_strays


def test_only_unfinished_files_of_long_ago_are_removed() -> None:
    objects = ObjectStore.of(MemoryBackend())
    finished, unfinished = objects.create_raw(), objects.create_raw()
    for each in (finished, unfinished):
        each.write(b"bytes")
    place = finished.finish(bytes(32), bytes(16), RecordNames(1))
    now = datetime.now(UTC)
    assert remove_strays(objects, now) == 0
    assert [stray.segment for stray in objects.strays()] == [unfinished.segment]
    assert remove_strays(objects, now + timedelta(days=2)) == 1
    assert objects.strays() == []
    assert objects.read(place, 0, 3) == b"byt"

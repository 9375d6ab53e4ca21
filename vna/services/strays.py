"""Raw files of uploads that ended with their process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from vna.objects import ObjectStore
from vna.objects.ulid import made_at

# No upload takes so long: 5 GB in a day is 0.5 Mbit/s, and servers cut idle connections.
GIVEN_UP = timedelta(days=1)


def remove_strays(objects: ObjectStore, now: datetime | None = None) -> int:
    """Remove unfinished raw files begun more than a day before `now` (UTC); how many there were.

    What was acknowledged is never among them: it has its header beside it. Raises
    `StorageUnavailable`.
    """
    before = (now or datetime.now(UTC)) - GIVEN_UP
    old = [stray for stray in objects.strays() if made_at(stray.segment) < before]
    for stray in old:
        objects.remove_raw(stray.segment)
    return len(old)

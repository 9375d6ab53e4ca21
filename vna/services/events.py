"""Events in the stores: what bytes do not tell, written before it is acknowledged.

Format: docs/formats-objects.md, "Event".
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from storage_backends.base import BackendError
from vna.errors import Damaged, StorageUnavailable
from vna.model.archive import Place
from vna.objects import Append, MountedStore, RecordType
from vna.objects.examine import survey
from vna.objects.layout import SEGMENTS, segment_key, ulid_of
from vna.objects.targets import storage_unavailable
from vna.objects.ulid import made_at, new_ulid
from vna.services.journal import Stamp, event_of
from vna.services.reception import Reception

RECEIVED = "received"
DOCUMENT = "document"
GROWS = timedelta(hours=2)  # longer than a segment is written to


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it was written; `at`: ms since 1970 UTC. See docs/formats-objects.md."""

    segment: str
    kind: str
    operation: str
    at: int
    actor: str
    partition: int
    reason: str
    data: Mapping[str, Any]


def received_event(reception: Reception, issuer: str, objects: Sequence[bytes]) -> Append:
    """Who brought some objects, by SHA-256, and how they are to be taken in. `issuer`: of
    identifiers that name none. Its time is that of this machine's clock."""
    caller = reception.caller
    data: dict[str, Any] = {
        "source": reception.source,
        "peer": reception.peer,
        "path": reception.path,
        "organisation": reception.organisation.code,
        "issuer": issuer,
        "policy": reception.policy.value,
        "objects": [each.hex() for each in objects],
    }
    if reception.coercions:
        data["coercions"] = [[each.path, each.value] for each in reception.coercions]
    stamp = Stamp(new_ulid(), time.time_ns() // 1_000_000, caller.name, "")
    return event_of(caller, RECEIVED, stamp, data)


def events(
    stores: Sequence[MountedStore], first: datetime, last: datetime | None = None
) -> Iterator[Event]:
    """The events that were written from `first` to `last` (UTC), and perhaps some around them.

    Those of one segment are in their order, and come once however many stores hold it. Raises
    `StorageUnavailable`.
    """
    end = (last or datetime.now(UTC)) + timedelta(days=1)
    seen: set[tuple[str, int]] = set()
    day = first - GROWS
    while day.date() <= end.date():
        for store in stores:
            for segment in _segments(store, f"{SEGMENTS}/{day:%Y/%m/%d}"):
                if first - GROWS <= made_at(segment) <= end:
                    yield from _of(store, segment, seen)
        day += timedelta(days=1)


def _segments(store: MountedStore, prefix: str) -> list[str]:
    found = []
    try:
        for each in store.backend.list(prefix):
            try:
                name = ulid_of(each.key)
            except ValueError:
                continue
            if each.key == segment_key(name):
                found.append(name)
    except BackendError as error:
        raise storage_unavailable(error) from error
    return found


def _of(store: MountedStore, segment: str, seen: set[tuple[str, int]]) -> Iterator[Event]:
    try:
        records = survey(store.backend, segment, raw=False)
    except BackendError:
        return  # another store may have it
    for each in records:
        lies = segment, each.offset
        if each.type is not RecordType.EVENT or lies in seen:
            continue
        try:
            payload = store.payload(Place(segment, each.offset, each.length), each.sha256)
        except (Damaged, StorageUnavailable):
            continue
        seen.add(lies)
        said = orjson.loads(payload)
        yield Event(
            segment,
            said["kind"],
            said["operation"],
            said["at"],
            said["actor"],
            said["partition"],
            said["reason"],
            said["data"],
        )

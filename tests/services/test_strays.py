"""What a dead process left half written is removed after a day."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from tests.services.house import House
from tests.services.test_ingest import image
from vna.objects.layout import meta_key, raw_key, segment_key
from vna.objects.ulid import encode, new_ulid
from vna.services.strays import UNCHANGED_SECONDS, Strays


class Clock:
    """Moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def long_ago() -> str:
    """A name that was made two days ago."""
    moment = datetime.now(UTC) - timedelta(days=2)
    return encode(int(moment.timestamp() * 1000).to_bytes(6, "big") + os.urandom(10))


def test_only_unfinished_files_of_long_ago_are_removed(house: House, clock: Clock) -> None:
    finished, unfinished, today = long_ago(), long_ago(), new_ulid()
    for name in (finished, unfinished, today):
        house.backend.put_new(raw_key(name), [b"bytes"])
    house.backend.put_new(meta_key(finished), [b"its header"])
    strays = Strays(house.index, house.objects, clock=clock)
    assert strays.remove() == 0
    clock.now = UNCHANGED_SECONDS
    assert strays.remove() == 1
    clock.now = 10 * UNCHANGED_SECONDS
    assert strays.remove() == 0
    left = {each.key for each in house.backend.list("big")}
    assert left == {raw_key(finished), meta_key(finished), raw_key(today)}


def test_what_grows_stays_whatever_its_writer_says_the_time_is(house: House, clock: Clock) -> None:
    key = raw_key(long_ago())
    strays = Strays(house.index, house.objects, clock=clock)
    for length in range(1, 6):
        house.backend.put_new(key, [bytes(length)])
        assert strays.remove() == 0
        clock.now += UNCHANGED_SECONDS
        house.backend.delete(key)
    house.backend.put_new(key, [bytes(5)])
    assert strays.remove() == 1


def test_segments_without_a_record_are_removed_and_no_others(house: House, clock: Clock) -> None:
    house.send(image())
    (fresh,) = [each.key for each in house.backend.list("seg")]
    known, left = long_ago(), [long_ago() for _ in range(3)]
    house.index.transact(
        lambda session: session.execute(text("UPDATE segment SET name = :name"), {"name": known})
    )
    for name, length in ((known, 200), *zip(left, (0, 10, 250), strict=True)):
        house.backend.put_new(segment_key(name), [bytes(length)])  # `known` is damaged
    house.backend.put_new("seg/not-ours.vseg", [b""])
    strays = Strays(house.index, house.objects, clock=clock)
    assert strays.remove() == 0
    clock.now = UNCHANGED_SECONDS
    assert strays.remove() == len(left)
    there = {each.key for each in house.backend.list("seg")}
    assert there == {fresh, segment_key(known), "seg/not-ours.vseg"}

"""The log in the stores: one chain of frames, whatever happened to its files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage_backends.memory import MemoryBackend
from vna.objects import MountedStore
from vna.objects.layout import log_key
from vna.objects.log_files import BrokenLog, Tidied, chain, files, newest_frame, put, tidy
from vna.objects.log_frame import BadFrame, Frame, decode, encode
from vna.objects.ulid import new_ulid


def frame(epoch: int, previous: str, *, at: int = 0, complete: bool = True) -> Frame:
    return Frame(new_ulid(), previous, epoch, "0010", at or epoch, epoch, complete, 1)


def line(each: Frame) -> bytes:
    return f"row of {each.epoch} in {each.frame}".encode() * 20


def written(stores: list[MountedStore], frames: int) -> list[Frame]:
    """A log of so many frames."""
    made: list[Frame] = []
    for epoch in range(1, frames + 1):
        each = frame(epoch, made[-1].frame if made else "")
        put(stores, each, encode(each, [line(each)]))
        made.append(each)
    return made


@pytest.fixture
def stores() -> list[MountedStore]:
    return [MountedStore(name, MemoryBackend()) for name in ("near", "far")]


def told(stores: list[MountedStore]) -> list[Frame]:
    """The frames of the chain; each must be readable."""
    found = chain(stores)
    assert all(list(each.lines()) == [line(each.frame)] for each in found)
    return [each.frame for each in found]


@given(st.lists(st.binary(max_size=50)), st.data())
def test_a_frame_is_what_was_written_or_nothing(lines: list[bytes], data: st.DataObject) -> None:
    lines = [each.replace(b"\n", b"") for each in lines]
    one = frame(3, "")
    encoded = encode(one, lines)
    found, again = decode(encoded)
    assert (found, b"\n".join(again)) == (one, b"\n".join(lines))
    at = data.draw(st.integers(0, len(encoded) - 1))
    if 5 <= at < 8:
        return  # reserved
    broken = bytearray(encoded)
    broken[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(BadFrame):
        decode(bytes(broken))
    with pytest.raises(BadFrame):
        decode(encoded[:at])


def test_frames_are_read_in_the_order_in_which_they_were_written(
    stores: list[MountedStore],
) -> None:
    assert chain(stores) == []
    assert newest_frame(stores) is None
    made = written(stores, 5)
    assert told(stores) == made
    assert newest_frame(stores) == made[-1]


def test_what_one_store_lacks_or_has_damaged_the_other_gives(stores: list[MountedStore]) -> None:
    made = written(stores, 6)
    near, far = (each.backend for each in stores)
    near.delete(log_key(2, 2, made[1].frame))
    for backend, spoilt in ((near, made[3]), (far, made[4])):
        key = log_key(spoilt.epoch, spoilt.epoch, spoilt.frame)
        data = bytearray(whole(backend, key))
        data[-1] ^= 1
        backend.delete(key)
        backend.put_new(key, [bytes(data)])
    assert told(stores) == made


def test_a_frame_that_no_store_has_is_named(stores: list[MountedStore]) -> None:
    made = written(stores, 4)
    for store in stores:
        store.backend.delete(log_key(2, 2, made[1].frame))
    with pytest.raises(BrokenLog, match="before frame 3"):
        chain(stores)


def test_of_two_frames_of_an_epoch_the_one_that_was_followed_counts(
    stores: list[MountedStore],
) -> None:
    made = written(stores, 2)
    late = frame(3, made[-1].frame, at=10)
    put(stores, late, encode(late, [line(late)]))
    assert told(stores) == [*made, late], "the newest at the end"
    followed = frame(3, made[-1].frame, at=5)
    after = frame(4, followed.frame)
    for each in (followed, after):
        put(stores, each, encode(each, [line(each)]))
    assert told(stores) == [*made, followed, after]
    tidy(stores, after.frame, 4, least=100, most=1 << 20)
    assert late.frame not in {each.frame for each in files(stores[0].backend)}
    assert told(stores) == [*made, followed, after]


@pytest.mark.parametrize("most", [1, 2000, 1 << 20])
def test_small_files_are_put_together_and_say_the_same(
    stores: list[MountedStore], most: int
) -> None:
    made = written(stores, 50)
    head = made[-1]
    tidy(stores, head.frame, head.epoch, least=2, most=most)
    assert told(stores) == made
    assert newest_frame(stores) == head
    count = len(files(stores[0].backend))
    assert count == 50 if most == 1 else count < 25
    assert tidy(stores, head.frame, head.epoch, least=2, most=most) == Tidied(0, 0)
    assert told(stores) == made


def test_a_store_that_was_away_gets_what_it_lacks_and_loses_what_is_put_together(
    stores: list[MountedStore],
) -> None:
    near, far = stores
    made = written(stores, 10)
    late: list[Frame] = []
    for epoch in range(11, 31):
        each = frame(epoch, (late or made)[-1].frame)
        put([near], each, encode(each, [line(each)]))
        late.append(each)
    tidy([near], late[-1].frame, 30, least=2, most=1 << 20)
    assert len(files(near.backend)) == 1
    assert len(files(far.backend)) == 10
    tidy(stores, late[-1].frame, 30, least=2, most=1 << 20)
    assert [each.key for each in files(far.backend)] == [each.key for each in files(near.backend)]
    assert told([far]) == [*made, *late]


def test_before_a_gap_nothing_is_removed_and_the_gap_is_told(stores: list[MountedStore]) -> None:
    made = written(stores, 9)
    for store in stores:
        store.backend.delete(log_key(5, 5, made[4].frame))
    assert tidy(stores, made[-1].frame, 9, least=2, most=1 << 20).broken == 6
    left = {
        epoch for each in files(stores[0].backend) for epoch in range(each.first, each.last + 1)
    }
    assert left == {1, 2, 3, 4, 6, 7, 8, 9}


def test_a_damaged_file_is_healed_when_it_is_put_together(stores: list[MountedStore]) -> None:
    made = written(stores, 6)
    for store, spoilt in zip(stores, (made[1], made[3]), strict=True):
        key = log_key(spoilt.epoch, spoilt.epoch, spoilt.frame)
        data = bytearray(whole(store.backend, key))
        data[-1] ^= 1
        store.backend.delete(key)
        store.backend.put_new(key, [bytes(data)])
    assert tidy(stores, made[-1].frame, 6, least=2, most=1 << 20) == Tidied(6, 0)
    for store in stores:
        assert told([store]) == made


def test_what_is_newer_than_the_index_knows_is_left_alone(stores: list[MountedStore]) -> None:
    made = written(stores, 5)
    tidy(stores, made[2].frame, 3, least=2, most=1 << 20)
    assert told(stores) == made


def whole(backend: object, key: str) -> bytes:
    assert isinstance(backend, MemoryBackend)
    reader = backend.open(key)
    return reader.read(0, reader.size())

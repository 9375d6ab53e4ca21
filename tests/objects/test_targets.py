from __future__ import annotations

import pytest

from storage_backends.base import BackendError
from storage_backends.memory import MemoryBackend
from vna.errors import InvalidConfiguration, StorageUnavailable
from vna.objects import Target, Targets

FAILED = BackendError("key", "no such device")


def named(*names: str, domains: str = "") -> list[Target]:
    places = domains or "".join(chr(65 + n) for n in range(len(names)))
    return [Target(n, MemoryBackend(), domain=d) for n, d in zip(names, places, strict=True)]


def chosen(targets: Targets) -> list[str]:
    return [each.name for each in targets.chosen()]


def test_the_first_stores_are_chosen() -> None:
    assert chosen(Targets(named("a", "b", "c"))) == ["a"]
    assert chosen(Targets(named("a", "b", "c"), 2)) == ["a", "b"]


def test_a_second_store_is_one_of_another_domain_if_it_can() -> None:
    assert chosen(Targets(named("a", "b", "c", domains="XXY"), 2)) == ["a", "c"]
    assert chosen(Targets(named("a", "b", domains="XX"), 2)) == ["a", "b"]


def test_a_store_that_failed_is_avoided_for_a_while() -> None:
    now = [0.0]
    targets = Targets(named("a", "b"), avoid_seconds=30, clock=lambda: now[0])
    targets.failed("a", FAILED)
    assert chosen(targets) == ["b"]
    now[0] = 30.0
    assert chosen(targets) == ["a"]


def test_a_store_that_failed_is_asked_where_there_is_no_other() -> None:
    targets = Targets(named("a", "b"), 2)
    targets.failed("a", FAILED)
    assert chosen(targets) == ["b", "a"]
    alone = Targets(named("a"))
    alone.failed("a", FAILED)
    assert chosen(alone) == ["a"]


def test_what_is_not_the_store_it_should_be_is_never_chosen() -> None:
    here = [False]
    targets = Targets(
        [Target("a", MemoryBackend(), is_here=lambda: here[0]), *named("b")], avoid_seconds=0
    )
    assert chosen(targets) == ["b"]
    here[0] = True
    assert chosen(targets) == ["a"]
    here[0] = False
    assert chosen(targets) == ["a"]  # it answered a moment ago
    targets.failed("a", FAILED)
    assert chosen(targets) == ["b"]


def test_too_few_stores_are_said_at_once() -> None:
    with pytest.raises(InvalidConfiguration, match="2 copies"):
        Targets(named("a"), 2)
    nowhere = Targets([Target("a", MemoryBackend(), is_here=lambda: False)])
    with pytest.raises(StorageUnavailable):
        nowhere.chosen()


def test_what_is_new_goes_where_it_fits_beside_the_reserve() -> None:
    small, large = MemoryBackend(capacity=1000), MemoryBackend(capacity=5000)
    targets = Targets([Target("small", small), Target("large", large)], reserve=800)
    assert [each.name for each in targets.chosen(room=200)] == ["small"]
    assert [each.name for each in targets.chosen(room=201)] == ["large"]
    assert [each.name for each in targets.chosen()] == ["small"], "what is not new fits"
    with pytest.raises(StorageUnavailable, match="full"):
        targets.chosen(room=4201)
    assert targets.fit(["small", "large"], 200)
    assert not targets.fit(["small", "large"], 201)


def test_a_store_that_knows_no_limit_always_has_room() -> None:
    targets = Targets(named("a"), reserve=1 << 60)
    assert [each.name for each in targets.chosen(room=1 << 60)] == ["a"]

"""Bytes in memory are counted; beyond them it is "later", not out of memory."""

from __future__ import annotations

import threading

import pytest

from vna.errors import Overloaded
from vna.services.budget import Budget


def test_what_does_not_fit_is_refused_until_something_is_given_back() -> None:
    budget = Budget(100)
    first = budget.acquire(60)
    with pytest.raises(Overloaded):
        budget.acquire(41)
    with budget.acquire(40):
        assert budget.taken == 100
    first.release()
    first.release()
    assert budget.taken == 0
    assert budget.acquire(100).size == 100


def test_what_is_larger_than_the_budget_is_granted_alone() -> None:
    budget = Budget(100)
    with budget.acquire(1000), pytest.raises(Overloaded):
        budget.acquire(1)
    with budget.acquire(1), pytest.raises(Overloaded):
        budget.acquire(1000)


def test_who_waits_goes_on_when_there_is_room() -> None:
    budget = Budget(100)
    first = budget.acquire(80)
    waiting = threading.Thread(target=lambda: budget.wait(50).release())
    waiting.start()
    first.release()
    waiting.join(20)
    assert not waiting.is_alive()
    assert budget.taken == 0

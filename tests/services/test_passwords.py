"""Passwords: what is kept of them, and that it says whether another is the same."""

from __future__ import annotations

import pytest

from vna.errors import InvalidValue
from vna.services import passwords
from vna.services.passwords import hashed, verified

GOOD = "correct horse battery"


def test_a_password_is_kept_with_a_salt_of_its_own_and_known_again() -> None:
    one, two = hashed(GOOD), hashed(GOOD)
    assert one != two
    assert GOOD not in one
    assert verified(GOOD, one)
    assert not verified(GOOD + " ", one)
    assert not verified("", one)


def test_it_is_the_same_however_its_accents_are_typed() -> None:
    assert verified("contrase\u00f1a secreta", hashed("contrasen\u0303a secreta"))


def test_nothing_is_nobodys_password() -> None:
    for guess in ("", "x", GOOD, "\ud800" * 12):
        assert not verified(guess, "")


def test_what_is_kept_is_read_by_its_own_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = hashed(GOOD)
    monkeypatch.setattr(passwords, "_LOG2_N", 4)
    assert verified(GOOD, kept)
    assert hashed(GOOD).startswith("scrypt$4$8$3$")


def test_too_short_and_too_long_are_no_passwords() -> None:
    for wrong in ("x" * 11, "x" * 201):
        with pytest.raises(InvalidValue):
            hashed(wrong)

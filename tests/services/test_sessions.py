"""Signing in: what opens a session, what ends it, and what stops who guesses."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from tests.services.house import CALLER, House
from vna.errors import TooManyAttempts, Unauthenticated
from vna.index import sessions as rows
from vna.index.tables import account, account_session, audit, sign_in_attempt
from vna.model.caller import Right, Role
from vna.model.user import User
from vna.services import passwords
from vna.services import sessions as limits
from vna.services.sessions import Sessions
from vna.services.users import Users

GOOD = "correct horse battery"
WRONG = "wrong wrong wrong"
HOUR = 3_600_000


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cost of a hash is of no matter here."""
    monkeypatch.setattr(passwords, "_LOG2_N", 4)
    monkeypatch.setattr(passwords, "_P", 1)
    monkeypatch.setattr(passwords, "_NOBODYS", passwords._NOBODYS.replace("$15$8$3$", "$4$8$1$"))


@pytest.fixture
def ana(house: House) -> User:
    """Who signs in."""
    wanted = User("ana", "Ana Gil", frozenset({Role.READER}), frozenset({"north"}))
    return Users(house.index).add(CALLER, wanted, GOOD)


def test_who_signs_in_is_a_caller_with_the_rights_of_the_user(house: House, ana: User) -> None:
    sessions = Sessions(house.index)
    signed_in, secret = sessions.sign_in(" Ana ", GOOD, "10.0.0.5")
    assert signed_in.user.name == "ana"
    caller = sessions.caller_of(secret, "10.0.0.6")
    assert (caller.name, caller.origin) == ("user:ana", "10.0.0.6")
    assert caller.rights == frozenset({Right.READ})
    assert caller.organisations == frozenset()  # there is none of that code yet
    with house.ingest.reception(CALLER, "test", organisation="north") as reception:
        key = reception.organisation.key
    other_node = Sessions(house.index)
    assert other_node.caller_of(secret, "").organisations == frozenset({key})
    found = other_node.find(secret)
    assert found is not None
    assert found.expires_at == signed_in.expires_at


def test_the_database_keeps_neither_secret_nor_password(house: House, ana: User) -> None:
    _, secret = Sessions(house.index).sign_in("ana", GOOD, "a")
    with house.index.reading() as session:
        for table in (account_session, audit, sign_in_attempt, account):
            for row in session.execute(select(table)):
                assert secret not in repr(row)
                assert GOOD not in repr(row)


def test_a_wrong_password_and_a_name_of_nobody_have_one_answer(house: House, ana: User) -> None:
    sessions, said = Sessions(house.index), set()
    users = Users(house.index)
    users.add(CALLER, replace(ana, name="gone"), GOOD)
    users.change(CALLER, "gone", lambda user: user, disabled=True)
    users.add(CALLER, replace(ana, name="machine", certificate="m.example"), None)
    attempts = (("ana", WRONG), ("nobody", GOOD), ("gone", GOOD), ("machine", GOOD), ("ana", ""))
    for name, password in attempts:
        with pytest.raises(Unauthenticated) as raised:
            sessions.sign_in(name, password, "a")
        said.add(str(raised.value))
    assert len(said) == 1


def test_a_name_that_nobody_has_is_not_written_down(house: House, ana: User) -> None:
    for name in ("my password in the wrong field", "ana"):
        with pytest.raises(Unauthenticated):
            Sessions(house.index).sign_in(name, WRONG, "a")
    with house.index.reading() as session:
        failed = select(audit.c.target).where(audit.c.action == "sign-in failed")
        assert session.execute(failed.order_by(audit.c.pk)).scalars().all() == ["", "ana"]


def test_a_session_ends_by_itself_unused_or_used(house: House, ana: User) -> None:
    sessions = Sessions(house.index, idle_milliseconds=HOUR, milliseconds=12 * HOUR)
    _, secret = sessions.sign_in("ana", GOOD, "a")

    def shift(**columns: int) -> None:
        changed = {name: account_session.c[name] - by for name, by in columns.items()}
        house.index.transact(lambda s: s.execute(update(account_session).values(changed)))

    shift(used_at=HOUR - 60_000)
    sessions.caller_of(secret, "a")  # and so it was used
    shift(used_at=HOUR - 60_000)
    sessions.caller_of(secret, "a")
    shift(used_at=HOUR + 60_000)
    with pytest.raises(Unauthenticated):
        sessions.caller_of(secret, "a")
    _, secret = sessions.sign_in("ana", GOOD, "a")
    shift(expires_at=12 * HOUR)
    with pytest.raises(Unauthenticated):
        sessions.caller_of(secret, "a")
    sessions.forget()
    with house.index.reading() as session:
        assert session.execute(select(account_session)).all() == []


def test_a_read_writes_at_most_once_a_minute(house: House, ana: User) -> None:
    sessions = Sessions(house.index)
    _, secret = sessions.sign_in("ana", GOOD, "a")
    written: list[str] = []
    sessions._note = lambda *_: written.append("x")  # type: ignore[method-assign]
    sessions.caller_of(secret, "a")
    assert written == []
    back = account_session.c.used_at - rows.USED_MILLISECONDS
    house.index.transact(lambda s: s.execute(update(account_session).values(used_at=back)))
    sessions.caller_of(secret, "a")
    assert written == ["x"]


def test_a_session_ends_by_signing_out_and_with_the_password(house: House, ana: User) -> None:
    sessions = Sessions(house.index)
    _, one = sessions.sign_in("ana", GOOD, "a")
    _, two = sessions.sign_in("ana", GOOD, "b")
    caller = sessions.caller_of(one, "a")
    assert sessions.sign_out(caller, one)
    assert not sessions.sign_out(caller, one)
    assert sessions.remembered(one, "a") is None
    assert sessions.caller_of(two, "b").name == "user:ana"
    with pytest.raises(Unauthenticated):
        sessions.change_password("ana", WRONG, "another good password", "a")
    sessions.change_password("ana", GOOD, "another good password", "a")
    for secret in (one, two):
        with pytest.raises(Unauthenticated):
            sessions.caller_of(secret, "")
    with pytest.raises(Unauthenticated):
        sessions.sign_in("ana", GOOD, "a")
    sessions.sign_in("ana", "another good password", "a")


def refused(work: Callable[[], object]) -> int:
    with pytest.raises(TooManyAttempts) as raised:
        work()
    return raised.value.retry_after_seconds


def test_who_guesses_is_stopped_and_nobody_else(house: House, ana: User) -> None:
    here, there = Sessions(house.index), Sessions(house.index)  # two nodes count together
    for number in range(limits.MOST_OF_PAIR):
        with pytest.raises(Unauthenticated):
            (here, there)[number % 2].sign_in("ana", WRONG, "10.0.0.1")
    wait = refused(lambda: here.sign_in("ana", GOOD, "10.0.0.1"))
    assert 0 < wait <= limits.WINDOW_MILLISECONDS // 1000
    there.sign_in("ana", GOOD, "10.0.0.2")
    refused(lambda: there.sign_in("ana", GOOD, "10.0.0.1"))
    earlier = sign_in_attempt.c.began_at - limits.WINDOW_MILLISECONDS
    house.index.transact(lambda s: s.execute(update(sign_in_attempt).values(began_at=earlier)))
    here.sign_in("ana", GOOD, "10.0.0.1")


def test_an_address_and_a_name_are_bounded_however_the_other_changes(
    house: House, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_OF_ADDRESS", 3)
    monkeypatch.setattr(limits, "MOST_OF_NAME", 3)
    sessions = Sessions(house.index)
    for number in range(3):
        with pytest.raises(Unauthenticated):  # one network of IPv6 is one address
            sessions.sign_in(f"name{number}", WRONG, f"2001:db8::{number}")
    refused(lambda: sessions.sign_in("another", WRONG, "2001:db8::ffff"))
    for number in range(3):
        with pytest.raises(Unauthenticated):
            sessions.sign_in("bob", WRONG, f"10.0.0.{number}")
    refused(lambda: sessions.sign_in("bob", WRONG, "10.0.0.9"))


def test_signing_in_gives_back_its_own_attempt_only(
    house: House, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_OF_ADDRESS", 4)
    sessions = Sessions(house.index)
    for number in range(4):
        sessions.sign_in("ana", GOOD, "a")
        with pytest.raises(Unauthenticated):
            sessions.sign_in(f"victim{number}", WRONG, "a")
    refused(lambda: sessions.sign_in("ana", GOOD, "a"))


def test_guesses_at_once_are_bounded_as_those_in_turn(house: House, ana: User) -> None:
    sessions, said = Sessions(house.index), []

    def guess() -> None:
        try:
            sessions.sign_in("ana", WRONG, "a")
        except (Unauthenticated, TooManyAttempts) as error:
            said.append(type(error))

    threads = [threading.Thread(target=guess) for _ in range(limits.MOST_OF_PAIR + 6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert said.count(Unauthenticated) == limits.MOST_OF_PAIR
    assert said.count(TooManyAttempts) == 6

"""Tokens: made, shown once, looked up, expired and revoked."""

from __future__ import annotations

import pytest

from tests.services.house import CALLER, House
from vna.errors import Forbidden, InvalidValue, NotFound, Unauthenticated
from vna.model.caller import Caller, Right, Role
from vna.services.access import PREFIX, Access
from vna.services.remembered import FRESH_SECONDS

READER = frozenset({Role.READER})


def test_a_token_is_a_caller_with_the_rights_of_its_roles(house: House) -> None:
    access = Access(house.index)
    made, secret = access.create(CALLER, "PACS", frozenset({Role.READER, Role.SENDER}))
    assert secret.startswith(PREFIX)
    caller = access.caller_of(secret, "10.0.0.5")
    assert (caller.name, caller.origin) == ("token:PACS", "10.0.0.5")
    assert caller.rights == {Right.READ, Right.SEND}
    assert caller.organisations is None
    assert [each.id for each in access.all(CALLER)] == [made.id]
    assert secret not in repr(access.all(CALLER))


@pytest.mark.parametrize(
    ("role", "rights"),
    [
        (Role.READER, {Right.READ}),
        (Role.SENDER, {Right.SEND}),
        (Role.ARCHIVIST, {Right.READ, Right.SEND, Right.CORRECT}),
        (Role.ADMINISTRATOR, set(Right)),
    ],
)
def test_a_role_brings_its_rights_and_no_others(
    house: House, role: Role, rights: set[Right]
) -> None:
    access = Access(house.index)
    _, secret = access.create(CALLER, "one", frozenset({role}))
    assert access.caller_of(secret, "").rights == rights


def test_a_token_of_organisations_sees_these_and_none_that_is_not_there_yet(house: House) -> None:
    access = Access(house.index)
    _, secret = access.create(CALLER, "north", READER, organisations=frozenset({"north"}))
    assert access.caller_of(secret, "").organisations == frozenset()
    with house.ingest.reception(CALLER, "test", organisation="north") as reception:
        key = reception.organisation.key
    assert access.caller_of(secret, "").organisations == frozenset({key})


def test_a_secret_that_is_wrong_expired_or_revoked_is_nobody(house: House) -> None:
    access = Access(house.index)
    with pytest.raises(Unauthenticated):
        access.caller_of("vna_nothing", "")
    _, short = access.create(CALLER, "short", READER, milliseconds=1)
    made, long = access.create(CALLER, "long", READER)
    with house.index.reading() as session:
        begun = session.now()
    while True:
        with house.index.reading() as session:
            if session.now() > begun + 2:
                break
    with pytest.raises(Unauthenticated):
        access.caller_of(short, "")
    access.revoke(CALLER, made.id)
    with pytest.raises(Unauthenticated):
        access.caller_of(long, "")
    with pytest.raises(NotFound):
        access.revoke(CALLER, made.id)


def test_another_process_believes_what_it_saw_for_a_few_seconds_only(house: House) -> None:
    here, there = Access(house.index), Access(house.index)
    made, secret = here.create(CALLER, "one", READER)
    assert there.remembered(secret, "a") is None
    there.caller_of(secret, "a")
    found = there.remembered(secret, "b")
    assert found is not None
    assert found.origin == "b"
    here.revoke(CALLER, made.id)
    assert FRESH_SECONDS <= 5
    known = there._remembered._known
    known.update({key: (at - FRESH_SECONDS, who) for key, (at, who) in known.items()})
    assert there.remembered(secret, "a") is None


def test_only_administrators_deal_with_tokens(house: House) -> None:
    access = Access(house.index)
    somebody = Caller("somebody", "", None, frozenset({Right.READ, Right.SEND, Right.CORRECT}))
    for act in (
        lambda: access.create(somebody, "x", READER),
        lambda: access.all(somebody),
        lambda: access.revoke(somebody, 1),
    ):
        with pytest.raises(Forbidden):
            act()


@pytest.mark.parametrize(
    "label", ["", " ", "x" * 101, "a\nb"], ids=["none", "blank", "long", "lines"]
)
def test_a_label_says_what_a_token_is_for(house: House, label: str) -> None:
    with pytest.raises(InvalidValue):
        Access(house.index).create(CALLER, label, READER)

"""Users: made, changed and shut out, and who may do so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.services.house import CALLER, House
from vna.errors import Conflict, Forbidden, InvalidValue, NotFound, Unauthenticated
from vna.model.caller import Caller, Right, Role
from vna.model.certificate import Certificate
from vna.model.user import User
from vna.services.sessions import Sessions
from vna.services.users import Users

GOOD = "correct horse battery"
ANA = User("ana", "Ana Gil", frozenset({Role.READER}), frozenset({"north"}))
FINGERPRINT = "ab" * 32


def test_a_user_is_made_once_by_a_name_whose_case_does_not_count(house: House) -> None:
    users = Users(house.index)
    made = users.add(CALLER, replace(ANA, name=" ANA "), GOOD)
    assert (made.name, made.full_name, made.has_password, made.created_by) == (
        "ana",
        "Ana Gil",
        True,
        CALLER.name,
    )
    with pytest.raises(Conflict):
        users.add(CALLER, replace(ANA, name="Ana"), GOOD)
    assert users.all(CALLER) == [made] == [users.get(CALLER, "Ana")]
    users.remove(CALLER, "ANA")
    with pytest.raises(NotFound):
        users.get(CALLER, "ana")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "a b"},
        {"name": "x" * 65},
        {"full_name": "a\nb"},
        {"roles": frozenset()},
        {"organisations": frozenset({" "})},
        {"roles": frozenset({Role.ADMINISTRATOR})},
        {"certificate": "a\nb"},
    ],
    ids=lambda each: "-".join(map(str, each)),
)
def test_what_no_user_can_be_is_refused(house: House, wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        Users(house.index).add(CALLER, replace(ANA, **wrong), GOOD)  # type: ignore[arg-type]


@pytest.mark.parametrize("password", ["", "short", "x" * 201, " " * 12])
def test_a_password_that_is_no_password_is_refused(house: House, password: str) -> None:
    with pytest.raises(InvalidValue):
        Users(house.index).add(CALLER, ANA, password)


def test_a_user_has_a_password_or_a_certificate_of_its_own(house: House) -> None:
    users = Users(house.index)
    with pytest.raises(InvalidValue):
        users.add(CALLER, ANA, None)
    shown = ":".join(["AB"] * 32)
    assert users.add(CALLER, replace(ANA, certificate=shown), None).certificate == FINGERPRINT
    with pytest.raises(Conflict, match="ana"):
        users.add(CALLER, replace(ANA, name="bob", certificate=FINGERPRINT), None)


def test_what_changes_holds_at_once_and_the_rest_stays(house: House) -> None:
    users, sessions = Users(house.index), Sessions(house.index)
    users.add(CALLER, ANA, GOOD)
    _, secret = sessions.sign_in("ana", GOOD, "a")
    users.change(CALLER, "ana", lambda user: replace(user, roles=frozenset({Role.ARCHIVIST})))
    assert Right.CORRECT in sessions.caller_of(secret, "a").rights
    assert users.get(CALLER, "ana").full_name == "Ana Gil"
    users.change(CALLER, "ana", lambda user: user, disabled=True)
    with pytest.raises(Unauthenticated):
        sessions.caller_of(secret, "a")
    with pytest.raises(Unauthenticated):
        sessions.sign_in("ana", GOOD, "a")
    users.change(CALLER, "ana", lambda user: user, disabled=False)
    with pytest.raises(Unauthenticated):  # it does not come to life again
        sessions.caller_of(secret, "a")
    sessions.sign_in("ana", GOOD, "a")


def test_a_certificate_is_its_user_by_fingerprint_before_by_name(house: House) -> None:
    users, sessions = Users(house.index), Sessions(house.index)
    users.add(CALLER, replace(ANA, certificate="Pacs.North.example"), None)
    users.add(CALLER, replace(ANA, name="bob", certificate=FINGERPRINT), None)
    names = frozenset({"pacs.north.example"})
    assert sessions.caller_by(Certificate("cd" * 32, names), "").name == "user:ana"
    assert sessions.caller_by(Certificate(FINGERPRINT, names), "").name == "user:bob"
    for nobodys in (Certificate("cd" * 32, frozenset()), Certificate("", frozenset({""}))):
        with pytest.raises(Unauthenticated):
            sessions.caller_by(nobodys, "")
    users.change(CALLER, "ana", lambda user: user, disabled=True)
    with pytest.raises(Unauthenticated):
        sessions.caller_by(Certificate("cd" * 32, names), "")


def test_only_administrators_deal_with_users(house: House) -> None:
    users = Users(house.index)
    somebody = Caller("somebody", "", None, frozenset({Right.READ, Right.SEND, Right.CORRECT}))
    for act in (
        lambda: users.add(somebody, ANA, GOOD),
        lambda: users.all(somebody),
        lambda: users.get(somebody, "ana"),
        lambda: users.change(somebody, "ana", lambda user: user, password=GOOD),
        lambda: users.remove(somebody, "ana"),
    ):
        with pytest.raises(Forbidden):
            act()

"""/api/v1/users: who signs in."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vna.api.endpoint import Call, Endpoint, moment
from vna.model.caller import Role
from vna.model.user import User
from vna.services.users import Users


@dataclass(frozen=True, slots=True)
class NewUser:
    """Whom to make. `organisations`: codes of those whose items it sees, null for all. With a
    `certificate` (SHA-256, or a name in it) it needs no `password`."""

    name: str
    roles: list[Role]
    organisations: list[str] | None
    full_name: str = ""
    password: str | None = None
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class ChangedUser:
    """All that is to hold from now on. `password`: null for the one that it has."""

    roles: list[Role]
    organisations: list[str] | None
    full_name: str
    certificate: str
    disabled: bool
    password: str | None = None


@dataclass(frozen=True, slots=True)
class UserView:
    """A user. `last_used_at` is known by the minute."""

    name: str
    full_name: str
    roles: list[Role]
    organisations: list[str] | None
    has_password: bool
    certificate: str
    disabled: bool
    created_at: str | None
    created_by: str
    last_used_at: str | None


@dataclass(frozen=True, slots=True)
class UserList:
    """By name."""

    users: list[UserView]


def operations(users: Users) -> list[Endpoint]:
    """The operations of users."""

    def list_users(call: Call) -> UserList:
        """Every user."""
        return UserList([_user(each) for each in users.all(call.caller)])

    def show_user(call: Call) -> UserView:
        """One user."""
        return _user(users.get(call.caller, call.path["name"]))

    def add_user(call: Call) -> UserView:
        """Make a user."""
        body: NewUser = call.body
        wanted = User(
            body.name,
            body.full_name,
            frozenset(body.roles),
            _codes(body.organisations),
            certificate=body.certificate,
        )
        return _user(users.add(call.caller, wanted, body.password))

    def change_user(call: Call) -> UserView:
        """Replace what is known of a user; it holds within five seconds.

        A new password, and being disabled, end every session of it.
        """
        body: ChangedUser = call.body
        changed = users.change(
            call.caller,
            call.path["name"],
            lambda user: replace(
                user,
                full_name=body.full_name,
                roles=frozenset(body.roles),
                organisations=_codes(body.organisations),
                certificate=body.certificate,
            ),
            disabled=body.disabled,
            password=body.password,
        )
        return _user(changed)

    def remove_user(call: Call) -> None:
        """Forget a user. What it did stays in the trail of audit."""
        users.remove(call.caller, call.path["name"])

    return [
        Endpoint("GET", "/users", list_users, UserList),
        Endpoint("POST", "/users", add_user, UserView, body=NewUser, status=201),
        Endpoint("GET", "/users/{name}", show_user, UserView),
        Endpoint("PUT", "/users/{name}", change_user, UserView, body=ChangedUser),
        Endpoint("DELETE", "/users/{name}", remove_user, None),
    ]


def _codes(organisations: list[str] | None) -> frozenset[str] | None:
    return None if organisations is None else frozenset(organisations)


def _user(user: User) -> UserView:
    seen = user.organisations
    return UserView(
        name=user.name,
        full_name=user.full_name,
        roles=sorted(user.roles, key=lambda each: each.value),
        organisations=None if seen is None else sorted(seen),
        has_password=user.has_password,
        certificate=user.certificate,
        disabled=user.disabled,
        created_at=moment(user.created_at),
        created_by=user.created_by,
        last_used_at=moment(user.used_at),
    )

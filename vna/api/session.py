"""/api/v1/session: signing in and out, and who is asking."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from vna.api.endpoint import Call, Endpoint, moment
from vna.errors import NotFound
from vna.http.answer import Answer, json_answer
from vna.http.cookie import given, session_of, taken
from vna.model.caller import Right, Role
from vna.model.user import SignedIn, User
from vna.services.rights import rights_of
from vna.services.sessions import Sessions

NO_STORE = (("Cache-Control", "no-store"),)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who signs in."""

    name: str
    password: str


@dataclass(frozen=True, slots=True)
class NewPassword:
    """The password that is good now, and the one that is to be."""

    current: str
    new: str


@dataclass(frozen=True, slots=True)
class SessionView:
    """Who is asking. `name`: "user:NAME", "token:LABEL" and the like, as the trail of audit has it.
    `roles`: of a user. `organisations`: codes of those whose items it sees, null for all.
    `expires_at`: when the session ends at the latest, null where nobody has signed in."""

    name: str
    full_name: str
    roles: list[Role]
    rights: list[Right]
    organisations: list[str] | None
    expires_at: str | None


def operations(sessions: Sessions, *, secure: bool) -> list[Endpoint]:
    """The operations of sessions. `secure`: browsers come by HTTPS."""

    def sign_in(call: Call) -> Answer:
        """Sign in with name and password; a cookie is the session.

        It ends when it was not used for some time (access.session_idle_minutes), and after
        access.session_hours. 401 says that name or password is wrong, 429 with Retry-After that too
        many attempts failed.
        """
        body: Credentials = call.body
        signed_in, secret = sessions.sign_in(body.name, body.password, call.request.peer)
        view = asdict(_signed_in(signed_in))
        return json_answer(view, headers=(given(secret, secure=secure), *NO_STORE))

    def show_session(call: Call) -> SessionView:
        """Who is asking."""
        secret = session_of(call.request.headers)
        user = sessions.user(call.caller)
        if user is not None and secret is not None:
            found = sessions.find(secret)
            if found is not None and found.user.name == user.name:
                return _signed_in(found)
        return SessionView(
            name=call.caller.name,
            full_name=user.full_name if user else "",
            roles=_roles(user) if user else [],
            rights=_sorted(call.caller.rights),
            organisations=sessions.organisations(call.caller),
            expires_at=None,
        )

    def sign_out(call: Call) -> Answer:
        """End the session."""
        secret = session_of(call.request.headers)
        if secret is None or not sessions.sign_out(call.caller, secret):
            raise NotFound("nobody has signed in here")
        return Answer(204, (taken(secure=secure), *NO_STORE))

    def change_password(call: Call) -> Answer:
        """A new password for who has signed in. Every session of this user ends."""
        body: NewPassword = call.body
        user = sessions.user(call.caller)
        if user is None:
            raise NotFound("only a user has a password")
        sessions.change_password(user.name, body.current, body.new, call.request.peer)
        return Answer(204, (taken(secure=secure), *NO_STORE))

    return [
        Endpoint("POST", "/session", sign_in, SessionView, body=Credentials),
        Endpoint("GET", "/session", show_session, SessionView),
        Endpoint("DELETE", "/session", sign_out, None),
        Endpoint("POST", "/session/password", change_password, None, body=NewPassword),
    ]


def _signed_in(found: SignedIn) -> SessionView:
    user = found.user
    seen = user.organisations
    return SessionView(
        name=f"user:{user.name}",
        full_name=user.full_name,
        roles=_roles(user),
        rights=_sorted(rights_of(user.roles, seen)),
        organisations=None if seen is None else sorted(seen),
        expires_at=moment(found.expires_at),
    )


def _roles(user: User) -> list[Role]:
    return sorted(user.roles, key=lambda each: each.value)


def _sorted(rights: frozenset[Right]) -> list[Right]:
    return sorted(rights, key=lambda each: each.value)

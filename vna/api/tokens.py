"""/api/v1/tokens: what programs say who they are by."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from vna.api.endpoint import Call, Endpoint, moment
from vna.errors import InvalidValue
from vna.http.answer import Answer, json_answer
from vna.model.caller import Role
from vna.model.token import Token
from vna.services.access import Access

DAY_MILLISECONDS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class NewToken:
    """What to make. `organisations`: codes of those whose items it sees, null for all. It is good
    for `days`; null: for ever."""

    label: str
    roles: list[Role]
    organisations: list[str] | None
    days: int | None = 365


@dataclass(frozen=True, slots=True)
class TokenView:
    """A token without its secret."""

    id: int
    label: str
    roles: list[Role]
    organisations: list[str] | None
    created_at: str | None
    created_by: str
    expires_at: str | None
    revoked_at: str | None


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A new token. `secret` is told this once."""

    token: TokenView
    secret: str


@dataclass(frozen=True, slots=True)
class TokenList:
    """Oldest first."""

    tokens: list[TokenView]


def operations(access: Access) -> list[Endpoint]:
    """The operations of tokens."""

    def list_tokens(call: Call) -> TokenList:
        """Every token, without its secret."""
        return TokenList([_token(each) for each in access.all(call.caller)])

    def create_token(call: Call) -> Answer:
        """Make a token. Its secret is told this once."""
        body: NewToken = call.body
        made, secret = access.create(
            call.caller,
            body.label,
            frozenset(body.roles),
            organisations=None if body.organisations is None else frozenset(body.organisations),
            milliseconds=_milliseconds(body.days),
        )
        view = asdict(MadeToken(_token(made), secret))
        return json_answer(view, 201, (("Cache-Control", "no-store"),))

    def revoke_token(call: Call) -> None:
        """Make a token good for nothing, everywhere within five seconds."""
        access.revoke(call.caller, call.id())

    return [
        Endpoint("GET", "/tokens", list_tokens, TokenList),
        Endpoint("POST", "/tokens", create_token, MadeToken, body=NewToken, status=201),
        Endpoint("DELETE", "/tokens/{id}", revoke_token, None),
    ]


def _milliseconds(days: int | None) -> int:
    """Of a token that is good for so many days; 0 for ever. Raises `InvalidValue`."""
    if days is None:
        return 0
    if not 1 <= days <= 36_500:
        raise InvalidValue("days", str(days), "lie between 1 and 36500, or be null for ever")
    return days * DAY_MILLISECONDS


def _token(token: Token) -> TokenView:
    seen = token.organisations
    return TokenView(
        id=token.id,
        label=token.label,
        roles=sorted(token.roles, key=lambda each: each.value),
        organisations=None if seen is None else sorted(seen),
        created_at=moment(token.created_at),
        created_by=token.created_by,
        expires_at=moment(token.expires_at),
        revoked_at=moment(token.revoked_at),
    )

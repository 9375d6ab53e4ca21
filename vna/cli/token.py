"""`vna token`: what programs say who they are by."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from vna.cli.verb import Desk, verb
from vna.cli.when import local_time
from vna.errors import InvalidValue

if TYPE_CHECKING:
    from vna.model.token import Token

commands = typer.Typer(
    no_args_is_help=True,
    help="Tokens for programs, where access.control is on.",
    rich_markup_mode=None,
)
COLUMNS = {"id": "id", "label": "label", "roles": "roles", "organisations": "organisations",
           "created": "created", "expires": "expires", "revoked": "revoked"}  # fmt: skip
_UNITS = {"h": 3600, "d": 86_400, "y": 365 * 86_400}


@commands.command()
@verb
def create(
    desk: Desk,
    label: Annotated[str, typer.Argument(help="What it is for.")],
    role: Annotated[
        list[str], typer.Option("--role", help="reader, sender, archivist or administrator.")
    ],
    organisation: Annotated[
        list[str] | None,
        typer.Option("--organisation", metavar="CODE", help="Sees only its items.  [default: all]"),
    ] = None,
    expires: Annotated[
        str, typer.Option("--expires", help="After 12h, 90d or 2y; never.", metavar="TIME")
    ] = "1y",
) -> None:
    """Make a token. Its secret is shown this once.

    \b
    Examples:
      vna token create "PACS north" --role reader --role sender --organisation north
      vna token create ci --role administrator --expires 12h --json
    """
    from vna.errors import UnknownName
    from vna.model.caller import Role

    known = {each.value: each for each in Role}
    for each in role:
        if each not in known:
            raise UnknownName("role", each, known)
    with desk.archive(create=True) as archive:
        made, secret = archive.access.create(
            desk.caller,
            label,
            frozenset(known[each] for each in role),
            organisations=frozenset(organisation) if organisation else None,
            milliseconds=_milliseconds(expires),
        )
    desk.out.record({**_record(made), "secret": secret})


@commands.command("list")
@verb
def list_(desk: Desk) -> None:
    """Every token, without its secret.

    \b
    Examples:
      vna token list
      vna token list --json
    """
    with desk.archive() as archive:
        found = archive.access.all(desk.caller)
    if not desk.out.table(map(_record, found), COLUMNS):
        desk.out.note("There is no token: vna token create LABEL --role reader")


@commands.command()
@verb
def revoke(
    desk: Desk, id: Annotated[int, typer.Argument(metavar="ID", help="As vna token list has it.")]
) -> None:
    """Make a token good for nothing; a server that runs knows within five seconds.

    \b
    Examples:
      vna token revoke 3
      vna token revoke 3 --data /srv/vna
    """
    with desk.archive() as archive:
        archive.access.revoke(desk.caller, id)
    desk.out.note(f"Token {id} is good for nothing now.")


def _milliseconds(text: str) -> int:
    if text == "never":
        return 0
    found = re.fullmatch(r"([1-9][0-9]{0,5})([hdy])", text)
    if found is None:
        raise InvalidValue("--expires", text, "be a time such as 12h, 90d or 2y, or never")
    return int(found[1]) * _UNITS[found[2]] * 1000


def _record(token: Token) -> dict[str, object]:
    seen = token.organisations
    return {
        "id": token.id,
        "label": token.label,
        "roles": sorted(each.value for each in token.roles),
        "organisations": ["all"] if seen is None else sorted(seen),
        "created": local_time(token.created_at),
        "expires": local_time(token.expires_at),
        "revoked": local_time(token.revoked_at),
    }

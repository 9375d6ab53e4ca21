"""`vna user`: people who sign in, and machines that show a certificate."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vna.cli.verb import Desk, verb
from vna.cli.when import local_time
from vna.errors import InvalidValue, UnknownName

if TYPE_CHECKING:
    from vna.model.caller import Role
    from vna.model.user import User

commands = typer.Typer(
    no_args_is_help=True,
    help="Users, where access.control is on.",
    rich_markup_mode=None,
)
COLUMNS = {"name": "name", "full_name": "full name", "roles": "roles",
           "organisations": "organisations", "signs_in_by": "signs in by", "disabled": "disabled",
           "last_used": "last used"}  # fmt: skip

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the user signs in as.")]
Password = Annotated[
    bool | None,
    typer.Option("--password/--no-password", help="Whether it signs in with a password, too."),
]


@commands.command()
@verb
def add(
    desk: Desk,
    name: Name,
    role: Annotated[
        list[str], typer.Option("--role", help="reader, sender, archivist or administrator.")
    ],
    organisation: Annotated[
        list[str] | None,
        typer.Option("--organisation", metavar="CODE", help="Sees only its items.  [default: all]"),
    ] = None,
    full_name: Annotated[str, typer.Option(help="What people call it.")] = "",
    certificate: Annotated[
        str,
        typer.Option(
            metavar="SHA256|NAME", help="A certificate that is as good as signing in (HTTPS)."
        ),
    ] = "",
    password: Password = None,
) -> None:
    """Make a user. The password is asked for, or is the first line of standard input.

    A user with a certificate has no password unless --password asks for one.

    \b
    Examples:
      vna user add ana --role archivist --organisation north --full-name "Ana Gil"
      vna user add pacs-north --role sender --certificate pacs.north.example.org
      pass show vna/ana | vna user add ana --role reader
    """
    from vna.model.user import User

    with desk.archive(create=True) as archive:
        wanted = User(
            name,
            full_name,
            _roles(role),
            frozenset(organisation) if organisation else None,
            certificate=certificate,
        )
        asked = not certificate if password is None else password
        made = archive.users.add(desk.caller, wanted, _password() if asked else None)
    desk.out.record(_record(made))


@commands.command("list")
@verb
def list_(desk: Desk) -> None:
    """Every user.

    \b
    Examples:
      vna user list
      vna user list --json
    """
    with desk.archive() as archive:
        found = archive.users.all(desk.caller)
    if not desk.out.table(map(_record, found), COLUMNS):
        desk.out.note("There is no user: vna user add NAME --role reader")


@commands.command()
@verb
def show(desk: Desk, name: Name) -> None:
    """All that is known of one user.

    \b
    Examples:
      vna user show ana
      vna user show ana --json
    """
    with desk.archive() as archive:
        desk.out.record(_record(archive.users.get(desk.caller, name)))


@commands.command()
@verb
def change(
    desk: Desk,
    name: Name,
    role: Annotated[
        list[str] | None, typer.Option("--role", help="All of its roles from now on.")
    ] = None,
    organisation: Annotated[
        list[str] | None,
        typer.Option("--organisation", metavar="CODE", help="All that it sees from now on."),
    ] = None,
    all_organisations: Annotated[
        bool, typer.Option("--all-organisations", help="It sees everything from now on.")
    ] = False,
    full_name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    certificate: Annotated[
        str | None, typer.Option(metavar="SHA256|NAME", help="Another certificate; '' for none.")
    ] = None,
) -> None:
    """Change what is named; everything else stays. It holds within five seconds.

    \b
    Examples:
      vna user change ana --role reader --organisation north --organisation south
      vna user change pacs-north --certificate ""
    """
    if organisation and all_organisations:
        raise InvalidValue("--organisation", "", "not stand beside --all-organisations")
    given: dict[str, Any] = {
        "roles": _roles(role) if role else None,
        "organisations": frozenset(organisation) if organisation else None,
        "full_name": full_name,
        "certificate": certificate,
    }
    named = {key: value for key, value in given.items() if value is not None}
    if all_organisations:
        named["organisations"] = None
    with desk.archive() as archive:
        changed = archive.users.change(desk.caller, name, lambda user: replace(user, **named))
    desk.out.record(_record(changed))


@commands.command()
@verb
def passwd(desk: Desk, name: Name) -> None:
    """Give a user a new password, asked for or read from standard input; its sessions end.

    \b
    Examples:
      vna user passwd ana
      pass show vna/ana | vna user passwd ana
    """
    with desk.archive() as archive:
        archive.users.get(desk.caller, name)
        archive.users.change(desk.caller, name, lambda user: user, password=_password())
    desk.out.note(f"{name} has a new password; whoever was signed in as {name} no longer is.")


@commands.command()
@verb
def disable(desk: Desk, name: Name) -> None:
    """Let nobody in as this user; a server that runs knows within five seconds.

    \b
    Examples:
      vna user disable ana
      vna user disable pacs-north
    """
    with desk.archive() as archive:
        archive.users.change(desk.caller, name, lambda user: user, disabled=True)
    desk.out.note(f"Nobody gets in as {name} now.")


@commands.command()
@verb
def enable(desk: Desk, name: Name) -> None:
    """Let a user in again who was disabled.

    \b
    Examples:
      vna user enable ana
      vna user enable pacs-north
    """
    with desk.archive() as archive:
        archive.users.change(desk.caller, name, lambda user: user, disabled=False)
    desk.out.note(f"{name} may sign in again.")


@commands.command()
@verb
def remove(desk: Desk, name: Name) -> None:
    """Forget a user. What it did stays in the trail of audit.

    \b
    Examples:
      vna user remove ana
      vna user remove pacs-north --data /srv/vna
    """
    with desk.archive() as archive:
        archive.users.remove(desk.caller, name)
    desk.out.note(f"There is no user {name} any more.")


def _password() -> str:
    """Never from the command line, which other users of the machine see."""
    if not sys.stdin.isatty():
        line = sys.stdin.readline().rstrip("\r\n")
        if not line:
            raise InvalidValue("password", "", "be the first line of standard input")
        return line
    first: str = typer.prompt("Password", hide_input=True, err=True)
    if typer.prompt("Again", hide_input=True, err=True) != first:
        raise InvalidValue("password", "", "be the same both times")
    return first


def _roles(names: list[str]) -> frozenset[Role]:
    from vna.model.caller import Role

    known = {each.value: each for each in Role}
    for each in names:
        if each not in known:
            raise UnknownName("role", each, known)
    return frozenset(known[each] for each in names)


def _record(user: User) -> dict[str, object]:
    seen = user.organisations
    ways = ["password"] * user.has_password + ["certificate"] * bool(user.certificate)
    return {
        "name": user.name,
        "full_name": user.full_name,
        "roles": sorted(each.value for each in user.roles),
        "organisations": ["all"] if seen is None else sorted(seen),
        "signs_in_by": ways,
        "certificate": user.certificate,
        "disabled": local_time(user.disabled_at),
        "created": local_time(user.created_at),
        "last_used": local_time(user.used_at),
    }

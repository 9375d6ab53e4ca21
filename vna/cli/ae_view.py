"""`vna ae view`: the AE titles that the archive answers to, and what each of them shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vna.cli.verb import Desk, verb
from vna.errors import UnknownName

if TYPE_CHECKING:
    from vna.model.peer import CalledView

commands = typer.Typer(
    no_args_is_help=True,
    help="Further AE titles of the archive: as received, or one organisation.",
    rich_markup_mode=None,
)
Title = Annotated[str, typer.Argument(metavar="TITLE", help="An AE title of this archive.")]
COLUMNS = {"title": "AE title", "view": "view", "organisation": "organisation"}


@commands.command()
@verb
def add(
    desk: Desk,
    title: Title,
    view: Annotated[
        str,
        typer.Option(help="normal; as-received: without corrections; organisation: of one only."),
    ] = "normal",
    organisation: Annotated[
        str, typer.Option(metavar="CODE", help="Which, for --view organisation.")
    ] = "",
) -> None:
    """Answer to a further AE title, or change what it shows.

    \b
    Examples:
      vna ae view add VNA-RAW --view as-received
      vna ae view add VNA-NORTH --view organisation --organisation north
    """
    from vna.model.peer import CalledView, View

    known = {each.value: each for each in View}
    if view not in known:
        raise UnknownName("view", view, known)
    with desk.archive() as archive:
        made = archive.peers.put_view(desk.caller, CalledView(title, known[view], organisation))
    desk.out.record(_record(made))


@commands.command("list")
@verb
def list_(desk: Desk) -> None:
    """The further AE titles and what each shows.

    \b
    Examples:
      vna ae view list
      vna ae view list --json
    """
    with desk.archive() as archive:
        found = archive.peers.all_views(desk.caller)
    if not desk.out.table(map(_record, found), COLUMNS):
        desk.out.note("No AE title was added.")


@commands.command()
@verb
def remove(desk: Desk, title: Title) -> None:
    """Answer to an AE title no more.

    \b
    Examples:
      vna ae view remove VNA-RAW
      vna ae view remove VNA-NORTH
    """
    with desk.archive() as archive:
        archive.peers.remove_view(desk.caller, title)
    desk.out.note(f"{title} is not answered to any more.")


def _record(each: CalledView) -> dict[str, object]:
    return {"title": each.title, "view": each.view.value, "organisation": each.organisation}

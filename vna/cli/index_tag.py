"""`vna index-tag`: any attribute made searchable later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vna.cli.verb import Desk, verb
from vna.cli.when import local_time

if TYPE_CHECKING:
    from vna.index.tag_index import IndexedTag

commands = typer.Typer(
    no_args_is_help=True,
    help="Make further attributes searchable.",
    rich_markup_mode=None,
)
Names = Annotated[
    list[str],
    typer.Argument(metavar="NAME...", help="Keywords or tags, by dots where inside sequences."),
]
COLUMNS = {"name": "attribute", "level": "level", "state": "state", "studies": "studies",
           "behind": "changes behind", "since": "since"}  # fmt: skip


@commands.command()
@verb
def add(
    desk: Desk,
    names: Names,
    background: Annotated[
        bool, typer.Option("--background", help="Leave the filling to the server.")
    ] = False,
) -> None:
    """Index attributes, so that searching by them is fast however much is stored.

    What is stored already is read from its headers, with progress; stopped, it goes on where it
    was, here or in a running server. Searches find the same before, meanwhile and after.

    \b
    Examples:
      vna index-tag add BodyPartExamined
      vna index-tag add ProcedureCodeSequence.CodeValue 00091002 --background
    """
    with desk.archive() as archive:
        added = [archive.index_tags.add(desk.caller, name) for name in names]
        if not background:
            for each in added:
                with desk.out.progress(f"indexing {each.name}") as tell:
                    archive.index_tags.fill(desk.caller, each, tell)
        wanted = {each.id for each in added}
        found = [each for each in archive.index_tags.all(desk.caller) if each.id in wanted]
    desk.out.table(map(_record, found), COLUMNS)


@commands.command("list")
@verb
def list_(desk: Desk) -> None:
    """The attributes that were made searchable, and how far each is filled.

    \b
    Examples:
      vna index-tag list
      vna index-tag list --json
    """
    with desk.archive() as archive:
        found = archive.index_tags.all(desk.caller)
    if not desk.out.table(map(_record, found), COLUMNS):
        desk.out.note("No attribute was added to those that are always indexed.")


@commands.command()
@verb
def remove(desk: Desk, names: Names) -> None:
    """Stop indexing attributes. Nothing of any object changes.

    \b
    Examples:
      vna index-tag remove BodyPartExamined
      vna index-tag remove ProcedureCodeSequence.CodeValue 00091002
    """
    with desk.archive() as archive:
        for name in names:
            archive.index_tags.remove(desk.caller, name)
            desk.out.note(f"{name} is indexed no more.")


def _record(tag: IndexedTag) -> dict[str, object]:
    return {
        "name": tag.name,
        "level": tag.level.name.lower(),
        "state": "complete" if tag.complete else "filling",
        "studies": f"{tag.filled}/{tag.total}",
        "behind": tag.behind,
        "since": local_time(tag.created_at),
    }

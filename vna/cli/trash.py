"""`vna trash`: deleting in two steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vna.cli.confirm import DryRun, Reason, Yes, confirmed
from vna.cli.exits import Exit
from vna.cli.selection import Instance, Series, Study
from vna.cli.verb import Desk, finish, verb
from vna.cli.when import local_time
from vna.errors import BadRequest

if TYPE_CHECKING:
    from vna.services.trash import PurgePlan, Trashed

commands = typer.Typer(
    no_args_is_help=True,
    help="Put into the trash, list, restore and purge.",
    rich_markup_mode=None,
)
Number = Annotated[int, typer.Argument(metavar="ID", help="Its number in `vna trash list`.")]
COLUMNS = {
    "id": "id",
    "kind": "kind",
    "uid": "UID",
    "at": "since",
    "purge_after": "purge after",
    "reason": "reason",
}


@commands.command()
@verb
def put(
    desk: Desk,
    reason: Reason,
    study: Study = None,
    series: Series = None,
    instance: Instance = None,
    document: Annotated[
        str | None, typer.Option("--document", metavar="UID", help="One document.")
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Move a study, a series, an instance or a document to the trash. It can be restored.

    \b
    Examples:
      vna trash put --study 1.2.3 --reason "sent by mistake"
      vna trash put --document 2.25.7 --reason "wrong patient" --yes
    """
    named = document or instance or series or study
    if named is None:
        raise BadRequest("name what to move: --study, --series, --instance or --document")
    said = f"move {named} to the trash"
    if dry_run or not confirmed(said, yes=yes):
        desk.out.note(f"would {said}")
        return
    with desk.archive() as archive:
        entry = archive.trash.put(
            desk.caller,
            reason,
            study_uid=study,
            series_uid=series,
            sop_uid=instance,
            document_uid=document,
        )
    desk.out.record(_record(entry))
    desk.out.note(f"Take it back with: vna trash restore {entry.id}")


@commands.command("list")
@verb
def list_(
    desk: Desk,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 1000,
    after: Annotated[int, typer.Option(help="Only ids above this one.", min=0)] = 0,
) -> None:
    """What lies in the trash and can be restored, oldest first.

    \b
    Examples:
      vna trash list
      vna trash list --json
    """
    with desk.archive() as archive:
        found = archive.trash.find(desk.caller, limit=limit, after=after)
    if not desk.out.table(map(_record, found), COLUMNS):
        desk.out.note("The trash is empty.")


@commands.command()
@verb
def restore(desk: Desk, id: Number) -> None:
    """Show it again exactly as it was.

    \b
    Examples:
      vna trash restore 3
      vna trash restore 3 --json
    """
    with desk.archive() as archive:
        desk.out.record(_record(archive.trash.restore(desk.caller, id)))


@commands.command()
@verb
def purge(
    desk: Desk,
    id: Annotated[
        int | None, typer.Argument(metavar="[ID]", help="One entry.  [default: all that are due]")
    ] = None,
    ignore_grace: Annotated[
        bool, typer.Option("--ignore-grace", help="Also what is not yet due.")
    ] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Remove for ever what has lain in the trash beyond its grace. Shows the plan; --yes does it.

    \b
    Examples:
      vna trash purge
      vna trash purge 3 --ignore-grace --yes
    """
    with desk.archive() as archive:
        plans = archive.trash.purge(
            desk.caller, dry_run=dry_run or not yes, ignore_grace=ignore_grace, id=id
        )
    desk.out.table(map(_plan, plans), PLAN_COLUMNS)
    if not plans:
        desk.out.note("Nothing is due.")
    elif not yes or dry_run:
        desk.out.note("Nothing was removed: this is the plan. Add --yes to carry it out.")
    finish(Exit.PARTIAL if any(plan.refused for plan in plans) else Exit.OK)


PLAN_COLUMNS = {
    "id": "id",
    "kind": "kind",
    "uid": "UID",
    "instances": "instances",
    "objects": "objects",
    "size": "bytes",
    "refused": "refused",
    "purged": "purged",
}


def _record(entry: Trashed) -> dict[str, object]:
    return {
        "id": entry.id,
        "kind": entry.kind.name.lower(),
        "uid": entry.uid,
        "at": local_time(entry.at),
        "actor": entry.actor,
        "reason": entry.reason,
        "purge_after": local_time(entry.purge_after),
        "restored_at": local_time(entry.restored_at),
        "purged_at": local_time(entry.purged_at),
    }


def _plan(plan: PurgePlan) -> dict[str, object]:
    return _record(plan.entry) | {
        "instances": plan.instances,
        "objects": plan.objects,
        "size": plan.size,
        "refused": plan.refused,
        "purged": plan.purged,
    }

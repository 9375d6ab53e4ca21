"""`vna held`: what was stored and acknowledged but waits for a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vna.cli.attributes import named
from vna.cli.confirm import DryRun, Reason, Yes, confirmed
from vna.cli.selection import Study
from vna.cli.verb import Desk, verb
from vna.cli.when import local_time
from vna.errors import BadRequest

if TYPE_CHECKING:
    from vna.services.held import HeldObject

commands = typer.Typer(
    no_args_is_help=True,
    help="List, show, release and discard held objects.",
    rich_markup_mode=None,
)
Number = Annotated[int, typer.Argument(metavar="ID", help="Its number in `vna held list`.")]


@commands.command("list")
@verb
def list_(
    desk: Desk,
    study: Study = None,
    resolved: Annotated[bool, typer.Option(help="What has been decided, instead.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 1000,
    after: Annotated[int, typer.Option(help="Only ids above this one.", min=0)] = 0,
) -> None:
    """Objects that wait for a decision, oldest first.

    \b
    Examples:
      vna held list
      vna held list --study 1.2.3 --json
    """
    with desk.archive() as archive:
        found = archive.held.find(
            desk.caller, study_uid=study, resolved=resolved, limit=limit, after=after
        )
    columns = {"id": "id", "at": "received", "reason": "reason", "sop_uid": "SOP Instance UID"}
    if not desk.out.table(map(_record, found), columns):
        desk.out.note("Nothing is held.")


@commands.command()
@verb
def show(desk: Desk, id: Number) -> None:
    """One held object and what it conflicts with.

    \b
    Examples:
      vna held show 3
      vna held show 3 --json
    """
    with desk.archive() as archive:
        found = archive.held.show(desk.caller, id)
    patient = found.patient if desk.out.as_json else named(found.patient)
    desk.out.record(_record(found) | {"patient": patient})


@commands.command()
@verb
def release(
    desk: Desk,
    id: Number,
    reason: Reason,
    into: Annotated[
        str,
        typer.Option(help="existing: where its UIDs say; new: under UIDs derived from them."),
    ] = "existing",
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Show a held object, as part of what stands or apart from it. Its bytes do not change.

    \b
    Examples:
      vna held release 3 --into existing --reason "same patient"
      vna held release 3 --into new --reason "UID used twice" --yes
    """
    if into not in {"existing", "new"}:
        raise BadRequest("--into is existing or new")
    with desk.archive() as archive:
        found = archive.held.show(desk.caller, id)
        said = f"release {found.sop_uid} into {into}"
        if dry_run or not confirmed(said, yes=yes):
            desk.out.note(f"would {said}")
            return
        place: Literal["existing", "new"] = "new" if into == "new" else "existing"
        released = archive.held.release(desk.caller, id, place, reason)
    desk.out.record(
        {
            "operation": released.operation,
            "study_uid": released.study_uid,
            "series_uid": released.series_uid,
            "sop_uid": released.sop_uid,
        }
    )


@commands.command()
@verb
def discard(
    desk: Desk, id: Number, reason: Reason, dry_run: DryRun = False, yes: Yes = False
) -> None:
    """Decide that a held object is not shown. It stays stored.

    \b
    Examples:
      vna held discard 3 --reason "test object"
      vna held discard 3 --reason "test object" --dry-run
    """
    with desk.archive() as archive:
        found = archive.held.show(desk.caller, id)
        said = f"never show {found.sop_uid}"
        if dry_run or not confirmed(said, yes=yes):
            desk.out.note(f"would {said}")
            return
        operation = archive.held.discard(desk.caller, id, reason)
    desk.out.record({"operation": operation})


def _record(found: HeldObject) -> dict[str, object]:
    return {
        "id": found.id,
        "reason": found.reason.value,
        "study_uid": found.study_uid,
        "series_uid": found.series_uid,
        "sop_uid": found.sop_uid,
        "patient": found.patient,
        "sha256": found.sha256,
        "size": found.size,
        "at": local_time(found.at),
        "detail": found.detail,
        "resolved_at": local_time(found.resolved_at),
        "resolution": found.resolution,
        "actor": found.actor,
    }

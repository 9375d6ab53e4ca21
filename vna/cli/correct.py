"""`vna correct`: lay corrections over a study, a series or an instance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from vna.cli.confirm import DryRun, Yes, confirmed
from vna.cli.selection import Instance, Series, Study
from vna.cli.verb import Desk, verb
from vna.cli.when import local_time
from vna.errors import BadRequest

if TYPE_CHECKING:
    from vna.services.corrections import Correction, Overlay


@verb
def correct(
    desk: Desk,
    values: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=VALUE]...",
            help=r"Attributes by keyword, tag or path; several values with '\'; 'NAME=' empties.",
        ),
    ] = None,
    study: Study = None,
    series: Series = None,
    instance: Instance = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="NAME", help="Take an attribute away.")
    ] = None,
    withdraw: Annotated[
        str | None, typer.Option(metavar="OPERATION", help="Take an earlier correction back.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the change.")] = "",
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Correct attributes. The stored object stays as it is; what is shown changes.

    Without NAME=VALUE: list the corrections of a study. Patients: see `vna patient`.

    \b
    Examples:
      vna correct --study 1.2.3 StudyDescription="CT TÓRAX" --reason "wrong protocol"
      vna correct --withdraw 01J… --reason "was right"
    """
    from vna.services.corrections import Scope

    if withdraw is not None:
        with desk.archive() as archive:
            operation = archive.corrections.withdraw(desk.caller, withdraw, _given(reason))
        desk.out.record({"operation": operation, "withdrawn": withdraw})
        return
    if study is None:
        raise BadRequest("name what to correct: --study UID, and --series or --instance inside it")
    scope = Scope(study, series, instance)
    wanted = corrections_of(values or (), remove or ())
    with desk.archive() as archive:
        if not wanted:
            rows = [_row(overlay) for overlay in archive.corrections.find(desk.caller, scope)]
            desk.out.table(rows, COLUMNS)
            return
        said = f"correct {', '.join(each.attribute for each in wanted)} of study {study}"
        if dry_run or not confirmed(said, yes=yes):
            desk.out.note(f"would {said}")
            return
        operation = archive.corrections.correct(desk.caller, scope, wanted, _given(reason))
    desk.out.record({"operation": operation})
    desk.out.note(f"Take it back with: vna correct --withdraw {operation} --reason TEXT")


COLUMNS = {
    "at": "at",
    "operation": "operation",
    "scope": "scope",
    "attribute": "attribute",
    "value": "value",
    "in_force": "in force",
    "actor": "by",
    "reason": "reason",
}


def corrections_of(values: Sequence[str], remove: Sequence[str] = ()) -> list[Correction]:
    """Corrections from "NAME=VALUE" words and names. Raises `BadRequest`."""
    from vna.services.corrections import Correction

    found = []
    for text in values:
        name, equals, value = text.partition("=")
        if not equals:
            raise BadRequest(f"{name} needs a value: {name}=VALUE, or --remove {name}")
        found.append(Correction(name, value.split("\\") if value else []))
    return found + [Correction(name, None) for name in remove]


def _given(reason: str) -> str:
    if not reason:
        raise BadRequest("say why: --reason TEXT")
    return reason


def _row(overlay: Overlay) -> dict[str, object]:
    scope = overlay.scope
    return {
        "at": local_time(overlay.at),
        "operation": overlay.operation,
        "scope": scope.sop_uid or scope.series_uid or scope.study_uid,
        "attribute": overlay.keyword or overlay.path,
        "path": overlay.path,
        "rank": overlay.rank.name.lower(),
        "value": overlay.value,
        "in_force": overlay.in_force,
        "withdrawn_at": local_time(overlay.withdrawn_at),
        "actor": overlay.actor,
        "reason": overlay.reason,
    }

"""`vna patient`: which patient an identifier means, and what is shown of a patient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vna.cli.attributes import named
from vna.cli.confirm import DryRun, Reason, Yes, confirmed
from vna.cli.verb import Desk, verb
from vna.cli.when import local_time
from vna.errors import BadRequest

if TYPE_CHECKING:
    from vna.model.patient import PatientIdentifier
    from vna.services.patients import PatientOperation, PatientRecord

commands = typer.Typer(
    no_args_is_help=True,
    help="Show, merge, unmerge and correct patients.",
    rich_markup_mode=None,
)
Identifier = Annotated[
    str,
    typer.Argument(metavar="ID", help="PatientID, AUTHORITY|ID, or study:UID where it has none."),
]


@commands.command()
@verb
def show(desk: Desk, identifier: Identifier) -> None:
    """What a patient is called, shows and went through.

    \b
    Examples:
      vna patient show 4711
      vna patient show "HOSPITAL-NORTE|4711" --json
    """
    from vna.model.patient import parse_identifier

    with desk.archive() as archive:
        record = archive.patients.find(desk.caller, parse_identifier(identifier))
    shown = record.shown if desk.out.as_json else named(record.shown)
    desk.out.record(_record(record) | {"shown": shown})


@commands.command()
@verb
def merge(
    desk: Desk,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The identifier to give up.")],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Whose patient it means.")],
    reason: Reason,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """From now on SOURCE means the patient of TARGET. No object and no study changes.

    \b
    Examples:
      vna patient merge 4711 4712 --reason "same person"
      vna patient merge "A|1" "B|7" --reason "regional index" --yes
    """
    from vna.model.patient import parse_identifier

    with desk.archive() as archive:
        one, other = parse_identifier(source), parse_identifier(target)
        studies = archive.patients.find(desk.caller, one).studies
        archive.patients.find(desk.caller, other)
        said = f"show {studies} studies of {one} as the patient of {other}"
        if dry_run or not confirmed(said, yes=yes):
            desk.out.note(f"would {said}")
            return
        operation = archive.patients.merge(desk.caller, one, other, reason)
    desk.out.record({"operation": operation, "source": str(one), "target": str(other)})
    desk.out.note(f"Take it back with: vna patient unmerge {operation} --reason TEXT")


@commands.command()
@verb
def unmerge(
    desk: Desk,
    merged: Annotated[
        str, typer.Argument(metavar="OPERATION|ID", help="The merge, or what was merged away.")
    ],
    reason: Reason,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Take a merge back, exactly.

    \b
    Examples:
      vna patient unmerge 4711 --reason "two persons"
      vna patient unmerge 01J… --reason "two persons" --yes
    """
    with desk.archive() as archive:
        said = f"take back the merge {merged}"
        if dry_run or not confirmed(said, yes=yes):
            desk.out.note(f"would {said}")
            return
        operation = archive.patients.unmerge(desk.caller, _merged(merged), reason)
    desk.out.record({"operation": operation, "unmerged": merged})


@commands.command()
@verb
def correct(
    desk: Desk,
    identifier: Identifier,
    reason: Reason,
    values: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=VALUE]...", help="PatientName, PatientBirthDate, …"),
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="NAME", help="Show none.")
    ] = None,
    withdraw: Annotated[
        str | None, typer.Option(metavar="OPERATION", help="Take a correction back.")
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Show other values for every study of a patient.

    \b
    Examples:
      vna patient correct 4711 PatientBirthDate=19610203 --reason "civil registry"
      vna patient correct 4711 --withdraw 01J… --reason "was right"
    """
    from vna.model.patient import parse_identifier

    with desk.archive() as archive:
        if withdraw is not None:
            operation = archive.patients.withdraw(desk.caller, withdraw, reason)
            desk.out.record({"operation": operation, "withdrawn": withdraw})
            return
        shown: dict[str, str | None] = dict.fromkeys(remove or ())
        for text in values or ():
            name, equals, value = text.partition("=")
            if not equals:
                raise BadRequest(f"{name} needs a value: {name}=VALUE, or --remove {name}")
            shown[name] = value
        if not shown:
            raise BadRequest("say what to show: NAME=VALUE, or --remove NAME")
        said = f"show another {', '.join(shown)} for patient {identifier}"
        if dry_run or not confirmed(said, yes=yes):
            desk.out.note(f"would {said}")
            return
        operation = archive.patients.correct(
            desk.caller, parse_identifier(identifier), shown, reason
        )
    desk.out.record({"operation": operation})


def _merged(text: str) -> str | PatientIdentifier:
    """A ULID names an operation, anything else an identifier."""
    from vna.model.patient import parse_identifier

    ulid = len(text) == 26 and text.isalnum() and text.isupper()
    return text if ulid else parse_identifier(text)


def _record(record: PatientRecord) -> dict[str, object]:
    return {
        "identifiers": [str(identifier) for identifier in record.identifiers],
        "shown": {},
        "studies": record.studies,
        "operations": [_operation(operation) for operation in record.operations],
    }


def _operation(operation: PatientOperation) -> dict[str, object]:
    return {
        "operation": operation.operation,
        "kind": operation.kind,
        "source": str(operation.source),
        "target": str(operation.target) if operation.target else "",
        "values": operation.values,
        "at": local_time(operation.at),
        "ended_at": local_time(operation.ended_at),
        "actor": operation.actor,
        "reason": operation.reason,
    }

"""`vna route`: rules by which what arrives is passed on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from vna.cli.exits import Exit
from vna.cli.verb import Desk, finish, verb
from vna.errors import BadRequest, UnknownName

if TYPE_CHECKING:
    from vna.model.routing import KeptRule

commands = typer.Typer(
    no_args_is_help=True,
    help="Pass on what arrives, by rules.",
    rich_markup_mode=None,
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the rule.")]
COLUMNS = {"name": "name", "state": "state", "on": "on", "where": "where", "to": "to",
           "priority": "priority", "behind": "changes behind", "error": "error"}  # fmt: skip


@commands.command()
@verb
def add(
    desk: Desk,
    name: Name,
    to: Annotated[str, typer.Option(help="ae:TITLE or the URL of a DICOMweb service.")],
    where: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=VALUE]...",
            help="Attribute, SourceAE or Organisation; * and ? are wildcards. A key given twice: "
            "either value.  [default: everything]",
        ),
    ] = None,
    on: Annotated[
        str, typer.Option(help="arrival: each object at once; settled: the quiet study.")
    ] = "settled",
    priority: Annotated[int, typer.Option(help="The higher is sent first.")] = 0,
    disabled: Annotated[bool, typer.Option("--disabled", help="Let it rest for now.")] = False,
) -> None:
    """Add a rule, which works from now on, or replace one, which goes on where it was.

    Storing knows nothing of rules: one that is wrong waits, says why, and loses nothing.

    \b
    Examples:
      vna route add stroke Modality=CT StudyDescription=*STROKE* --to ae:AI --on arrival
      vna route add north Organisation=north --to https://pacs.example/dicomweb
    """
    from vna.model.routing import Occasion, Rule

    known = {each.value: each for each in Occasion}
    if on not in known:
        raise UnknownName("occasion", on, known)
    rule = Rule(name, to, known[on], _conditions(where or ()), not disabled, priority)
    with desk.archive() as archive:
        made = archive.routing.put(desk.caller, rule)
    desk.out.record(_record(made))
    if made.error:
        desk.out.note(f"It waits: {made.error}")


@commands.command("list")
@verb
def list_(desk: Desk) -> None:
    """The rules, the most urgent first, and why any of them waits.

    \b
    Examples:
      vna route list
      vna route list --json
    """
    with desk.archive() as archive:
        found = archive.routing.all(desk.caller)
    if not desk.out.table(map(_record, found), COLUMNS):
        desk.out.note("There is no rule.")


@commands.command()
@verb
def remove(desk: Desk, name: Name) -> None:
    """Forget a rule. What it has queued is still sent.

    \b
    Examples:
      vna route remove stroke
      vna route remove "to the north"
    """
    with desk.archive() as archive:
        archive.routing.remove(desk.caller, name)
    desk.out.note(f"Rule {name} is no more.")


@commands.command()
@verb
def enable(desk: Desk, name: Name) -> None:
    """Let a rule work, from now on.

    \b
    Examples:
      vna route enable stroke
      vna route enable stroke --json
    """
    with desk.archive() as archive:
        desk.out.record(_record(archive.routing.enable(desk.caller, name)))


@commands.command()
@verb
def disable(desk: Desk, name: Name) -> None:
    """Let a rule rest. What it has queued is still sent.

    \b
    Examples:
      vna route disable stroke
      vna route disable stroke --json
    """
    with desk.archive() as archive:
        desk.out.record(_record(archive.routing.disable(desk.caller, name)))


@commands.command("try")
@verb
def try_(
    desk: Desk,
    name: Name,
    study: Annotated[str, typer.Option("--study", metavar="UID", help="Of a stored study.")],
) -> None:
    """Say what a rule would pass on of a study; nothing is sent.

    \b
    Examples:
      vna route try stroke --study 1.2.3
      vna route try stroke --study 1.2.3 --json
    """
    with desk.archive() as archive:
        rule = archive.routing.get(desk.caller, name).rule
        trial = archive.routing.try_(desk.caller, rule, study)
    record: dict[str, object] = {
        "rule": name,
        "matched": len(trial.matched),
        "instances": trial.instances,
        "to": rule.to,
        "error": trial.error,
    }
    desk.out.record(record | {"sop_uids": trial.matched} if desk.out.as_json else record)
    finish(Exit.OK if trial.matched else Exit.NOT_FOUND)


def _conditions(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise BadRequest(f"{word!r} is no condition: write {word}=VALUE")
        found[key].append(value)
    return {key: tuple(values) for key, values in found.items()}


def _record(each: KeptRule) -> dict[str, object]:
    rule = each.rule
    state = "waiting" if each.error else "on"
    return {
        "name": rule.name,
        "state": state if rule.enabled else "off",
        "on": rule.on.value,
        "where": {name: list(values) for name, values in rule.conditions.items()},
        "to": rule.to,
        "priority": rule.priority,
        "behind": each.behind,
        "error": each.error,
    }

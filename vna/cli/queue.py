"""`vna queue`: what is on its way to others, and what was given up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vna.cli.confirm import DryRun, Yes, confirmed
from vna.cli.selection import Study
from vna.cli.verb import Desk, verb
from vna.cli.when import local_time
from vna.errors import BadRequest, UnknownName

if TYPE_CHECKING:
    from vna.model.outgoing import Queued

commands = typer.Typer(
    no_args_is_help=True,
    help="What is to be sent: list, try again, drop.",
    rich_markup_mode=None,
)
To = Annotated[
    str | None, typer.Option("--to", metavar="DESTINATION", help="ae:TITLE or a DICOMweb URL.")
]
Ids = Annotated[
    list[int] | None, typer.Argument(metavar="[ID]...", help="Numbers in `vna queue list`.")
]
COLUMNS = {"id": "id", "to": "to", "state": "state", "attempts": "attempts", "next_at": "next",
           "sop_uid": "SOP Instance UID", "last_error": "last error"}  # fmt: skip
COUNT_COLUMNS = {"to": "to", "state": "state", "instances": "instances"}


@commands.command("list")
@verb
def list_(
    desk: Desk,
    to: To = None,
    state: Annotated[
        str | None, typer.Option(help="waiting, leased (being sent), sent or dead (given up).")
    ] = None,
    study: Study = None,
    count: Annotated[
        bool, typer.Option("--count", help="How many of each destination and state, instead.")
    ] = False,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 1000,
    after: Annotated[int, typer.Option(help="Only ids above this one.", min=0)] = 0,
) -> None:
    """What is on its way, oldest first; what was sent stays for thirty days.

    \b
    Examples:
      vna queue list --count
      vna queue list --to ae:PACS --state dead
    """
    from vna.model.outgoing import Sending

    known = {each.name.lower(): each for each in Sending}
    if state is not None and state not in known:
        raise UnknownName("state", state, known)
    with desk.archive() as archive:
        if count:
            counted = archive.outgoing.counts(desk.caller)
            rows = [
                {"to": where, "state": each.name.lower(), "instances": number}
                for (where, each), number in counted.items()
            ]
            shown = desk.out.table(rows, COUNT_COLUMNS)
        else:
            found = archive.outgoing.find(
                desk.caller,
                destination=to,
                state=known[state] if state else None,
                study_uid=study,
                limit=limit,
                after=after,
            )
            shown = desk.out.table(map(_record, found), COLUMNS)
    if not shown:
        desk.out.note("The queue is empty.")


@commands.command()
@verb
def retry(desk: Desk, ids: Ids = None, to: To = None, study: Study = None) -> None:
    """Try at once what waits or was given up, as if for the first time.

    \b
    Examples:
      vna queue retry --to ae:PACS
      vna queue retry 17 18
    """
    with desk.archive() as archive:
        count = archive.outgoing.retry(desk.caller, ids=ids or (), destination=to, study_uid=study)
    desk.out.record({"retried": count})


@commands.command()
@verb
def drop(
    desk: Desk,
    ids: Ids = None,
    to: To = None,
    study: Study = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Take what has not been sent from the queue. Nothing stored is touched.

    \b
    Examples:
      vna queue drop --to ae:OLDPACS --yes
      vna queue drop 17 18 --dry-run
    """
    if not ids and to is None and study is None:
        raise BadRequest("name what to drop: ids, --to or --study")
    names = [*map(str, ids or ()), *([f"to {to}"] if to else []), *([study] if study else [])]
    said = f"drop {', '.join(names)} from the queue"
    if dry_run or not confirmed(said, yes=yes):
        desk.out.note(f"would {said}")
        return
    with desk.archive() as archive:
        count = archive.outgoing.drop(desk.caller, ids=ids or (), destination=to, study_uid=study)
    desk.out.record({"dropped": count})


def _record(each: Queued) -> dict[str, object]:
    return {
        "id": each.id,
        "to": each.destination,
        "state": each.state.name.lower(),
        "attempts": each.attempts,
        "queued_at": local_time(each.queued_at),
        "next_at": local_time(each.next_at),
        "sent_at": local_time(each.sent_at),
        "study_uid": each.study_uid,
        "series_uid": each.series_uid,
        "sop_uid": each.sop_uid,
        "rule": each.rule,
        "last_error": each.last_error,
    }

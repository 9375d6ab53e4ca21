"""`vna dicom log`: the associations of the past."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vna.cli.selection import selection
from vna.cli.verb import Desk, verb
from vna.cli.when import local_time

if TYPE_CHECKING:
    from vna.model.association import Logged

COLUMNS = {"id": "id", "at": "ended", "calling": "calling", "called": "called",
           "address": "address", "contexts": "contexts", "operations": "operations",
           "bytes": "bytes in/out", "ending": "ending", "why": "why"}  # fmt: skip


@verb
def log(
    desk: Desk,
    id: Annotated[
        int | None, typer.Argument(metavar="[ID]", help="One association, with all that was said.")
    ] = None,
    ae: Annotated[
        str | None, typer.Option("--ae", metavar="TITLE", help="Calling or called AE title.")
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="What did not go well, only.")] = False,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="On this day or later: 2026-03-12.")
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 50,
    after: Annotated[
        int, typer.Option(help="The id of the last one seen, for older ones.", min=0)
    ] = 0,
) -> None:
    """Associations, the latest first: who, what was accepted, how much passed, why it ended.

    \b
    Examples:
      vna dicom log --failed
      vna dicom log --ae CT1 --since 2026-03-12
      vna dicom log 4711
    """
    with desk.archive() as archive:
        if id is not None:
            desk.out.record(_whole(archive.association_log.get(desk.caller, id)))
            return
        found = archive.association_log.find(
            desk.caller,
            title=ae,
            since=selection(None, None, None, None, since, None).received_from or 0,
            failed_only=failed,
            limit=limit,
            after=after,
        )
    shown = map(_whole if desk.out.as_json else _short, found)
    if not desk.out.table(shown, COLUMNS):
        desk.out.note("The log has no such association.")


def _short(each: Logged) -> dict[str, object]:
    one = each.association
    operations = [
        f"{name} {status} × {number}"
        for name, statuses in one.counts.items()
        for status, number in statuses.items()
    ]
    return {
        "id": each.id,
        "at": local_time(one.ended_at),
        "calling": one.calling,
        "called": one.called,
        "address": one.address,
        "contexts": f"{len(one.accepted)} of {len(one.offered)}",
        "operations": operations,
        "bytes": f"{one.bytes_received}/{one.bytes_sent}",
        "ending": one.ending.value,
        "why": one.why,
    }


def _whole(each: Logged) -> dict[str, object]:
    one = each.association
    return {
        "id": each.id,
        "began_at": local_time(one.began_at),
        "ended_at": local_time(one.ended_at),
        "direction": one.direction,
        "calling": one.calling,
        "called": one.called,
        "address": one.address,
        "implementation_uid": one.implementation_uid,
        "implementation_version": one.implementation_version,
        "offered": [
            {"abstract_syntax": abstract, "transfer_syntaxes": list(transfers)}
            for abstract, transfers in one.offered
        ],
        "accepted": [
            {"abstract_syntax": abstract, "transfer_syntax": transfer}
            for abstract, transfer in one.accepted
        ],
        "counts": {name: dict(statuses) for name, statuses in one.counts.items()},
        "bytes_received": one.bytes_received,
        "bytes_sent": one.bytes_sent,
        "failed": one.failed,
        "ending": one.ending.value,
        "why": one.why,
    }

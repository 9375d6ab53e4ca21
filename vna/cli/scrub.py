"""`vna scrub`: read every copy of everything now, and repair what can be repaired."""

from __future__ import annotations

from typing import Annotated

import typer

from vna.cli.exits import Exit
from vna.cli.verb import Desk, finish, verb


@verb
def scrub(
    desk: Desk,
    store: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this store; may be repeated.")
    ] = None,
    days: Annotated[float, typer.Option(min=0, help="Only copies not read for so many days.")] = 0,
    no_repair: Annotated[bool, typer.Option("--no-repair", help="Only look.")] = False,
) -> None:
    """Read and check every stored copy, as the server does in turn all the time.

    A damaged copy is replaced by a good one from another store; what no store has any more is
    named, and the exit code is 5.

    \b
    Examples:
      vna scrub
      vna scrub --store far --days 30 --no-repair
    """
    checked, size, repaired, moved = 0, 0, 0, 0
    bad, lost = [], 0
    with desk.archive() as archive, desk.out.progress("scrubbing") as tell:
        runs = archive.scrub.now(
            desk.caller, stores=tuple(store or ()), days=days, repair=not no_repair
        )
        for each in runs:
            checked += 1
            size += each.checked.size
            tell(checked, checked, f"{size / 1e6:.0f} MB")
            if each.checked.good:
                continue
            if each.mended is None:
                lost += len(each.objects)
            else:
                repaired += each.mended.replaced
                moved += each.mended.moved
                lost += len(each.mended.lost)
            bad.append(
                {
                    "store": each.copy.store,
                    "segment": each.copy.segment,
                    "objects": list(each.objects),
                    "reason": "; ".join(each.checked.bad[:3]) or "records are missing",
                    "done": _done(each.mended),
                }
            )
    desk.out.record(
        {
            "copies": checked,
            "bytes": size,
            "damaged": len(bad),
            "replaced": repaired,
            "saved_objects": moved,
            "lost_objects": lost,
        }
    )
    if bad:
        columns = {"store": "store", "segment": "segment", "objects": "objects", "done": "done"}
        desk.out.table(bad, columns)
    finish(Exit.DAMAGED if lost else Exit.OK)


def _done(mended: object) -> str:
    from vna.services.copies import Mended

    if not isinstance(mended, Mended):
        return "nothing"
    if mended.replaced:
        return "replaced from another store"
    return f"{mended.moved} objects saved, {len(mended.lost)} lost"

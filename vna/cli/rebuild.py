"""`vna rebuild`: the index made again from the stores."""

from __future__ import annotations

import time

from vna.cli.verb import Desk, verb


@verb
def rebuild(desk: Desk) -> None:
    """Make a lost index again from the stores alone, or bring one that is behind them up to date.

    Stop every server first; all stores must be there. `vna serve` does the same when it starts and
    finds the index empty or behind. The schema is made where there is none.

    \b
    Examples:
      vna rebuild
      vna rebuild --database postgresql://vna@db/vna --json
    """
    from vna.app.recovery import recover
    from vna.app.schema import upgrade

    upgrade(desk.settings)
    began = time.monotonic()
    with desk.out.progress("rebuilding") as tell:
        rows = 0

        def told(what: str, count: int) -> None:
            nonlocal rows
            rows += count if what != "frames" else 0
            tell(rows, None, what)

        done = recover(desk.settings, told)
    if done is None:
        desk.out.record({"state": "the index is not behind the stores"})
        return
    seconds = time.monotonic() - began
    desk.out.record(
        {
            "state": "rebuilt",
            "frames": done.rebuilt.frames,
            "rows": done.rebuilt.rows,
            "feed": done.rebuilt.feed,
            "adopted": sum(done.adopted.values()),
            "decisions_lost": len(done.lost),
            "seconds": round(seconds, 2),
            "rows_per_second": round(done.rebuilt.rows / seconds) if seconds else 0,
        }
    )
    for each in done.lost:
        desk.out.note(
            f"to be made again: {each.kind} by {each.actor} ({each.reason or 'no reason given'}), "
            f"operation {each.operation}"
        )

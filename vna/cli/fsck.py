"""`vna fsck`: do index and stores agree?"""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from vna.cli.exits import Exit
from vna.cli.verb import Desk, finish, verb


@verb
def fsck(
    desk: Desk,
    full: Annotated[
        bool, typer.Option("--full", help="Read and check every byte, not tables and sizes only.")
    ] = False,
    adopt: Annotated[
        bool,
        typer.Option("--adopt", help="Store whole objects that no row names, as if sent again."),
    ] = False,
) -> None:
    """Compare the index with the stores, both ways; works beside a running server.

    missing: an object that no store has any more. no-copy: a store lacks what another one has.
    rowless: a whole object that the index does not know; it was never acknowledged. stray: a file
    that is no copy the index knows. With any of them the exit code is 5.

    \b
    Examples:
      vna fsck
      vna fsck --full --adopt --json
    """
    from vna.services.fsck import Problem

    with desk.archive() as archive:
        found = list(archive.fsck.run(desk.caller, full=full))
        adopted = dict(archive.adoption.adopt(desk.caller, found)) if adopt else {}
    counted = Counter(each.problem for each in found)
    desk.out.record({each.value: counted[each] for each in Problem} | {"adopted": len(adopted)})
    if found:
        rows = [
            {
                "problem": each.problem.value,
                "store": each.store,
                "segment": each.segment,
                "name": each.name,
                "became": adopted.get(each, ""),
            }
            for each in found
        ]
        desk.out.table(rows, {name: name for name in rows[0]})
    left = [each for each in found if each not in adopted]
    finish(Exit.DAMAGED if left else Exit.OK)

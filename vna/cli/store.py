"""`vna store`: where the bytes are kept, and in how many copies."""

from __future__ import annotations

from typing import Annotated

import typer

from vna.cli.confirm import DryRun, Yes, confirmed
from vna.cli.exits import Exit
from vna.cli.verb import Desk, finish, verb
from vna.cli.when import local_time

commands = typer.Typer(
    no_args_is_help=True, help="Stores and the copies in them.", rich_markup_mode=None
)
COLUMNS = {
    "name": "store",
    "class": "class",
    "domain": "domain",
    "state": "state",
    "copies": "segments",
    "bytes": "bytes",
    "damaged": "damaged",
    "unverified": "unverified",
    "oldest_check": "oldest check",
}


@commands.command("list")
@verb
def list_(desk: Desk) -> None:
    """Every store: whether it is there, what it holds, when it was read last.

    \b
    Examples:
      vna store list
      vna store list --json
    """
    with desk.archive() as archive:
        rows = [
            {
                "name": each.name,
                "class": each.tier,
                "domain": each.domain,
                "state": "here" if each.here else "away",
                "copies": each.figures.copies,
                "bytes": each.figures.size,
                "damaged": each.figures.damaged,
                "unverified": each.figures.unverified,
                "oldest_check": local_time(each.figures.oldest),
                "identity": each.identity,
            }
            for each in archive.store_custody.stores(desk.caller)
        ]
    desk.out.table(rows, COLUMNS)
    away = any(row["state"] == "away" for row in rows)
    finish(Exit.UNAVAILABLE if away else Exit.OK)


@commands.command()
@verb
def replicate(desk: Desk) -> None:
    """Have every copy made that is missing (store.copies says how many are wanted).

    The running server makes them; without one, they are made when it starts.

    \b
    Examples:
      vna store replicate
      vna store replicate --json
    """
    with desk.archive() as archive:
        desk.out.record({"segments": archive.store_custody.replicate(desk.caller)})


@commands.command()
@verb
def evacuate(
    desk: Desk,
    store: Annotated[str, typer.Argument(metavar="STORE", help="Name of the store.")],
    keep: Annotated[
        int, typer.Option(min=1, help="How many verified copies must stay in other stores.")
    ] = 2,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Remove the copies in a store of which enough verified ones stay elsewhere.

    What has too few others stays, and the exit code is 4: replicate, scrub, and try again.

    \b
    Examples:
      vna store evacuate old-disk --dry-run
      vna store evacuate old-disk --keep 2 --yes
    """
    if not dry_run and not confirmed(f"remove copies from the store {store}", yes=yes):
        return
    gone, stay = 0, []
    with desk.archive() as archive:
        for each in archive.store_custody.evacuate(desk.caller, store, keep=keep, dry_run=dry_run):
            if each.refused:
                stay.append({"segment": each.copy.segment, "reason": each.refused})
            else:
                gone += 1
    desk.out.record({"removed": gone, "stay": len(stay)})
    if stay:
        desk.out.table(stay, {"segment": "segment", "reason": "why it stays"})
    finish(Exit.PARTIAL if stay else Exit.OK)


@commands.command()
@verb
def compact(
    desk: Desk,
    share: Annotated[
        float, typer.Option(min=0, max=1, help="The least part of a file that was purged.")
    ] = 0.3,
    now: Annotated[
        bool,
        typer.Option("--now", help="Remove at once, not after a day: reads under way may fail."),
    ] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Give back the space of what was purged: write the rest of its files anew, remove them.

    A server does it by itself, every hour, for files of which 30 % was purged. With --share 0 --now
    no purged byte is left in any store.

    \b
    Examples:
      vna store compact --dry-run
      vna store compact --share 0 --now --yes
    """
    with desk.archive() as archive:
        found = archive.compaction.plan(desk.caller, share)
        plan = {
            "files": len(found),
            "purged": sum(each.dead for each in found),
            "to_move": sum(each.live for each in found),
        }
        if dry_run or not found:
            desk.out.record(plan)
            return
        if not confirmed(f"write {plan['to_move']} bytes anew and give back the rest", yes=yes):
            return
        done = list(archive.compaction.run(desk.caller, share, now=now))
    left = sum(each.left for each in done)
    desk.out.record(plan | {"moved": sum(each.moved for each in done), "left": left})
    finish(Exit.DAMAGED if left else Exit.OK)

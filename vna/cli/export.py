"""`vna export`: holdings as files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from vna.cli.exits import Exit
from vna.cli.selection import Instance, Patient, Series, Since, Study, Until, selection
from vna.cli.verb import Desk, finish, verb


@verb
def export(
    desk: Desk,
    directory: Annotated[Path, typer.Argument(help="Where to write; made if it does not exist.")],
    original: Annotated[
        bool, typer.Option("--original", help="Byte for byte as received, every version.")
    ] = False,
    bag: Annotated[
        bool,
        typer.Option("--bag", help="As a bag (BagIt, RFC 8493) that is signed by the archive."),
    ] = False,
    study: Study = None,
    series: Series = None,
    instance: Instance = None,
    patient: Patient = None,
    since: Since = None,
    until: Until = None,
) -> None:
    """Copy objects to a directory, with a manifest that `sha256sum -c` checks.

    Without --original: the current version of each instance with its corrections applied. Without
    a filter: everything. Running it again writes what is missing.

    \b
    Examples:
      vna export /mnt/out --original
      vna export out --patient 4711
      vna export /mnt/bag --original --bag
    """
    wanted = selection(study, series, instance, patient, since, until)
    found: Counter[str] = Counter()
    bad = []
    size = 0
    from vna.services.signing import SigningKey

    key = SigningKey.open(desk.settings.signing) if bag else None
    with desk.archive() as archive, desk.out.progress("exporting") as tell:
        for result in archive.export.run(
            desk.caller, directory, wanted, original=original, key=key
        ):
            found[result.outcome] += 1
            size += result.size
            tell(result.done, result.total, f"{size / 1e6:.0f} MB")
            if result.outcome not in {"written", "present"}:
                bad.append(
                    {
                        "outcome": result.outcome,
                        "path": result.path,
                        "sha256": result.sha256,
                        "reason": result.reason,
                    }
                )
    desk.out.record(
        {
            "directory": str(directory),
            "files": found["written"] + found["present"],
            "written": found["written"],
            "present": found["present"],
            "conflicts": found["conflict"],
            "damaged": found["damaged"],
            "bytes": size,
        }
    )
    if bad:
        desk.out.table(bad, {"outcome": "outcome", "path": "path", "reason": "reason"})
    finish(Exit.DAMAGED if found["damaged"] else Exit.PARTIAL if bad else Exit.OK)

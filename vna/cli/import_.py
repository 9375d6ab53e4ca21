"""`vna import`: folders, ZIP files and DICOMDIR media into the archive."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from vna.cli.exits import Exit
from vna.cli.verb import Desk, finish, verb


@verb
def import_(
    desk: Desk,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Folders, files, ZIP files, DICOMDIR.")
    ],
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, max=64, help="Reading threads.")] = 4,
    organisation: Annotated[
        str | None, typer.Option(metavar="CODE", help="Who owns what is new.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also what an earlier run has imported.")
    ] = False,
) -> None:
    """Store every DICOM object found. Running it again continues where it stopped.

    What is not DICOM is ignored and counted. Objects that could not be stored are listed; then the
    exit code is 4. With --json: one line for each of them, then the counts.

    \b
    Examples:
      vna import /mnt/cd
      vna import old.zip DICOMDIR --organisation H1 --json
    """
    from vna.cli.importer import FAILED, Importer
    from vna.cli.sources import find

    counts: Counter[str] = Counter()
    warnings: Counter[str] = Counter()
    failed: list[dict[str, Any]] = []
    size = 0
    where = os.pathsep.join(str(path.absolute()) for path in paths)
    with (
        desk.archive(create=True) as archive,
        desk.out.progress("importing") as tell,
        archive.ingest.reception(
            desk.caller, "import", path=where, organisation=organisation, lasting=True
        ) as reception,
    ):
        importer = Importer(reception, archive.imports, jobs=jobs)
        sources = (source for path in paths for source in find(path))
        for result in importer.run(sources, again=again):
            counts[result.outcome] += 1
            if result.stored is not None:
                size += result.stored.size
                if result.stored.warning:
                    warnings[result.stored.warning] += 1
            if result.outcome == FAILED:
                failed.append({"failed": result.source.name, "reason": result.detail})
            tell(counts.total(), None, f"{size / 1e6:.0f} MB")
    for entry in failed:
        if desk.out.as_json:
            desk.out.line(entry)
        else:
            desk.out.note(f"failed: {entry['failed']}: {entry['reason']}")
    summary: dict[str, Any] = {"sources": counts.total(), "bytes": size}
    summary |= {name: counts[name] for name in sorted(counts)}
    if warnings:
        summary["warnings"] = dict(sorted(warnings.items()))
    desk.out.record(summary)
    if counts["held"]:
        desk.out.note("Some objects are held: vna held list")
    finish(Exit.PARTIAL if failed else Exit.OK)

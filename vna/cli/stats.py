"""`vna stats`: how much there is."""

from __future__ import annotations

from typing import Annotated

import typer

from vna.cli.verb import Desk, verb


@verb
def stats(
    desk: Desk,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="GROUP,…", help="organisation, modality, year."),
    ] = None,
) -> None:
    """Patients, studies, objects, bytes; what is held and what lies in the trash.

    \b
    Examples:
      vna stats --json
      vna stats --by organisation,year
    """
    with desk.archive() as archive:
        if by is None:
            desk.out.record(archive.statistics.totals(desk.caller))
            return
        groups = [name.strip() for name in by.split(",")]
        rows = archive.statistics.studies_by(desk.caller, groups)
    desk.out.table(rows, {name: name for name in (*groups, "studies", "instances")})

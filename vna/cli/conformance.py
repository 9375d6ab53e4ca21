"""`vna conformance`: what the archive speaks, from the tables of the code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vna.cli.verb import Desk, verb

if TYPE_CHECKING:
    from vna.model.statement import Table


@verb
def conformance(desk: Desk) -> None:
    """Print the DICOM conformance statement, as Markdown or as JSON.

    \b
    Examples:
      vna conformance > conformance.md
      vna conformance --json
    """
    from dicomweb.statement import described, markdown

    if desk.out.as_json:
        desk.out.record(described(tables()))
    else:
        print(markdown(tables()), end="")


def tables() -> list[Table]:
    """Every table of every language that the archive speaks."""
    import dicomweb.statement
    import dimse.statement

    return [*dicomweb.statement.statement(), *dimse.statement.statement()]

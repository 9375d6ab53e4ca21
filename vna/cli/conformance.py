"""`vna conformance`: what the archive speaks, from the tables of the code."""

from __future__ import annotations

from vna.cli.verb import Desk, verb


@verb
def conformance(desk: Desk) -> None:
    """Print the DICOM conformance statement, as Markdown or as JSON.

    \b
    Examples:
      vna conformance > conformance.md
      vna conformance --json
    """
    from dicomweb.statement import described, markdown, statement

    if desk.out.as_json:
        desk.out.record(described(statement()))
    else:
        print(markdown(statement()), end="")

"""`vna audit`: whether the trail of reads is what was written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vna.cli.exits import Exit
from vna.cli.verb import Desk, finish, verb
from vna.errors import NotFound

commands = typer.Typer(
    no_args_is_help=True,
    help="The trail of who read what.",
    rich_markup_mode=None,
)
COLUMNS = {"file": "file", "lines": "lines", "line": "line", "wrong": "what is wrong"}


@commands.command()
@verb
def verify(
    desk: Desk,
    files: Annotated[
        list[Path] | None, typer.Argument(help="Audit files.  [default: all of the data folder]")
    ] = None,
) -> None:
    """Check that each line of the audit files follows from the one before it. Exit code 5 where
    one does not; the torn last line of a process that was killed is told and counts as good.

    \b
    Examples:
      vna audit verify
      vna audit verify /backup/audit/*.jsonl --json
    """
    from vna.services.audit import verify_chain

    chosen = files or sorted((desk.settings.data / "audit").glob("*.jsonl"))
    rows, broken = [], False
    for path in chosen:
        if not path.is_file():
            raise NotFound(f"{path} is no file")
        lines, breaks = verify_chain(path)
        broken = broken or any(each.reason != "torn" for each in breaks)
        for each in breaks:
            rows.append(
                {"file": str(path), "lines": lines, "line": each.line, "wrong": each.reason}
            )
        if not breaks:
            rows.append({"file": str(path), "lines": lines, "line": "", "wrong": ""})
    if not desk.out.table(rows, COLUMNS):
        desk.out.note("Nothing has been read yet.")
    finish(Exit.DAMAGED if broken else Exit.OK)

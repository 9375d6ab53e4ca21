"""Asking before something is changed: `--yes`, `--dry-run`, and a question on a terminal."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from vna.errors import BadRequest

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept with the change.")]


def confirmed(what: str, *, yes: bool) -> bool:
    """Whether to go on. Without `--yes` a person is asked; where nobody can be, `BadRequest`."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise BadRequest(f"{what}: add --yes to do it, or --dry-run to see what it would do")
    return typer.confirm(f"{what}. Go on?", err=True)

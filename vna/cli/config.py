"""`vna config`: what is set, where it comes from, and whether it is right."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from vna.cli.verb import Desk, listening_verb
from vna.config import settings_reference

commands = typer.Typer(no_args_is_help=True, help="Show and check settings.", rich_markup_mode=None)
_PASSWORD = re.compile(r"(?<=:)[^:@/]+(?=@)")


@commands.command()
@listening_verb
def show(
    desk: Desk,
    origin: Annotated[bool, typer.Option("--origin", help="And where each comes from.")] = False,
) -> None:
    """Every setting with its value; secrets are masked.

    \b
    Examples:
      vna config show --origin
      VNA_HTTP=127.0.0.1:0 vna config show --json
    """
    rows = []
    for setting in settings_reference():
        value = str(desk.loaded.value(setting.name))
        row = {
            "name": setting.name,
            "value": _PASSWORD.sub("***", value) if setting.secret else value,
        }
        if origin or desk.out.as_json:
            row |= {"origin": desk.loaded.origins[setting.name], "env": setting.env}
        rows.append(row)
    desk.out.table(rows, {name: name for name in rows[0]})


@commands.command()
@listening_verb
def check(desk: Desk) -> None:
    """Read all settings and say whether they are right: exit code 8 where they are not.

    \b
    Examples:
      vna config check
      vna config check --config /etc/vna/vna.toml
    """
    file = desk.loaded.file
    desk.out.note(f"The settings are right ({file or 'no file: defaults and environment'}).")

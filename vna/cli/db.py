"""`vna db`: the database's schema."""

from __future__ import annotations

import typer

from vna.cli.exits import Exit
from vna.cli.verb import Desk, finish, verb

commands = typer.Typer(
    no_args_is_help=True, help="Check and upgrade the database.", rich_markup_mode=None
)


@commands.command()
@verb
def check(desk: Desk) -> None:
    """Which schema the database has and which this program wants: exit code 8 if they differ.

    \b
    Examples:
      vna db check
      vna db check --database postgresql://vna@db/vna --json
    """
    from vna.app.schema import schema

    found = schema(desk.settings)
    desk.out.record({"present": found.present or "none", "wanted": found.wanted})
    finish(Exit.OK if found.present == found.wanted else Exit.CONFIGURATION)


@commands.command()
@verb
def upgrade(desk: Desk) -> None:
    """Bring the database to this program's schema; makes an empty one where there is none.

    \b
    Examples:
      vna db upgrade
      vna db upgrade --data /srv/vna
    """
    from vna.app.schema import schema, upgrade

    upgrade(desk.settings)
    desk.out.record({"present": schema(desk.settings).present})

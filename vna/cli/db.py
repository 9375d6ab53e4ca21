"""`vna db`: the database's schema, and the database's place."""

from __future__ import annotations

from typing import Annotated

import typer

from vna.cli.exits import Exit
from vna.cli.verb import Desk, finish, verb

commands = typer.Typer(
    no_args_is_help=True, help="Check, upgrade and move the database.", rich_markup_mode=None
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


@commands.command()
@verb
def move(
    desk: Desk,
    to: Annotated[
        str,
        typer.Argument(metavar="URL", help="The new database: postgresql://… or sqlite:////…"),
    ],
) -> None:
    """Move the index to another, empty database: from SQLite to PostgreSQL, or back.

    Every key stays, and each table is compared before anything is committed. Stop the server first;
    afterwards start it with --database URL. The old database stays as it is.

    \b
    Examples:
      vna db move postgresql://vna@db/vna
      vna db move sqlite:////srv/vna/index.db --database postgresql://vna@db/vna
    """
    from vna.config.values import database_url
    from vna.errors import InvalidValue
    from vna.index.move import move

    try:
        target = database_url(to)
    except ValueError as rule:
        raise InvalidValue("URL", "", str(rule)) from None
    with desk.out.progress("moving") as tell:
        tables = 0

        def moved(table: str, rows: int) -> None:
            nonlocal tables
            tables += 1
            tell(tables, tables, table)

        rows = move(desk.settings.database_url, target, moved)
    desk.out.record({"tables": tables, "rows": rows})

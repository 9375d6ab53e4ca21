"""`vna backup` and `vna restore`: the whole archive in one more place, and out of it."""

from __future__ import annotations

from typing import Annotated

import typer

from vna.cli.exits import Exit
from vna.cli.verb import Desk, finish, verb
from vna.cli.when import local_time
from vna.config.stores import StoreSetting

Place = Annotated[
    str,
    typer.Argument(
        metavar="PLACE", help="An absolute path, or s3://BUCKET/PREFIX with options, in quotes."
    ),
]


@verb
def backup(desk: Desk, place: Place) -> None:
    """Copy everything to PLACE, beside a running server; what is there already is not copied again.

    What is copied is read back and checked. The mark says up to when everything is there: all that
    was acknowledged before it. Files that no store has whole are named, with exit code 5.

    \b
    Examples:
      vna backup /mnt/backup
      vna backup "s3://backup/vna endpoint=https://s3.example.org credentials=/run/secrets/s3"
    """
    from vna.app.stores import open_place

    target = open_place(_place(place))
    try:
        with desk.archive() as archive, desk.out.progress("copying") as tell:
            mark = archive.backup.make(
                desk.caller, target, lambda done, of: tell(done, None, "files")
            )
    finally:
        target.close()
    desk.out.record(
        {
            "mark": mark.name,
            "at": local_time(mark.at),
            "files": mark.segments,
            "copied": mark.copied,
            "bytes": mark.bytes,
            "seconds": mark.seconds,
            "failed": list(mark.failed),
        }
    )
    finish(Exit.DAMAGED if mark.failed else Exit.OK)


@verb
def restore(desk: Desk, place: Place) -> None:
    """Make an archive of the backup in PLACE: --data names a new folder, --database an empty one.

    All bytes go to the first hot store of the settings; further stores get their copies when the
    server runs. Every record is checked; damaged files are named, with exit code 5.

    \b
    Examples:
      vna restore /mnt/backup --data /srv/vna
      vna restore /mnt/backup --database postgresql://vna@db/vna --json
    """
    from vna.app.recovery import restore_from
    from vna.app.schema import upgrade

    found = _place(place)
    upgrade(desk.settings)
    with desk.out.progress("restoring") as tell:
        done, recovered = restore_from(
            desk.settings, found, lambda count, of: tell(count, None, "files")
        )
    desk.out.record(
        {
            "mark": done.mark,
            "at": local_time(done.at),
            "files": done.files,
            "bytes": done.bytes,
            "rows": done.rebuilt.rows,
            "adopted": sum(recovered.adopted.values()),
            "decisions_lost": len(recovered.lost),
            "seconds": done.seconds,
            "bad": list(done.bad),
        }
    )
    finish(Exit.DAMAGED if done.bad else Exit.OK)


def _place(text: str) -> StoreSetting:
    from vna.config.stores import place
    from vna.errors import InvalidValue

    try:
        return place(text)
    except ValueError as rule:
        raise InvalidValue("PLACE", text, str(rule)) from None

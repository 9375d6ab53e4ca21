"""`vna fixity`: a signed report of how whole the archive is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vna.cli.exits import Exit
from vna.cli.verb import Desk, finish, verb
from vna.errors import Conflict, InvalidConfiguration


@verb
def fixity(
    desk: Desk,
    report: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write; must be new.")],
) -> None:
    """Report what every store holds, when it was read, what is damaged or has too few copies.

    FILE.sig is the archive's signature under FILE; signing-key.pub.pem beside it checks it. With
    something damaged or too few copies the exit code is 5. `vna scrub` reads every copy now.

    \b
    Examples:
      vna fixity 2026-11.json
      vna fixity /mnt/audit/2026-11.json --json
    """
    from vna.services.signing import PUBLIC_KEY, SIGNATURE, SigningKey

    key = SigningKey.open(desk.settings.signing)
    with desk.archive() as archive:
        made = archive.fixity.report(desk.caller, key)
    try:
        with report.open("xb") as file:
            file.write(made.content)
        report.with_name(report.name + SIGNATURE).write_bytes(made.signature)
        report.with_name(PUBLIC_KEY).write_bytes(key.public)
    except FileExistsError:
        raise Conflict(f"{report} is there already") from None
    except OSError as error:
        raise InvalidConfiguration(f"{report} cannot be written: {error.strerror}") from error
    desk.out.record(
        {"report": str(report), "whole": made.whole, "signing_key_sha256": key.fingerprint}
    )
    finish(Exit.OK if made.whole else Exit.DAMAGED)

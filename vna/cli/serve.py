"""`vna serve`: the server."""

from __future__ import annotations

from vna.cli.exits import Exit
from vna.cli.verb import Desk, finish, listening_verb


@listening_verb
def serve(desk: Desk) -> None:
    """Run the archive until SIGTERM or Ctrl-C: DICOMweb, /api/v1, health and metrics.

    Makes the data folder and the database where there are none. A second signal stops at once.

    \b
    Examples:
      vna serve
      vna serve --data /srv/vna --http 127.0.0.1:8042
    """
    from vna.app.serve import serve as run

    drained = run(desk.settings, as_json=desk.out.as_json)
    finish(Exit.OK if drained else Exit.FAILED)

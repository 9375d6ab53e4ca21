"""A whole archive behind a real server, without forking."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from tests.http.server import serving
from vna.app.archive import Archive
from vna.app.faces import Faces, application
from vna.app.metrics import Metrics
from vna.app.schema import upgrade
from vna.config import Settings


@contextmanager
def running(data: Path, settings: Settings | None = None) -> Iterator[str]:
    """Serve a new archive in `data`; gives its URL."""
    with ExitStack() as stack:

        def make(port: int) -> Faces:
            found = replace(settings or Settings(), data=data, http=f"127.0.0.1:{port}")
            upgrade(found)
            archive = stack.enter_context(Archive.open(found))
            faces = application(archive, found, Metrics("test"))
            stack.callback(faces.close)
            return faces

        with serving(make) as port:
            yield f"http://127.0.0.1:{port}"

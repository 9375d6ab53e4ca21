"""What all verbs share: the options that say which archive, and one place where errors end.

A verb is a function whose first parameter is a `Desk`; `verb` gives it `--data`, `--database`,
`--config` and `--json` and turns its errors into exit codes.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from vna.cli.exits import Exit, exit_of
from vna.cli.output import Output
from vna.config import Loaded, Settings, load
from vna.errors import VnaError
from vna.model.caller import Caller, local_administrator

if TYPE_CHECKING:
    from vna.app.archive import Archive

Data = Annotated[
    Path | None, typer.Option("--data", help="Folder of the archive.  [default: ./vna-data]")
]
Database = Annotated[
    str | None,
    typer.Option("--database", metavar="URL", help="PostgreSQL.  [default: SQLite in the folder]"),
]
Config = Annotated[
    Path | None, typer.Option("--config", help="TOML file of settings.  [default: ./vna.toml, …]")
]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable: a JSON object a line.")]

Http = Annotated[
    str | None,
    typer.Option("--http", metavar="HOST:PORT", help="Where to listen.  [default: 127.0.0.1:8080]"),
]

Dimse = Annotated[
    str | None,
    typer.Option(
        "--dimse",
        metavar="HOST:PORT",
        help="Where to listen for DIMSE, or off.  [default: 127.0.0.1:11112]",
    ),
]
AeTitle = Annotated[str | None, typer.Option("--ae-title", help="Our AE title.  [default: VNA]")]

COMMON: dict[str, tuple[Any, Any]] = {
    "data": (Data, None),
    "database": (Database, None),
    "config": (Config, None),
    "as_json": (Json, False),
}
LISTENING = COMMON | {
    "http": (Http, None),
    "dimse": (Dimse, None),
    "ae_title": (AeTitle, None),
}


class Desk:
    """What a verb works with: settings, output, the caller and, when asked for, the archive."""

    def __init__(self, loaded: Loaded, out: Output) -> None:
        self.loaded, self.out = loaded, out

    @property
    def settings(self) -> Settings:
        """All settings."""
        return self.loaded.settings

    @property
    def caller(self) -> Caller:
        """Whoever runs the command owns the files: the local administrator."""
        return local_administrator("cli")

    @contextmanager
    def archive(self, *, create: bool = False) -> Iterator[Archive]:
        """The archive, opened in this process, beside a running server or without one.

        `create`: make an empty one where there is none; otherwise `InvalidConfiguration`.
        """
        from vna.app.archive import Archive
        from vna.app.recovery import begin
        from vna.app.schema import ready

        if ready(self.settings, create=create):
            begin(self.settings)
        with Archive.open(self.settings) as archive, archive.row_log.running():
            yield archive


def verb(function: Callable[..., None]) -> Callable[..., None]:
    """Make a command of `function(desk, …)`."""
    return _command(function, COMMON)


def listening_verb(function: Callable[..., None]) -> Callable[..., None]:
    """The same with `--http`, for verbs that are about the server."""
    return _command(function, LISTENING)


def _command(
    function: Callable[..., None], shared: Mapping[str, tuple[Any, Any]]
) -> Callable[..., None]:
    hints = get_type_hints(function, include_extras=True)
    own = list(inspect.signature(function).parameters.values())[1:]

    @functools.wraps(function)
    def command(**given: Any) -> None:
        common = {name: given.pop(name) for name in shared}
        run(lambda: function(_desk(common), **given))

    keywords = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[parameter.name])
        for parameter in own
    ] + [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in shared.items()
    ]
    # What typer reads instead of the signature and annotations that `wraps` copied.
    command.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in keywords}
    return command


def run(work: Callable[[], None]) -> None:
    """Do `work`; an error is said on standard error and becomes the exit code."""
    try:
        work()
        sys.stdout.flush()
    except VnaError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(exit_of(error)) from error
    except BrokenPipeError:  # the reader (`head`) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(Exit.OK) from None
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        raise typer.Exit(Exit.INTERRUPTED) from None


def finish(code: Exit) -> None:
    """End the verb with `code`."""
    if code is not Exit.OK:
        raise typer.Exit(code)


def _desk(common: Mapping[str, Any]) -> Desk:
    data: Path | None = common["data"]
    flags = {
        "data": str(data) if data else None,
        "database": common["database"],
        "http": common.get("http"),
        "dimse": common.get("dimse"),
        "ae_title": common.get("ae_title"),
    }
    return Desk(load(flags, os.environ, config=common["config"]), Output(as_json=common["as_json"]))

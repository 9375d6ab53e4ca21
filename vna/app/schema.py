"""Whether there is an archive, and whether its database is of this release."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vna.config import Settings
from vna.errors import InvalidConfiguration
from vna.index.migrate import migrate, newest, states


@dataclass(frozen=True, slots=True)
class Schema:
    """Revisions: `present` in the database, None where it is empty; `wanted` by this program."""

    present: str | None
    wanted: str


def schema(settings: Settings) -> Schema:
    """Look, and change nothing. Raises `IndexUnavailable`."""
    if _missing_file(settings):
        return Schema(None, newest())
    return Schema(*states(settings.database_url))


def upgrade(settings: Settings) -> None:
    """Make the data folder and bring the database to the wanted schema."""
    prepare_folder(settings.data)
    migrate(settings.database_url)


def ready(settings: Settings, *, create: bool) -> bool:
    """Make sure that the archive can be opened; whether it was made now.

    `create`: an empty one is made where there is none. Raises `InvalidConfiguration` where there is
    none otherwise, and where the database has another schema: upgrading it under a running server
    of another release is `vna db upgrade`'s decision.
    """
    found = schema(settings)
    if found.present == found.wanted:
        return False
    if found.present is None:
        if not create:
            where = settings.data if not settings.database else "this database"
            raise InvalidConfiguration(
                f"there is no archive in {where}; name it with --data, or make one with: "
                "vna serve, vna import, vna demo load"
            )
        upgrade(settings)
        return True
    raise InvalidConfiguration(
        f"the database has schema {found.present}, this program wants {found.wanted}: "
        "stop older servers, then run: vna db upgrade"
    )


def prepare_folder(folder: Path) -> None:
    """Make the data folder, for its owner only. Raises `InvalidConfiguration`."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidConfiguration(
            f"the data folder {folder} cannot be made: {error.strerror}"
        ) from None


def _missing_file(settings: Settings) -> bool:
    prefix = "sqlite:///"
    url = settings.database_url
    return url.startswith(prefix) and not Path(url.removeprefix(prefix)).exists()

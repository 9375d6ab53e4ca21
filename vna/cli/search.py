"""`vna search`: studies, series and instances by their attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from vna.cli.attributes import keys_of, text_of
from vna.cli.exits import Exit
from vna.cli.verb import Desk, finish, verb
from vna.errors import UnknownName

if TYPE_CHECKING:
    from vna.model.query import Path, Query

COLUMNS: dict[str, dict[str, str]] = {
    "studies": {
        "00080020": "date",
        "00100020": "patient id",
        "00100010": "patient",
        "00080061": "modalities",
        "00081030": "description",
        "00201208": "instances",
        "0020000D": "StudyInstanceUID",
    },
    "series": {
        "00080060": "modality",
        "00200011": "number",
        "0008103E": "description",
        "00201209": "instances",
        "0020000E": "SeriesInstanceUID",
    },
    "instances": {
        "00200013": "number",
        "00080016": "SOPClassUID",
        "00280008": "frames",
        "00080018": "SOPInstanceUID",
    },
}


@verb
def search(
    desk: Desk,
    level: Annotated[str, typer.Argument(help="studies, series or instances.")] = "studies",
    keys: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=VALUE]...", help="As in QIDO-RS: * ?, ranges A-B, lists."),
    ] = None,
    fuzzy: Annotated[bool, typer.Option("--fuzzy", help="Names by words, in any order.")] = False,
    include: Annotated[
        list[str] | None, typer.Option("--include", metavar="NAME", help="Also this; or all.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    offset: Annotated[int, typer.Option(min=0, help="Leave out the first.")] = 0,
) -> None:
    """Find by attributes: keywords or tags; names match without case and accents.

    With --json: the DICOM JSON of each. Exit code 3 where nothing matches.

    \b
    Examples:
      vna search studies PatientName='muñoz*' StudyDate=20260101-
      vna search series Modality=CT --json
    """
    if level not in COLUMNS:
        raise UnknownName("level", level, COLUMNS)
    query = _query(level, keys or [], include or [], fuzzy=fuzzy, limit=limit, offset=offset)
    with desk.archive() as archive:
        page = archive.search.find(desk.caller, query)
    if desk.out.as_json:
        for row in page.rows:
            desk.out.line(row.attributes)
    else:
        rows = [{tag: text_of(row.attributes, tag) for tag in COLUMNS[level]} for row in page.rows]
        desk.out.table(rows, COLUMNS[level])
    if page.remaining:
        more = f"{page.remaining} or more" if page.remaining_capped else str(page.remaining)
        desk.out.note(f"{more} follow: --offset {offset + len(page.rows)}, or a larger --limit")
    if not page.rows:
        desk.out.note("Nothing matches.")
        finish(Exit.NOT_FOUND)


def _query(
    level: str, keys: list[str], include: list[str], *, fuzzy: bool, limit: int, offset: int
) -> Query:
    from vna.dicom.dictionary import parse_path
    from vna.model.query import Level, Query

    levels = {"studies": Level.STUDY, "series": Level.SERIES, "instances": Level.INSTANCE}
    wanted: tuple[Path, ...] | Literal["all"] = "all"
    if "all" not in include:
        wanted = tuple(parse_path(name) for name in (*include, *COLUMNS[level]))
    return Query(levels[level], keys_of(keys, fuzzy=fuzzy), wanted, limit, offset)

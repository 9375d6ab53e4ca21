"""`vna show`: one study, series, instance or document by its UID."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vna.cli.attributes import named, text_of
from vna.cli.verb import Desk, verb
from vna.errors import Gone, NotFound

if TYPE_CHECKING:
    from vna.app.archive import Archive
    from vna.model.answer import Row
    from vna.model.query import Level


@verb
def show(
    desk: Desk, uid: Annotated[str, typer.Argument(help="Of a study, series, instance, document.")]
) -> None:
    """What the archive holds under a UID, down to versions and digests.

    \b
    Examples:
      vna show 1.2.3
      vna show 1.2.3 --json
    """
    from vna.model.query import Level

    with desk.archive() as archive:
        for level in (Level.STUDY, Level.SERIES, Level.INSTANCE):
            rows = _find(archive, desk, level, level, uid)
            if rows:
                desk.out.record(_record(archive, desk, level, rows[0]))
                return
        gone = False
        try:
            document = archive.documents.get(desk.caller, uid)
        except Gone:
            gone = True
        except NotFound:
            gone = _is_gone(archive, desk, uid)
        else:
            from vna.cli.document import record

            desk.out.record(record(document))
            return
    if gone:
        raise Gone(f"{uid} lies in the trash: vna trash list")
    raise NotFound(f"nothing has the UID {uid}")


def _find(archive: Archive, desk: Desk, level: Level, key: Level, uid: str) -> list[Row]:
    from vna.model.query import Exact, Key, Query

    tag = (0, 0x0020000D, 0x0020000E, 0x00080018)[key]
    query = Query(level, (Key((tag,), "UI", Exact(uid)),), "all")
    page = archive.search.find(desk.caller, query)
    return page.rows


def _record(archive: Archive, desk: Desk, level: Level, row: Row) -> dict[str, Any]:
    from vna.model.query import Level

    record: dict[str, Any] = {"level": level.name.lower()}
    record |= named(row.attributes)
    if level is Level.STUDY:
        below = _find(archive, desk, Level.SERIES, Level.STUDY, row.study_uid)
        record["series"] = [
            {
                "uid": each.series_uid,
                "modality": text_of(each.attributes, "00080060"),
                "description": text_of(each.attributes, "0008103E"),
                "instances": text_of(each.attributes, "00201209"),
            }
            for each in below
        ]
    if level is Level.SERIES:
        below = _find(archive, desk, Level.INSTANCE, Level.SERIES, row.series_uid)
        record["instances"] = [each.sop_uid for each in below]
    if level is Level.INSTANCE:
        record["versions"] = _versions(archive, desk, row)
    return record


def _versions(archive: Archive, desk: Desk, row: Row) -> list[dict[str, Any]]:
    stored = archive.retrieve.instances(
        desk.caller, row.study_uid, row.series_uid, row.sop_uid, version="all", purpose="show"
    )
    return [
        {
            "version": each.version,
            "current": each.current,
            "sha256": each.sha256.hex(),
            "size": each.size,
            "transfer_syntax": each.transfer_syntax,
            "frames": each.frames,
        }
        for each in stored
    ]


def _is_gone(archive: Archive, desk: Desk, uid: str) -> bool:
    return any(entry.uid == uid for entry in archive.trash.find(desk.caller))

"""`vna document`: plain documents in and out."""

from __future__ import annotations

import mimetypes
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vna.cli.exits import Exit
from vna.cli.verb import Desk, finish, verb
from vna.cli.when import local_time
from vna.errors import BadRequest, NotFound

if TYPE_CHECKING:
    from vna.services.documents import Document

commands = typer.Typer(
    no_args_is_help=True, help="Add, list and get documents.", rich_markup_mode=None
)
CHUNK = 1 << 20  # bytes read at once
Patient = Annotated[
    str | None, typer.Option("--patient", metavar="ID", help="PatientID or AUTHORITY|ID.")
]
COLUMNS = {
    "uid": "UID",
    "title": "title",
    "type_code": "type",
    "media_type": "media type",
    "size": "bytes",
    "patient": "patient",
    "received_at": "received",
}


@commands.command()
@verb
def add(
    desk: Desk,
    file: Annotated[Path, typer.Argument(help="The document.")],
    title: Annotated[str | None, typer.Option(help="[default: the file's name]")] = None,
    type_code: Annotated[
        str, typer.Option("--type", metavar="CODE", help="What kind of document, e.g. LOINC.")
    ] = "",
    media_type: Annotated[
        str | None, typer.Option("--media-type", help="[default: by the file's name]")
    ] = None,
    patient: Patient = None,
    patient_name: Annotated[str, typer.Option("--patient-name", help="FAMILY^GIVEN.")] = "",
    birth_date: Annotated[str, typer.Option("--birth-date", metavar="YYYYMMDD")] = "",
    author: Annotated[str, typer.Option(help="Who wrote it.")] = "",
    created: Annotated[str, typer.Option(metavar="YYYYMMDD", help="When it was written.")] = "",
    uid: Annotated[str, typer.Option(help="[default: a new one]")] = "",
    organisation: Annotated[str | None, typer.Option(metavar="CODE", help="Who owns it.")] = None,
) -> None:
    """Store a document; done when it is durable.

    \b
    Examples:
      vna document add report.pdf --patient 4711 --title "Informe de alta"
      vna document add consent.pdf --type 59284-0 --json
    """
    from vna.model.patient import parse_identifier
    from vna.services.documents import DocumentFacts

    kind = media_type or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    facts = DocumentFacts(
        title=title or file.name,
        type_code=type_code,
        media_type=kind,
        patient=parse_identifier(patient) if patient else None,
        patient_name=patient_name,
        birth_date=birth_date,
        author=author,
        created=created,
        uid=uid,
    )
    try:
        stream = file.open("rb")
    except OSError as error:
        raise NotFound(f"{file} cannot be read: {error.strerror}") from None
    with stream, desk.archive(create=True) as archive:
        incoming = archive.documents.receive(desk.caller, facts, organisation=organisation)
        try:
            while chunk := stream.read(CHUNK):
                incoming.write(chunk)
        except BaseException:
            incoming.abort()
            raise
        document = incoming.finish().result()
    desk.out.record(record(document))


@commands.command("list")
@verb
def list_(
    desk: Desk,
    title: Annotated[str | None, typer.Option(help="Words of the title.")] = None,
    type_code: Annotated[str | None, typer.Option("--type", metavar="CODE")] = None,
    patient: Patient = None,
    since: Annotated[
        str | None, typer.Option(metavar="YYYYMMDD", help="Written on this day or later.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="YYYYMMDD", help="Written on this day or earlier.")
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 100,
) -> None:
    """Documents, the newest first.

    \b
    Examples:
      vna document list --patient 4711
      vna document list --title informe --json
    """
    from vna.model.patient import parse_identifier
    from vna.services.documents import DocumentQuery

    query = DocumentQuery(
        title=title,
        type_code=type_code,
        patient=parse_identifier(patient) if patient else None,
        created_from=since,
        created_to=until,
        limit=limit,
    )
    with desk.archive() as archive:
        page = archive.documents.find(desk.caller, query)
    if not desk.out.table(map(record, page.documents), COLUMNS):
        desk.out.note("No document matches.")
        finish(Exit.NOT_FOUND)
    if page.cursor is not None:
        desk.out.note(f"There are more; the first {limit} are shown (--limit).")


@commands.command()
@verb
def get(
    desk: Desk,
    uid: Annotated[str, typer.Argument(help="Its UID.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write.  [default: stdout]")
    ] = None,
) -> None:
    """Write a document's bytes as received.

    \b
    Examples:
      vna document get 2.25.7 -o report.pdf
      vna document get 2.25.7 | sha256sum
    """
    if output is None and sys.stdout.isatty():
        raise BadRequest("say where to write: --output FILE, or a pipe")
    with desk.archive() as archive:
        document = archive.documents.get(desk.caller, uid)
        chunks = archive.documents.chunks(desk.caller, uid)
        if output is None:
            sys.stdout.buffer.writelines(chunks)
        else:
            unfinished = output.with_name(f".{output.name}.part")
            with unfinished.open("wb") as stream:
                stream.writelines(chunks)
            unfinished.replace(output)
            desk.out.record(record(document))


def record(document: Document) -> dict[str, object]:
    """A document as a record of output."""
    return {
        "uid": document.uid,
        "title": document.title,
        "type_code": document.type_code,
        "media_type": document.media_type,
        "author": document.author,
        "created": document.created,
        "patient": str(document.patient) if document.patient else "",
        "patient_id": document.patient_id,
        "patient_name": document.patient_name,
        "birth_date": document.birth_date,
        "size": document.size,
        "sha256": document.sha256,
        "received_at": local_time(document.received_at),
    }

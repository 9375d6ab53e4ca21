"""`vna demo`: a small synthetic region to try things on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING

import typer

from vna.cli.verb import Desk, verb

if TYPE_CHECKING:
    from vna.app.archive import Archive
    from vna.cli.region.people import Hospital

commands = typer.Typer(
    no_args_is_help=True, help="A small synthetic region to try things on.", rich_markup_mode=None
)


@commands.callback()
def _demo() -> None: ...


@commands.command()
@verb
def load(desk: Desk) -> None:
    """Store a synthetic region: three hospitals, ten studies, documents and two conflicts.

    Nobody in it exists. Loading it again changes nothing.

    \b
    Examples:
      vna demo load
      vna demo load --data /tmp/try --json
    """
    from vna.cli.region import content

    with desk.archive(create=True) as archive:
        counts = _store(desk, archive, content.studies())
        counts += _store(desk, archive, content.conflicts())
        documents = _papers(desk, archive)
    desk.out.record(
        {"objects": counts.total(), **dict(sorted(counts.items())), "documents": documents}
    )
    desk.out.note(
        "Try: vna search studies PatientName='munoz*'   ·   vna held list   ·   vna serve"
    )


def _store(desk: Desk, archive: Archive, objects: Iterable[tuple[Hospital, bytes]]) -> Counter[str]:
    """Store objects, one reception for each hospital; returns outcomes."""
    with ExitStack() as stack:
        receptions = {}
        futures = []
        for hospital, data in objects:
            if hospital.code not in receptions:
                receptions[hospital.code] = stack.enter_context(
                    archive.ingest.reception(
                        desk.caller, "import", path="demo", organisation=hospital.code
                    )
                )
            incoming = receptions[hospital.code].incoming()
            incoming.write(data)
            futures.append(incoming.finish())
        return Counter(future.result().disposition.value for future in futures)


def _papers(desk: Desk, archive: Archive) -> int:
    from vna.cli.region import content
    from vna.model.patient import PatientIdentifier
    from vna.services.documents import DocumentFacts

    futures = []
    for paper in content.papers():
        person = paper.person
        facts = DocumentFacts(
            title=paper.title,
            type_code=paper.type_code,
            media_type="application/pdf",
            patient=PatientIdentifier(person.hospital.code, person.id),
            patient_name=person.name,
            birth_date=person.birth_date,
            created=paper.created,
            uid=paper.uid,
        )
        incoming = archive.documents.receive(desk.caller, facts, organisation=person.hospital.code)
        incoming.write(paper.data)
        futures.append(incoming.finish())
    return len([future.result() for future in futures])

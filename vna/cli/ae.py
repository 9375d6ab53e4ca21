"""`vna ae`: application entities that the archive knows, and those that ask to be known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vna.cli import ae_view
from vna.cli.correct import corrections_of
from vna.cli.verb import Desk, verb
from vna.cli.when import local_time
from vna.errors import NotFound, UnknownName

if TYPE_CHECKING:
    from vna.model.peer import Coercion, Peer, Service, Stranger

commands = typer.Typer(
    no_args_is_help=True,
    help="Application entities: who may call, and whom the archive calls.",
    rich_markup_mode=None,
)
commands.add_typer(ae_view.commands, name="view")

Title = Annotated[str, typer.Argument(metavar="TITLE", help="An AE title.")]
Services = Annotated[
    str | None,
    typer.Option(
        metavar="LIST", help="What it may ask: store,find,retrieve,commit.  [default: all]"
    ),
]
Organisation = Annotated[str | None, typer.Option(metavar="CODE", help="Owner of what it sends.")]
Description = Annotated[str | None, typer.Option(help="What people call it.")]
COLUMNS = {"title": "AE title", "address": "address", "services": "services",
           "organisation": "organisation", "description": "description"}  # fmt: skip
COERCION_COLUMNS = {"attribute": "attribute", "value": "value"}
STRANGER_COLUMNS = {"title": "AE title", "address": "from", "called": "called",
                    "last_seen": "last seen", "times": "times", "reason": "reason"}  # fmt: skip


@commands.command()
@verb
def add(
    desk: Desk,
    ae: Annotated[
        str,
        typer.Argument(
            metavar="TITLE[@HOST:PORT]", help="Without an address it calls and is never called."
        ),
    ],
    services: Services = None,
    organisation: Organisation = None,
    description: Description = None,
    tls: Annotated[bool | None, typer.Option(help="Call it over TLS.")] = None,
    authority: Annotated[
        str | None, typer.Option(help="Issuer of its patient identifiers that name none.")
    ] = None,
    character_set: Annotated[
        str | None,
        typer.Option(metavar="TERM", help="Of its questions that name none: ISO_IR 100."),
    ] = None,
    duplicates: Annotated[
        str | None,
        typer.Option(help="As setting ingest.duplicates; empty: as the archive's."),
    ] = None,
    announce: Annotated[
        bool | None, typer.Option(help="Tell it of every study that has settled.")
    ] = None,
    own_only: Annotated[
        bool | None,
        typer.Option(
            "--own-only/--sees-all", help="It finds and fetches what its organisation owns only."
        ),
    ] = None,
    certificate: Annotated[
        str | None,
        typer.Option(
            metavar="CERT", help="SHA-256 or name of the certificate it must show; empty: none."
        ),
    ] = None,
) -> None:
    """Make an AE known, or change what is known of it: what is not named stays as it is.

    It holds at once, without a restart.

    \b
    Examples:
      vna ae add CT1@10.0.0.5:104 --services store,commit --organisation hsa
      vna ae add WORKSTATION --description "reading room 2" --services find,retrieve
    """
    from vna.model.peer import Peer
    from vna.services.titles import ae_title, parse_address

    title, *address = parse_address(ae) if "@" in ae else (ae_title(ae),)
    given: dict[str, Any] = {
        "services": None if services is None else _services(services),
        "organisation": organisation,
        "description": description,
        "tls": tls,
        "authority": authority,
        "character_set": character_set,
        "announce": announce,
        "own_only": own_only,
        "certificate": certificate,
        **dict(zip(("host", "port"), address, strict=False)),
    }
    with desk.archive() as archive:
        try:
            known = archive.peers.get(desk.caller, title)
        except NotFound:
            known = Peer(title)
        wanted = replace(known, **{name: each for name, each in given.items() if each is not None})
        if duplicates is not None:
            wanted = replace(wanted, policy=_policy(duplicates))
        desk.out.record(_record(archive.peers.put(desk.caller, wanted)))


@commands.command()
@verb
def coerce(
    desk: Desk,
    title: Title,
    values: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=VALUE]...",
            help=r"Attributes by keyword or tag; several values with '\'; 'NAME=' empties.",
        ),
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="NAME", help="Take an attribute away.")
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option("--drop", metavar="NAME", help="Coerce it no more.")
    ] = None,
) -> None:
    """Change attributes of studies and series that an AE brings from now on: what is shown, not the
    objects. Corrections by hand win. Without NAME=VALUE: list what is changed.

    \b
    Examples:
      vna ae coerce CT1 InstitutionName="Hospital Sud"
      vna ae coerce CT1 --drop InstitutionName
    """
    from vna.dicom.dictionary import parse_path
    from vna.services.coercions import coercion

    wanted = [coercion(each.attribute, each.values) for each in corrections_of(values or ())] + [
        coercion(name, None) for name in remove or ()
    ]
    dropped = ["".join(f"{tag:08X}" for tag in parse_path(name)) for name in drop or ()]
    changed = {each.path for each in wanted} | set(dropped)
    with desk.archive() as archive:
        peer = archive.peers.get(desk.caller, title)
        known = {each.path for each in peer.coercions}
        for name, path in zip(drop or (), dropped, strict=True):
            if path not in known:
                raise NotFound(f"{name} of what {title} sends is not coerced")
        if changed:
            kept = [each for each in peer.coercions if each.path not in changed]
            peer = archive.peers.put(desk.caller, replace(peer, coercions=(*kept, *wanted)))
    if not desk.out.table(map(_coercion, peer.coercions), COERCION_COLUMNS):
        desk.out.note(f"Nothing of what {title} sends is coerced.")


@commands.command("list")
@verb
def list_(desk: Desk) -> None:
    """The AEs that are known.

    \b
    Examples:
      vna ae list
      vna ae list --json
    """
    with desk.archive() as archive:
        found = archive.peers.all(desk.caller)
    if not desk.out.table(map(_record, found), COLUMNS):
        desk.out.note("No AE is known.")


@commands.command()
@verb
def show(desk: Desk, title: Title) -> None:
    """All that is known of one AE.

    \b
    Examples:
      vna ae show CT1
      vna ae show CT1 --json
    """
    with desk.archive() as archive:
        desk.out.record(_record(archive.peers.get(desk.caller, title)))


@commands.command()
@verb
def remove(desk: Desk, title: Title) -> None:
    """Forget an AE. What it sent stays; rules that send to it wait.

    \b
    Examples:
      vna ae remove CT1
      vna ae remove "CT 1"
    """
    with desk.archive() as archive:
        archive.peers.remove(desk.caller, title)
    desk.out.note(f"{title} is not known any more.")


@commands.command()
@verb
def approve(
    desk: Desk,
    title: Title,
    port: Annotated[
        int, typer.Option(help="Where it listens, if the archive is to call it.", min=0)
    ] = 0,
    host: Annotated[str, typer.Option(help="[default: where it called from]")] = "",
    services: Services = None,
    organisation: Organisation = None,
    description: Description = None,
) -> None:
    """Let somebody in who called and was refused (`vna ae strangers`).

    \b
    Examples:
      vna ae approve CT1
      vna ae approve CT1 --port 104 --organisation hsa --services store,commit
    """
    from vna.model.peer import ALL_SERVICES

    with desk.archive() as archive:
        made = archive.peers.approve(
            desk.caller,
            title,
            port=port,
            host=host,
            services=ALL_SERVICES if services is None else _services(services),
            organisation=organisation or "",
            description=description or "",
        )
    desk.out.record(_record(made))


@commands.command()
@verb
def strangers(desk: Desk) -> None:
    """Who called and was not let in, the latest first, and why.

    \b
    Examples:
      vna ae strangers
      vna ae strangers --json
    """
    with desk.archive() as archive:
        found = archive.peers.strangers(desk.caller)
    if desk.out.table(map(_stranger, found), STRANGER_COLUMNS):
        desk.out.note(f"Let one in with: vna ae approve {found[0].title!r}")
    else:
        desk.out.note("Nobody was refused.")


def _services(written: str) -> frozenset[Service]:
    from vna.model.peer import Service

    known = {each.value: each for each in Service}
    words = [word.strip() for word in written.split(",")]
    for word in words:
        if word not in known:
            raise UnknownName("service", word, known)
    return frozenset(known[word] for word in words)


def _policy(written: str) -> Any:
    from vna.model.archive import DuplicatePolicy

    known = {each.value: each for each in DuplicatePolicy}
    if written and written not in known:
        raise UnknownName("policy", written, known)
    return known.get(written)


def _record(peer: Peer) -> dict[str, object]:
    host = f"[{peer.host}]" if ":" in peer.host else peer.host
    return {
        "title": peer.title,
        "address": f"{host}:{peer.port}" if peer.can_be_called else "",
        "tls": peer.tls,
        "services": sorted(each.value for each in peer.services),
        "authority": peer.authority,
        "organisation": peer.organisation,
        "character_set": peer.character_set,
        "duplicates": peer.policy.value if peer.policy else "",
        "announce": peer.announce,
        "own_only": peer.own_only,
        "certificate": peer.certificate,
        "coercions": list(map(_coercion, peer.coercions)),
        "description": peer.description,
    }


def _coercion(each: Coercion) -> dict[str, object]:
    from vna.services.coercions import name_of, values_of

    values = values_of(each)
    return {
        "attribute": name_of(each),
        "value": None if values is None else "\\".join(values),
    }


def _stranger(each: Stranger) -> dict[str, object]:
    return {
        "title": each.title,
        "address": each.address,
        "called": each.called,
        "first_seen": local_time(each.first_seen),
        "last_seen": local_time(each.last_seen),
        "times": each.times,
        "reason": each.reason,
    }

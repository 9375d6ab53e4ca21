"""`vna dicom`: asking other application entities, and what they asked of us."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vna.cli.attributes import keys_of, text_of
from vna.cli.dicom_log import log
from vna.cli.exits import Exit
from vna.cli.search import COLUMNS
from vna.cli.verb import Desk, finish, verb
from vna.cli.when import local_time

if TYPE_CHECKING:
    from dimse.scu import Scu
    from vna.model.query import Level
    from vna.services.asked_commitments import Asked

SAME_ASSOCIATION_SECONDS = 2.0  # for a result over the association that asked for it

commands = typer.Typer(
    no_args_is_help=True,
    help="Ask modalities and PACS over DIMSE; see what they asked of us.",
    rich_markup_mode=None,
)
Peer = Annotated[
    str, typer.Argument(metavar="PEER", help="AET@HOST:PORT, or the title of a known one.")
]
From = Annotated[
    str | None, typer.Option("--as", metavar="AET", help="Our title.  [default: the archive's]")
]
Study = Annotated[str, typer.Option("--study", metavar="UID", help="This study.")]
Series = Annotated[str, typer.Option("--series", metavar="UID", help="Of it only this series.")]


@commands.command()
@verb
def echo(desk: Desk, peer: Peer, as_: From = None) -> None:
    """Whether a peer answers: C-ECHO. Exit code 6 where it does not.

    \b
    Examples:
      vna dicom echo CT1@10.0.0.5:104
      vna dicom echo CT1
    """
    with _scu(desk, peer, as_) as (scu, _):
        took = scu.echo()
    desk.out.record({"peer": peer, "answered": "yes", "milliseconds": round(took * 1000, 1)})


@commands.command()
@verb
def find(
    desk: Desk,
    peer: Peer,
    level: Annotated[str, typer.Argument(help="studies, series or instances.")] = "studies",
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="As in C-FIND.")
    ] = None,
    as_: From = None,
) -> None:
    """Search a peer: C-FIND. Exit code 3 where nothing matches.

    \b
    Examples:
      vna dicom find PACS studies PatientID=12345
      vna dicom find PACS@10.0.0.9:104 series StudyInstanceUID=1.2.3 --json
    """
    from vna.errors import UnknownName
    from vna.model.query import Level

    levels = {"studies": Level.STUDY, "series": Level.SERIES, "instances": Level.INSTANCE}
    if level not in levels:
        raise UnknownName("level", level, levels)
    with _scu(desk, peer, as_) as (scu, _):
        found = list(scu.find(levels[level], _asked(level, keys or [])))
    if desk.out.as_json:
        for each in found:
            desk.out.line(each)
    else:
        rows = [{tag: text_of(each, tag) for tag in COLUMNS[level]} for each in found]
        desk.out.table(rows, COLUMNS[level])
    if not found:
        desk.out.note("Nothing matches.")
        finish(Exit.NOT_FOUND)


@commands.command()
@verb
def store(desk: Desk, peer: Peer, study: Study, series: Series = "", as_: From = None) -> None:
    """Send a study of the archive to a peer: C-STORE, in what it accepts. Exit code 4 where some
    did not arrive.

    \b
    Examples:
      vna dicom store PACS --study 1.2.3
      vna dicom store WS1@10.0.0.7:104 --study 1.2.3 --series 1.2.3.4
    """
    from dimse.sending import entries, named
    from vna.errors import NotFound

    with _scu(desk, peer, as_) as (scu, archive):
        wanted = entries(archive.search, desk.caller, named((), study, series))
        if not wanted:
            raise NotFound("nothing of that UID is stored, or shown")
        sent = 0
        failed = []
        with desk.out.progress("sending") as tell:
            for each in scu.store(archive.retrieve, desk.caller, wanted):
                sent += not each.failed
                if each.failed:
                    failed.append(each)
                tell(sent + len(failed), len(wanted))
    desk.out.record({"sent": sent, "failed": len(failed)})
    for each in failed:
        desk.out.note(f"{each.sop_uid}: {each.status:04X} {each.comment}".rstrip())
    finish(Exit.PARTIAL if failed else Exit.OK)


@commands.command()
@verb
def move(
    desk: Desk,
    peer: Peer,
    study: Study,
    to: Annotated[str, typer.Option("--to", metavar="AET", help="Who gets it; the peer knows it.")],
    series: Series = "",
    as_: From = None,
) -> None:
    """Have a peer send a study to somebody, or to this archive: C-MOVE.

    \b
    Examples:
      vna dicom move PACS --study 1.2.3 --to VNA
      vna dicom move PACS --study 1.2.3 --series 1.2.3.4 --to WS1
    """
    with _scu(desk, peer, as_) as (scu, _):
        level, keys = _unique(study, series)
        counters = scu.move(level, keys, to)
    _told(desk, counters)


@commands.command()
@verb
def get(desk: Desk, peer: Peer, study: Study, series: Series = "", as_: From = None) -> None:
    """Fetch a study of a peer into the archive: C-GET.

    \b
    Examples:
      vna dicom get PACS --study 1.2.3
      vna dicom get PACS@10.0.0.9:104 --study 1.2.3 --series 1.2.3.4
    """
    from dimse.sop_classes import COMMON_STORAGE
    from vna.services.budget import Budget

    with _scu(desk, peer, as_) as (scu, archive):
        level, keys = _unique(study, series)
        classes = _classes(scu, study)
        with archive.ingest.reception(desk.caller, "dimse", peer=peer) as reception:
            counters = scu.get(level, keys, classes or COMMON_STORAGE, reception, Budget(256 << 20))
    _told(desk, counters)


@commands.command()
@verb
def commit(
    desk: Desk,
    peer: Peer,
    study: Study,
    series: Series = "",
    wait: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How long to wait for the result.")
    ] = 60,
    as_: From = None,
) -> None:
    """Ask a peer to take the responsibility for a study that it was sent: storage commitment.

    Most peers tell the result over an association of their own, to our title at the address they
    know: the server takes it, and must be running. Exit code 4 where something is not committed, 6
    where no result came in time; `vna dicom commitments` shows it later.

    \b
    Examples:
      vna dicom commit PACS --study 1.2.3
      vna dicom commit PACS@10.0.0.9:104 --study 1.2.3 --series 1.2.3.4 --wait 300
    """
    from dimse.sending import entries, named
    from vna.errors import NotFound
    from vna.services.commitment import Reference

    with _scu(desk, peer, as_) as (scu, archive):
        wanted = entries(archive.search, desk.caller, named((), study, series))
        if not wanted:
            raise NotFound("nothing of that UID is stored, or shown")
        references = [Reference(each.sop_class, each.sop_uid) for each in wanted]
        asked = archive.asked_commitments
        uid = asked.begin(desk.caller, scu.title, references)
        deadline = time.monotonic() + wait
        if not scu.commit(asked, uid, references, min(wait, SAME_ASSOCIATION_SECONDS)):
            while asked.find(desk.caller, uid).result is None and time.monotonic() < deadline:
                time.sleep(0.2)
        found = asked.find(desk.caller, uid)
    desk.out.record(_commitment(found))
    if found.result is None:
        finish(Exit.REMOTE)
    for each, reason in found.result.failed if found.result else ():
        desk.out.note(f"{each.sop_uid}: {reason:04X}")
    for each in found.missing:
        desk.out.note(f"{each.sop_uid}: the peer says nothing of it")
    whole = found.result is not None and not found.result.failed and not found.missing
    finish(Exit.OK if whole else Exit.PARTIAL)


@commands.command()
@verb
def commitments(desk: Desk) -> None:
    """What we asked peers to commit themselves to, and what they told; of the last thirty days.

    \b
    Examples:
      vna dicom commitments
      vna dicom commitments --json
    """
    with desk.archive() as archive:
        rows = [_commitment(each) for each in archive.asked_commitments.latest(desk.caller)]
    if not desk.out.table(rows, {name: name.replace("_", " ") for name in rows[0]} if rows else {}):
        desk.out.note("Nothing was asked yet: vna dicom commit PEER --study UID")


commands.command("log")(log)


@contextmanager
def _scu(desk: Desk, peer: str, calling: str | None) -> Iterator[tuple[Scu, Any]]:
    """The peer as one to ask, and the archive. What ends an association is `RemoteFailed`."""
    from dimse.connection import Ended
    from dimse.requestor import Address
    from dimse.scu import Failed, Scu
    from vna.app.dimse_worker import scp_settings
    from vna.errors import InvalidValue, RemoteFailed
    from vna.services.titles import ae_title, parse_address

    settings = scp_settings(desk.settings)
    with desk.archive(create=True) as archive:
        if "@" in peer:
            address = Address(*parse_address(peer))
        else:
            known = archive.peers.get(desk.caller, peer)
            if not known.can_be_called:
                raise InvalidValue("peer", peer, "have an address: vna ae add AET@HOST:PORT")
            address = settings.address_of(known)
        ours = ae_title(calling) if calling else settings.titles[0]
        try:
            yield Scu(address, ours, settings.timeouts), archive
        except (Ended, Failed) as error:
            raise RemoteFailed(str(error)) from error


def _asked(level: str, keys: list[str]) -> dict[str, dict[str, Any]]:
    """Keys and columns as an identifier in DICOM JSON."""
    from vna.dicom.dictionary import parse_path, vr_of
    from vna.errors import InvalidValue

    asked: dict[str, dict[str, Any]] = {tag: {"vr": vr_of(int(tag, 16))} for tag in COLUMNS[level]}
    keys_of(keys, fuzzy=False)  # refuses what is no key
    for each in keys:
        name, _, value = each.partition("=")
        path = parse_path(name)
        if len(path) > 1:
            raise InvalidValue(name, value, "not lie in a sequence")
        vr = vr_of(path[0])
        asked[f"{path[0]:08X}"] = {"vr": vr, "Value": [value]} if value else {"vr": vr}
    return asked


def _unique(study: str, series: str) -> tuple[Level, dict[str, dict[str, Any]]]:
    from vna.model.query import Level

    keys = {"0020000D": {"vr": "UI", "Value": [study]}}
    if not series:
        return Level.STUDY, keys
    return Level.SERIES, {**keys, "0020000E": {"vr": "UI", "Value": [series]}}


def _classes(scu: Scu, study: str) -> list[str]:
    """The SOP classes of a study, if the peer says them; what is not negotiated cannot come."""
    from dimse.scu import Failed
    from vna.model.query import Level

    keys: dict[str, dict[str, Any]] = {
        "0020000D": {"vr": "UI", "Value": [study]},
        "00080062": {"vr": "UI"},
    }
    try:
        found = list(scu.find(Level.STUDY, keys))
    except Failed:
        return []
    return [uid for each in found for uid in each.get("00080062", {}).get("Value", ())]


def _commitment(found: Asked) -> dict[str, Any]:
    result = found.result
    return {
        "peer": found.peer,
        "asked_at": local_time(found.asked_at),
        "answered_at": local_time(found.answered_at),
        "instances": found.instances,
        "committed": len(result.committed) if result else 0,
        "failed": len(result.failed) + len(found.missing) if result else 0,
        "transaction_uid": found.transaction_uid,
    }


def _told(desk: Desk, counters: Any) -> None:
    desk.out.record(
        {
            "completed": counters.completed,
            "with warnings": counters.warned,
            "failed": counters.failed,
        }
    )
    finish(Exit.PARTIAL if counters.failed else Exit.OK)

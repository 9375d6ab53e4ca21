"""The program `vna`: its verbs and its first page."""

from __future__ import annotations

from typing import Annotated

import typer

from vna.cli import (
    ae,
    audit,
    backup,
    config,
    conformance,
    correct,
    db,
    demo,
    dicom,
    doctor,
    document,
    export,
    fixity,
    fsck,
    held,
    import_,
    index_tag,
    patient,
    queue,
    rebuild,
    route,
    scrub,
    search,
    serve,
    show,
    stats,
    store,
    token,
    trash,
    user,
    verify,
)

app = typer.Typer(
    name="vna",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="An archive for every image and document: stores, finds and gives back.\n\n"
    "First steps:  vna demo load, vna serve, vna search studies",
)

app.command("serve")(serve.serve)
app.command("import")(import_.import_)
app.command("export")(export.export)
app.command("search")(search.search)
app.command("show")(show.show)
app.command("stats")(stats.stats)
app.command("verify")(verify.verify)
app.command("fsck")(fsck.fsck)
app.command("scrub")(scrub.scrub)
app.command("fixity")(fixity.fixity)
app.command("rebuild")(rebuild.rebuild)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.add_typer(store.commands, name="store")
app.command("correct")(correct.correct)
app.add_typer(patient.commands, name="patient")
app.add_typer(held.commands, name="held")
app.add_typer(trash.commands, name="trash")
app.add_typer(index_tag.commands, name="index-tag")
app.add_typer(document.commands, name="document")
app.add_typer(token.commands, name="token")
app.add_typer(user.commands, name="user")
app.add_typer(audit.commands, name="audit")
app.add_typer(ae.commands, name="ae")
app.add_typer(route.commands, name="route")
app.add_typer(queue.commands, name="queue")
app.add_typer(dicom.commands, name="dicom")
app.add_typer(demo.commands, name="demo")
app.command("conformance")(conformance.conformance)
app.command("doctor")(doctor.doctor)
app.add_typer(config.commands, name="config")
app.add_typer(db.commands, name="db")


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(version("regional-vna"))
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it and end.")
    ] = False,
) -> None: ...


def main() -> None:
    """Run one verb; the exit code is one of `vna.cli.exits.Exit`."""
    app()

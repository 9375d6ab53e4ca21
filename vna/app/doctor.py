"""Is this machine, this folder and this database fit to keep an archive?

Each check is a function that yields findings; it changes nothing but a probe file it removes.
"""

from __future__ import annotations

import os
import resource
import shutil
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from vna.app.packages import PACKAGES, shared_packages
from vna.app.schema import schema
from vna.config import Settings
from vna.config.values import split_address
from vna.errors import IndexUnavailable, VnaError
from vna.index.engine import Index
from vna.model.caller import local_administrator
from vna.services.statistics import Statistics

GIB = 1 << 30
OLDEST_PYTHON = (3, 11)
FREE_BYTES = 10 * GIB  # less is a warning; under a tenth of it a failure
FREE_INODES = 10_000
SLOW_SYNC_SECONDS = 0.05
OPEN_FILES = 4096
SKEW_SECONDS = 2.0
ANSWER_SECONDS = 3.0


class Verdict(Enum):
    """What a check found."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """`fix`: what to do about it, a command where there is one; '' where nothing is wrong."""

    check: str
    verdict: Verdict
    said: str
    fix: str = ""


Findings = Iterator[Finding]


def examine(settings: Settings) -> Findings:
    """Run every check, from the machine up to the server."""
    for check in CHECKS:
        yield from check(settings)


def python_version(settings: Settings) -> Findings:
    """Python is recent enough."""
    said = sys.version.split()[0]
    if sys.version_info >= OLDEST_PYTHON:
        yield Finding("python", Verdict.OK, said)
    else:
        yield Finding("python", Verdict.FAIL, said, "install Python 3.11 or newer")


def package_owners(settings: Settings) -> Findings:
    """No other distribution has overwritten our packages (docs/adr/0001-names.md)."""
    for package, owners in shared_packages().items():
        yield Finding(
            "packages",
            Verdict.FAIL,
            f"{package} belongs to {' and '.join(owners)}",
            "install this archive into an environment of its own",
        )
    if not shared_packages():
        yield Finding("packages", Verdict.OK, f"{', '.join(PACKAGES)} have one owner")


def open_files(settings: Settings) -> Findings:
    """A process may open enough files and connections."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY or limit >= OPEN_FILES:
        yield Finding("open files", Verdict.OK, f"{limit} may be open")
    else:
        yield Finding("open files", Verdict.WARN, f"{limit} may be open", f"ulimit -n {OPEN_FILES}")


def memory(settings: Settings) -> Findings:
    """All workers may fill their budget at once."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    wanted = settings.server.workers * settings.server.budget
    said = f"{wanted / GIB:.1f} GiB of request budget, {total / GIB:.1f} GiB of memory"
    if wanted <= total // 2:
        yield Finding("memory", Verdict.OK, said)
    else:
        fix = "lower server.workers or server.budget"
        yield Finding("memory", Verdict.WARN, said, fix)


def clock(settings: Settings) -> Findings:
    """The machine's clock is kept by somebody."""
    said = time.strftime("%Y-%m-%d %H:%M:%S %Z")
    if time.time() < 1_760_000_000:  # October 2025, before the first release
        yield Finding("clock", Verdict.FAIL, f"{said} lies before this release", "set the clock")
    else:
        yield Finding("clock", Verdict.OK, said)


def data_folder(settings: Settings) -> Findings:
    """The data folder, or the place where it will be made, can be written."""
    folder = settings.data.absolute()
    place = _existing(folder)
    if not os.access(place, os.W_OK | os.X_OK):
        fix = f"chown {os.geteuid()} {place}"
        yield Finding("data folder", Verdict.FAIL, f"{place} cannot be written", fix)
    elif place != folder:
        yield Finding("data folder", Verdict.OK, f"{folder} will be made")
    elif folder.stat().st_mode & 0o007:
        fix = f"chmod o= {folder}"
        yield Finding("data folder", Verdict.WARN, f"{folder} is open to every user", fix)
    else:
        yield Finding("data folder", Verdict.OK, str(folder))


def disk_space(settings: Settings) -> Findings:
    """There is room for data."""
    free = shutil.disk_usage(_existing(settings.data.absolute())).free
    said = f"{free / GIB:.1f} GiB free"
    if free >= FREE_BYTES:
        yield Finding("disk space", Verdict.OK, said)
    else:
        verdict = Verdict.WARN if free >= FREE_BYTES // 10 else Verdict.FAIL
        yield Finding("disk space", verdict, said, "free space, or move the data folder")


def inodes(settings: Settings) -> Findings:
    """There is room for files."""
    facts = os.statvfs(_existing(settings.data.absolute()))
    if facts.f_files == 0 or facts.f_favail >= FREE_INODES:
        yield Finding("inodes", Verdict.OK, f"{facts.f_favail or 'any number of'} files left")
    else:
        yield Finding("inodes", Verdict.FAIL, f"{facts.f_favail} files left", "free inodes")


def syncing(settings: Settings) -> Findings:
    """A write can be made durable, and in a bearable time."""
    probe = _existing(settings.data.absolute()) / f".doctor-{os.getpid()}"
    began = time.perf_counter()
    try:
        with probe.open("xb") as file:
            file.write(b"\0" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
    except OSError as error:
        said = f"a file could not be synced: {error.strerror}"
        yield Finding("sync", Verdict.FAIL, said, "check the disk before anything is stored on it")
        return
    finally:
        probe.unlink(missing_ok=True)
    seconds = time.perf_counter() - began
    slow = seconds > SLOW_SYNC_SECONDS
    yield Finding(
        "sync",
        Verdict.WARN if slow else Verdict.OK,
        f"{seconds * 1000:.1f} ms for one write",
        "each acknowledgement waits for one: use a faster disk" if slow else "",
    )


def database(settings: Settings) -> Findings:
    """The database answers, has our schema, and its clock agrees with ours."""
    try:
        found = schema(settings)
    except VnaError as error:
        fix = "start the database, or correct --database"
        yield Finding("database", Verdict.FAIL, str(error), fix)
        return
    if found.present is None:
        yield Finding("database", Verdict.OK, "empty; the first start fills it")
        return
    yield Finding("database", Verdict.OK, settings.database_url.partition(":")[0])
    if found.present != found.wanted:
        said = f"schema {found.present}, wanted {found.wanted}"
        yield Finding("schema", Verdict.FAIL, said, "vna db upgrade")
        return
    yield Finding("schema", Verdict.OK, found.wanted)
    with closing(Index.open(settings.database_url)) as index:
        yield from _holdings(index)
        try:
            with index.reading() as session:
                skew = session.now() / 1000 - time.time()
        except IndexUnavailable as error:
            yield Finding("database clock", Verdict.FAIL, str(error), "start the database")
            return
    if abs(skew) <= SKEW_SECONDS:
        yield Finding("database clock", Verdict.OK, "agrees with this machine's")
    else:
        said = f"differs by {skew:.0f} s from this machine's"
        yield Finding("database clock", Verdict.WARN, said, "run an NTP client on both")


def _holdings(index: Index) -> Findings:
    counts = Statistics(index).waiting(local_administrator("doctor"))
    for name, said, fix in (
        ("held", "objects wait for a decision", "vna held list"),
        ("attention", "entries on the attention list", "look at them: /api/v1/attention"),
        ("dead_jobs", "jobs were given up", "the log of the jobs worker says why"),
        ("unsent", "instances whose sending was given up", "vna queue list --state dead"),
    ):
        verdict = Verdict.WARN if counts[name] else Verdict.OK
        yield Finding(name.replace("_", " "), verdict, f"{counts[name]} {said}",
                      fix if counts[name] else "")  # fmt: skip


def port(settings: Settings) -> Findings:
    """The port is free, or our server has it."""
    host, number = split_address(settings.http)
    if number == 0:
        yield Finding("port", Verdict.OK, "a free one is taken")
        return
    if _answers(f"http://{settings.http}/livez"):
        yield Finding("port", Verdict.OK, f"{settings.http}: a server of this archive answers")
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError as error:
            said = f"{settings.http}: {error.strerror}"
            yield Finding("port", Verdict.FAIL, said, f"vna serve --http {host}:0, or free it")
        else:
            yield Finding("port", Verdict.OK, f"{settings.http} is free")


def public_url(settings: Settings) -> Findings:
    """Where clients are sent, a server of this archive answers."""
    if not settings.server.public_url:
        yield Finding("public url", Verdict.OK, f"{settings.public_url}, the listening address")
    elif _answers(f"{settings.public_url}/livez"):
        yield Finding("public url", Verdict.OK, f"{settings.public_url} answers")
    else:
        fix = "start the server and the proxy, or correct server.public_url"
        yield Finding("public url", Verdict.WARN, f"{settings.public_url} does not answer", fix)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def _existing(path: Path) -> Path:
    return next(place for place in (path, *path.parents) if place.exists())


CHECKS: tuple[Callable[[Settings], Findings], ...] = (
    python_version,
    package_owners,
    open_files,
    memory,
    clock,
    data_folder,
    disk_space,
    inodes,
    syncing,
    database,
    port,
    public_url,
)

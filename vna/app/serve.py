"""`vna serve`: prepare everything, then fork and supervise."""

from __future__ import annotations

import json
import logging
import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from vna.app import listener, logs, memory, metrics
from vna.app.packages import shared_packages
from vna.app.schema import upgrade
from vna.app.supervisor import Outcome, Role, Supervisor, ends_within
from vna.config import Settings
from vna.config.values import is_loopback
from vna.errors import Conflict, InvalidConfiguration, Unavailable

log = logging.getLogger("vna.serve")

AGAIN_SECONDS = 1.0  # between attempts to begin again

# OpenBLAS, which numpy loads, otherwise starts threads when it is imported: before the fork.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def serve(settings: Settings, *, as_json: bool = False) -> bool:
    """Serve until SIGTERM or SIGINT; False when a process had to be killed.

    Raises `InvalidConfiguration` and `IndexUnavailable` before anything is started.
    """
    _refuse_shared_packages()
    refuse_open_doors(settings)
    memory.tune_allocator()
    logs.configure(format=settings.log.format, level=settings.log.level)
    upgrade(settings)
    opened = listener.listeners(settings.http, settings.server.workers)
    host = f"[{opened[0].host}]" if ":" in opened[0].host else opened[0].host
    settings = replace(settings, http=f"{host}:{opened[0].port}")
    called = _listeners(settings.dimse, settings, "--dimse")
    if called:
        settings = replace(settings, dimse=f"{called[0].host}:{called[0].port}")
    secured = _listeners(settings.dimse_tls, settings, "dimse_tls")
    metrics.prepare(run_folder(settings) / "metrics")

    # Late: OpenBLAS reads its setting, and prometheus_client its folder, when they are imported.
    from vna.app.background import BackgroundWorker, call_others, run_jobs
    from vna.app.dimse_worker import DimseWorker
    from vna.app.recovery import begin_apart
    from vna.app.worker import HttpWorker

    every = [*opened, *called, *secured]

    def roles(history: str) -> list[Role]:
        return [
            *(HttpWorker(settings, each, every, history) for each in opened),
            *(DimseWorker(settings, each, every, history) for each in called),
            *(DimseWorker(settings, each, every, history, tls=True) for each in secured),
            BackgroundWorker("jobs", run_jobs, settings, every, history),
            BackgroundWorker("calling", call_others, settings, every, history),
        ]

    history: str | None = begin_apart(settings)
    _announce(settings, as_json=as_json)
    try:
        while history is not None:
            outcome = Supervisor(
                roles(history), drain_seconds=settings.server.drain_seconds, on_exit=metrics.forget
            ).run()
            if outcome is not Outcome.ANEW:
                return outcome is Outcome.ENDED
            history = _begun_again(lambda: begin_apart(settings))
        return True
    finally:
        shutil.rmtree(run_folder(settings), ignore_errors=True)


def _begun_again(begin: Callable[[], str]) -> str | None:
    """What `begin` returns as soon as it can; None when we are told to end before."""
    while True:
        try:
            return begin()
        except (Unavailable, Conflict) as error:
            log.warning("the archive cannot begin yet", extra={"reason": str(error)})
        if ends_within(AGAIN_SECONDS):
            return None


def refuse_open_doors(settings: Settings) -> None:
    """Raise `InvalidConfiguration` where others than this machine would reach the archive without
    saying who they are, or in a way that others can listen to."""
    controlled = settings.access.control == "on"
    if not is_loopback(settings.http):
        if not controlled:
            raise InvalidConfiguration(
                f"http is {settings.http}, which other machines reach, and there is no access "
                "control: set access.control = on and make tokens (vna token create)"
            )
        if not settings.tls.certificate and not settings.access.behind_proxy:
            raise InvalidConfiguration(
                f"http is {settings.http}, and tokens would cross the network in the clear: set "
                "tls.certificate and tls.key, or access.behind_proxy where a proxy ends TLS"
            )
    if settings.dimse and not is_loopback(settings.dimse):
        if not controlled:
            raise InvalidConfiguration(
                f"dimse is {settings.dimse}, which other machines reach, and there is no access "
                "control: set access.control = on"
            )
        if settings.scp.unknown_callers == "open":
            raise InvalidConfiguration(
                f"dimse is {settings.dimse}, which other machines reach, and lets anybody in: set "
                "scp.unknown_callers to ask or known"
            )
    if settings.dimse_tls:
        if not settings.tls.certificate:
            raise InvalidConfiguration("dimse_tls needs tls.certificate and tls.key")
        if not is_loopback(settings.dimse_tls) and not controlled:
            raise InvalidConfiguration(
                f"dimse_tls is {settings.dimse_tls}, which other machines reach, and there is no "
                "access control: set access.control = on"
            )
        anybody = settings.scp.unknown_callers == "open" and not settings.tls.client_ca
        if not is_loopback(settings.dimse_tls) and anybody:
            raise InvalidConfiguration(
                f"dimse_tls is {settings.dimse_tls}, which other machines reach, and lets anybody "
                "in: set tls.client_ca, or scp.unknown_callers to ask or known"
            )
    for name in ("certificate", "key", "client_ca", "trusted"):
        path = getattr(settings.tls, name)
        if bool(settings.tls.certificate) != bool(settings.tls.key):
            raise InvalidConfiguration("tls.certificate and tls.key go together")
        if path and not Path(path).is_file():
            raise InvalidConfiguration(f"tls.{name} is {path}, which is no file")


def _listeners(address: str, settings: Settings, flag: str) -> list[listener.Listener]:
    if not address:
        return []
    return listener.listeners(address, settings.scp.workers, flag=flag)


def run_folder(settings: Settings) -> Path:
    """Files that matter only while this server runs: one folder for each machine and port."""
    port = settings.http.rpartition(":")[2]
    return settings.data.absolute() / "run" / f"{socket.gethostname()}-{port}"


def _refuse_shared_packages() -> None:
    for package, owners in shared_packages().items():
        raise InvalidConfiguration(
            f"the package {package} belongs to {' and '.join(owners)}, so its files may be "
            "anybody's: install this archive into an environment of its own"
        )


def _announce(settings: Settings, *, as_json: bool) -> None:
    facts = {
        "url": settings.public_url,
        "dicomweb": settings.public_url + settings.dicomweb.root,
        "dimse": settings.dimse or "off",
        "ae_title": settings.ae_title[0],
        "data": str(settings.data.absolute()),
        "workers": settings.server.workers,
        "pid": os.getpid(),
    }
    if as_json:
        print(json.dumps(facts), flush=True)
        return
    print(
        f"archive      {facts['url']}\n"
        f"DICOMweb     {facts['dicomweb']}\n"
        f"DIMSE        {_dimse(settings)}\n"
        f"data folder  {facts['data']}\n"
        f"workers      {facts['workers']}; Ctrl-C ends them",
        flush=True,
    )


def _dimse(settings: Settings) -> str:
    if not settings.dimse:
        return "off"
    return " and ".join(f"{title}@{settings.dimse}" for title in settings.ae_title)

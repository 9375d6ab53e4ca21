"""Every HTTP face of one process as one ASGI application, counted and logged."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping

import dicomweb.application
import vna.api.application
from dicomweb.wado_uri import WADO
from vna.app.archive import Archive
from vna.app.metrics import CONTENT_TYPE, Metrics
from vna.config import Settings
from vna.errors import StorageUnavailable
from vna.http.body import Receive
from vna.http.callers import Anybody, Controlled
from vna.http.edge import Edge
from vna.http.request import Scope
from vna.http.sending import Send
from vna.http.settings import Answered, EdgeSettings
from vna.model.caller import local_administrator
from vna.services.assembly import Assembly
from vna.services.budget import Budget

log = logging.getLogger("vna.http")


def application(archive: Archive, settings: Settings, metrics: Metrics) -> Faces:
    """The application of this process; make it after the fork."""
    budget = Budget(settings.server.budget)
    edge = EdgeSettings(
        public_url=settings.public_url,
        root=settings.dicomweb.root,
        threads=settings.server.threads,
        budget_bytes=settings.server.budget,
        strict_accept=settings.dicomweb.strict_accept,
        max_results=settings.dicomweb.max_results,
        ignored_parameters=settings.dicomweb.ignored_parameters,
        embedded=not archive.index.postgresql,
        behind_proxy=settings.access.behind_proxy,
        callers=(
            Controlled(archive.access, archive.sessions, settings.public_url)
            if settings.access.control == "on"
            else Anybody()
        ),
        observe=_observer(metrics),
    )
    images = dicomweb.application.build(
        dicomweb.application.Services(
            archive.ingest,
            Assembly(archive.decoders),
            archive.search,
            archive.retrieve,
            archive.metadata,
            archive.trash,
            archive.commitment,
            archive.views,
            archive.slides,
        ),
        edge,
        budget,
    )
    rest = vna.api.application.build(
        vna.api.application.Services(
            archive.documents,
            archive.held,
            archive.trash,
            archive.patients,
            archive.corrections,
            archive.ledger,
            archive.peers,
            archive.access,
            archive.users,
            archive.sessions,
            archive.association_log,
            archive.routing,
            archive.outgoing,
            {
                "database": archive.check_database,
                "storage": lambda: _check_storage(archive, settings),
            },
            lambda: (CONTENT_TYPE, metrics.exposition(_gauges(archive, settings))),
        ),
        edge,
        budget,
    )
    return Faces(images, rest, settings.dicomweb.root)


class Faces:
    """DICOMweb below `root`, and WADO-URI also where old viewers look for it; the rest beside."""

    def __init__(self, images: Edge, rest: Edge, root: str) -> None:
        self._images, self._rest, self._root = images, rest, root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request (ASGI)."""
        path: str = scope["path"]
        inside = path in (self._root, WADO) or path.startswith(f"{self._root}/")
        await (self._images if inside else self._rest)(scope, receive, send)

    def close(self) -> None:
        """End the threads, once no request is under way."""
        self._images.close()
        self._rest.close()


def _observer(metrics: Metrics) -> Callable[[Answered], None]:
    def observe(request: Answered) -> None:
        metrics.answered(request)
        failed = request.status >= 400 or not request.whole
        level = logging.INFO if failed or request.method != "GET" else logging.DEBUG
        if log.isEnabledFor(level):
            log.log(
                level,
                "request",
                extra={
                    "method": request.method,
                    "route": request.template or "none",
                    "status": request.status,
                    "ms": round(request.seconds * 1000, 1),
                    "received": request.received,
                    "sent": request.sent,
                    "whole": request.whole,
                },
            )

    return observe


def _gauges(archive: Archive, settings: Settings) -> Mapping[str, tuple[str, float]]:
    waiting = archive.statistics.waiting(local_administrator("metrics"))
    free = shutil.disk_usage(settings.data).free
    away = sum(not each.is_here() for each in archive.objects.stores.values())
    return {
        "vna_stores_away": ("Stores that do not answer, or are not those they should be.", away),
        "vna_storage_free_bytes": ("Free space of the data folder.", free),
        "vna_held": ("Objects that wait for a decision.", waiting["held"]),
        "vna_needs_attention": ("Entries on the attention list.", waiting["attention"]),
        "vna_dead_jobs": ("Jobs that were given up.", waiting["dead_jobs"]),
        "vna_rows_unlogged": ("Rows that the stores do not know yet.", waiting["unlogged"]),
        "vna_unsent": ("Instances whose sending was given up.", waiting["unsent"]),
    }


def _check_storage(archive: Archive, settings: Settings) -> None:
    archive.objects.targets.chosen(room=1)  # or says that there are too few stores
    try:
        free = shutil.disk_usage(settings.data).free
    except OSError as error:
        raise StorageUnavailable(f"the data folder is away: {error.strerror}") from error
    if free < settings.store.reserve:
        raise StorageUnavailable(f"only {free} bytes are free")

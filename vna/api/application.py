"""The application of /api/v1, health and metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from vna.api import (
    associations,
    corrections,
    documents,
    health,
    held,
    ledger,
    outgoing,
    patients,
    peers,
    routing,
    session,
    tokens,
    trash,
    users,
)
from vna.api.endpoint import Operation
from vna.api.openapi import document
from vna.http.answer import Answer, json_answer
from vna.http.edge import Edge
from vna.http.request import Request
from vna.http.router import Intake, Route
from vna.http.settings import EdgeSettings
from vna.services.access import Access
from vna.services.association_log import AssociationLog
from vna.services.budget import Budget
from vna.services.corrections import Corrections
from vna.services.documents import Documents
from vna.services.held import HeldObjects
from vna.services.ledger import Ledger
from vna.services.outgoing import Outgoing
from vna.services.patients import Patients
from vna.services.peers import Peers
from vna.services.routing import Routing
from vna.services.sessions import Sessions
from vna.services.trash import Trash
from vna.services.users import Users

ROOT = "/api/v1"


@dataclass(frozen=True, slots=True)
class Services:
    """What the API speaks for. `checks`: what must work for /readyz, each raising what is wrong;
    `metrics` gives media type and body."""

    documents: Documents
    held: HeldObjects
    trash: Trash
    patients: Patients
    corrections: Corrections
    ledger: Ledger
    peers: Peers
    access: Access
    users: Users
    sessions: Sessions
    association_log: AssociationLog
    routing: Routing
    outgoing: Outgoing
    checks: Mapping[str, Callable[[], None]]
    metrics: Callable[[], tuple[str, bytes]]


def operations(
    services: Services, pool: ThreadPoolExecutor, base_url: str, *, secure: bool
) -> list[Operation]:
    """Every operation of /api/v1. `base_url`: its absolute root; `secure`: it is HTTPS."""
    return [
        *ledger.operations(services.ledger),
        *documents.operations(services.documents, services.trash, pool, base_url),
        *held.operations(services.held),
        *trash.operations(services.trash),
        *patients.operations(services.patients),
        *corrections.operations(services.corrections),
        *peers.operations(services.peers),
        *session.operations(services.sessions, secure=secure),
        *users.operations(services.users),
        *tokens.operations(services.access),
        *associations.operations(services.association_log),
        *routing.operations(services.routing),
        *outgoing.operations(services.outgoing),
    ]


def build(services: Services, settings: EdgeSettings, budget: Budget) -> Edge:
    """The ASGI application of /api/v1, /livez, /readyz and /metrics.

    `budget` admits request bodies; share it with the other faces of the process. Make it after the
    fork: it owns threads.
    """
    pool = ThreadPoolExecutor(settings.threads, "api")
    base_url = settings.public_url + ROOT
    offered = operations(services, pool, base_url, secure=settings.secure)
    described = document(offered, root=ROOT, server_url=settings.public_url)

    def openapi(request: Request) -> Answer:
        return json_answer(described)

    routes: list[Route | Intake] = [
        *health.routes(services.checks, services.metrics),
        Route("GET", f"{ROOT}/openapi.json", openapi),
        *(replace(route, template=ROOT + route.template) for route in map(_route, offered)),
    ]
    return Edge(routes, settings, root="", pools=[pool], budget=budget)


def _route(operation: Operation) -> Route | Intake:
    return operation.route()

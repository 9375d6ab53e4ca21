"""The ASGI application under every HTTP face: routes, threads, admission, errors."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any

from storage_backends.prompt import TakesTime, promptly
from vna.errors import VnaError
from vna.http import request as requests
from vna.http.answer import Answer
from vna.http.body import Body, ClientGone, Receive
from vna.http.callers import Shown
from vna.http.certificate import certificate_of
from vna.http.origin import refuse_strangers
from vna.http.problems import internal_error, method_not_allowed, no_such_path, problem_of
from vna.http.request import Request, Scope
from vna.http.router import Found, Intake, Route, Router
from vna.http.sending import Opened, Send, Sender, opened
from vna.http.settings import Answered, EdgeSettings
from vna.services.budget import Budget

log = logging.getLogger(__name__)

SMALL_BODY = 1 << 20  # bytes; what is larger asks the budget for room

App = Callable[
    [Scope, Receive, Callable[[MutableMapping[str, Any]], Awaitable[None]]], Awaitable[None]
]


class Edge:
    """Serves `routes` below `root`. `pools`: the first runs handlers, the others are the routes'
    own. `budget` admits bodies."""

    def __init__(
        self,
        routes: Iterable[Route | Intake],
        settings: EdgeSettings,
        *,
        root: str,
        pools: Sequence[ThreadPoolExecutor],
        budget: Budget,
    ) -> None:
        self._router = Router(routes)
        self.known = self._router.known  # method and template of every route
        self._settings, self._root = settings, root
        self._pools, self._pool, self._budget = pools, pools[0], budget

    def close(self) -> None:
        """End the threads, once no request is under way."""
        for pool in self._pools:
            pool.shutdown()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request (ASGI)."""
        began = time.perf_counter()
        headers = requests.headers_of(scope)
        body = Body(receive, requests.content_length(headers), self._settings.body_idle_seconds)
        found = self._router.find(scope["method"], scope["path"].removeprefix(self._root) or "/")
        sender = Sender(body, receive, send, self._pool)
        status = 499  # the client left before the answer; nginx's number for the log
        try:
            what = await self._answer(scope, headers, found, body)
            status = what.answer.status
            await sender.send(what, self._settings, expects_continue="expect" in headers)
        except ClientGone:
            sender.whole = False
        finally:
            seconds = time.perf_counter() - began
            template = self._root + found.template if found else ""
            self._settings.observe(
                Answered(scope["method"], template, status, seconds,
                         body.received, sender.sent, sender.whole)
            )  # fmt: skip

    async def _answer(
        self, scope: Scope, headers: dict[str, str], found: Found | None, body: Body
    ) -> Opened:
        try:
            if found is None:
                return _said(no_such_path())
            if scope["method"] == "OPTIONS" and found.target is None:
                return _said(Answer(204, (("Allow", ", ".join(found.allowed)),)))
            if found.target is None:
                return _said(method_not_allowed(found.allowed))
            refuse_strangers(scope["method"], headers, self._settings.host)
            peer = requests.peer_of(scope, headers, behind_proxy=self._settings.behind_proxy)
            shown = Shown(scope["method"], scope["path"], headers, peer, certificate_of(scope))
            caller = self._settings.callers.at_once(shown)
            if caller is None:
                caller = await asyncio.get_running_loop().run_in_executor(
                    self._pool, self._settings.callers.looked_up, shown
                )
            request = Request(
                scope["method"],
                scope["path"],
                requests.query_of(scope),
                headers,
                caller,
                peer,
                found.parameters,
            )
            if isinstance(found.target, Intake):
                return _said(await self._admit(found.target, request, body))
            return await self._run(found.target, request, body)
        except VnaError as error:
            return _said(problem_of(error))
        except ClientGone:
            raise
        except Exception:
            log.exception("a request failed", extra={"route": found.template if found else ""})
            return _said(internal_error())

    async def _admit(self, intake: Intake, request: Request, body: Body) -> Answer:
        most = self._settings.request_bytes
        size = most if body.length is None else min(body.length, most)
        with self._budget.acquire(size):
            return await intake.receive(request, body)

    async def _run(self, route: Route, request: Request, body: Body) -> Opened:
        if body.complete or route.body_bytes <= SMALL_BODY:
            return await self._handle(route, request, body)
        size = route.body_bytes if body.length is None else min(body.length, route.body_bytes)
        with self._budget.acquire(size):
            return await self._handle(route, request, body)

    async def _handle(self, route: Route, request: Request, body: Body) -> Opened:
        if not body.complete:
            request = replace(request, body=await body.whole(route.body_bytes))
        if route.prompt and self._settings.embedded:
            with suppress(TakesTime), promptly():
                return opened(route.handle(request), request.method)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._pool, lambda: opened(route.handle(request), request.method)
        )


def _said(answer: Answer) -> Opened:
    assert isinstance(answer.body, bytes)
    return Opened(answer, (answer.body,))

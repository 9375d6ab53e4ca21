"""Which handler a method and a path mean."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from vna.http.answer import Answer
from vna.http.body import Body
from vna.http.request import Request


@dataclass(frozen=True, slots=True)
class Route:
    """A handler that runs on a thread of the pool and may block. A `prompt` one is first tried on
    the event loop, where hops to a thread and back would cost more than the rest: it must change
    nothing, and do nothing slow that does not say so (`storage_backends.prompt`).

    `template`: "/studies/{study}"; a name stands for one segment, "{path:rest}" for one or more.
    A body is read whole before the handler runs; `body_bytes` is the most it may have.
    """

    method: str
    template: str
    handle: Callable[[Request], Answer]
    body_bytes: int = 0
    prompt: bool = False


@dataclass(frozen=True, slots=True)
class Intake:
    """A handler that takes the body as it arrives, on the event loop; it must not block.

    It is admitted only if the byte budget at the door allows, and may answer without reading.
    """

    method: str
    template: str
    receive: Callable[[Request, Body], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Found:
    """A resource and the values of its path. `target` is None where it lacks the method."""

    template: str
    target: Route | Intake | None
    parameters: dict[str, str]
    allowed: tuple[str, ...]


class Router:
    """Finds routes; the first template that fits a path wins."""

    def __init__(self, routes: Iterable[Route | Intake]) -> None:
        self._by_template: dict[str, dict[str, Route | Intake]] = {}
        for route in routes:
            self._by_template.setdefault(route.template, {})[route.method] = route
        self._patterns = [(_pattern(each), each) for each in self._by_template]

    @property
    def known(self) -> set[tuple[str, str]]:
        """Method and template of every route."""
        return {(method, each) for each, of in self._by_template.items() for method in of}

    def find(self, method: str, path: str) -> Found | None:
        """The route of `path`, or None where no resource has it. HEAD means GET."""
        for pattern, template in self._patterns:
            match = pattern.fullmatch(path)
            if match is not None:
                methods = self._by_template[template]
                target = methods.get("GET" if method == "HEAD" else method)
                return Found(template, target, match.groupdict(), _allowed(methods))
        return None


def _allowed(methods: Iterable[str]) -> tuple[str, ...]:
    known = {*methods, "OPTIONS"}
    return tuple(sorted(known | {"HEAD"} if "GET" in known else known))


def _pattern(template: str) -> re.Pattern[str]:
    parts: list[str] = []
    for literal, name, rest in re.findall(r"([^{]+)|\{(\w+)(:rest)?\}", template):
        if literal:
            parts.append(re.escape(literal))
        else:
            parts.append(f"(?P<{name}>.+)" if rest else f"(?P<{name}>[^/]+)")
    return re.compile("".join(parts))

"""/livez, /readyz and /metrics: for those who run the archive."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vna.errors import VnaError
from vna.http.answer import Answer, json_answer
from vna.http.request import Request
from vna.http.router import Route
from vna.model.caller import Right
from vna.services.rights import require


def routes(
    checks: Mapping[str, Callable[[], None]], metrics: Callable[[], tuple[str, bytes]]
) -> list[Route]:
    """The health routes. A check raises what is wrong; `metrics` gives media type and body."""

    def livez(request: Request) -> Answer:
        return json_answer({"status": "ok"})

    def readyz(request: Request) -> Answer:
        found = {name: _tried(name, check) for name, check in checks.items()}
        ready = all(state == "ok" for state in found.values())
        body: dict[str, object] = {"status": "ok" if ready else "not ready"}
        if request.has("verbose"):
            body["checks"] = found
        return json_answer(body, 200 if ready else 503)

    def metricz(request: Request) -> Answer:
        require(request.caller, Right.READ)
        media_type, body = metrics()
        return Answer(200, (("Content-Type", media_type), ("Cache-Control", "no-store")), body)

    return [
        Route("GET", "/livez", livez),
        Route("GET", "/readyz", readyz),
        Route("GET", "/metrics", metricz),
    ]


def _tried(name: str, check: Callable[[], None]) -> str:
    try:
        check()
    except VnaError as error:
        return f"{error.code}: {error}"
    return "ok"

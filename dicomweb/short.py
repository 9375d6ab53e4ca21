"""Series and instances by their own UID alone: `/series/{uid}/…` and `/instances/{uid}/…`.

An extension for whoever holds a UID and not its parents. The same handlers answer as below
`/studies`, and what they answer names the full URLs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from dicomweb.links import short_forms
from vna.errors import NotFound
from vna.http.answer import Answer
from vna.http.request import Request
from vna.http.router import Route
from vna.model.query import Exact, Key, Level, Query
from vna.services.search import Search

Handler = Callable[[Request], Answer]

_KEYS = {
    "series": (Level.SERIES, (0x0020000E,)),
    "instance": (Level.INSTANCE, (0x00080018,)),
}


def short_routes(routes: Sequence[Route], search: Search) -> Iterator[Route]:
    """The short form of every route below a series or an instance."""
    for route in routes:
        for template, name in short_forms(route.template):
            yield replace(route, template=template, handle=_of(route.handle, search, name))


def _of(handle: Handler, search: Search, name: str) -> Handler:
    level, path = _KEYS[name]

    def answer(request: Request) -> Answer:
        uid = request.parameters[name]
        query = Query(level, keys=(Key(path, "UI", Exact(uid)),), limit=1)
        page = search.find(request.caller, query)
        if not page.rows:
            raise NotFound(f"there is no {name} of this UID")
        row = page.rows[0]
        found = {"study": row.study_uid, "series": row.series_uid}
        return handle(replace(request, parameters={**found, **request.parameters}))

    return answer

"""Rendered resources of what is more than pixels (PS3.18 §10.4.1.1.3, table 8.7.4-1).

`image/svg+xml`, PDF and pictures of waveforms and of PDF pages, models and other documents under
their own media types, and video containers beyond MPEG-4 are extensions of the table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dicomweb.links import Links
from dicomweb.negotiation import MULTIPART, NOT_RENDERED, accepted
from dicomweb.representation import VARY, warning
from vna.errors import InvalidValue, NotAcceptable
from vna.http.answer import PRIVATE, Answer, Stream, not_modified, ranged
from vna.http.request import Request
from vna.services.renditions import MAKERS
from vna.services.retrieve import Retrieve, Stored
from vna.services.views.view import Viewer
from vna.services.views.views import Views
from vna.wire.accept import MediaRange, matches
from vna.wire.media_type import MediaType
from vna.wire.multipart_writer import MultipartWriter, boundary_of

_OF_EDGE = ("accept",)  # parameters that are not the viewer's


@dataclass(frozen=True, slots=True)
class Choice:
    """How a view is sent: its media type, alone or as the part of a multipart body."""

    media_type: str
    multipart: bool


class ViewResource:
    """Shows one instance by the viewer of its kind."""

    def __init__(self, retrieve: Retrieve, views: Views, links: Links, *, strict: bool) -> None:
        self._retrieve, self._views, self._links = retrieve, views, links
        self._strict = strict

    def __call__(self, request: Request) -> Answer:
        """Answer GET of `…/instances/{instance}/rendered`."""
        named = request.parameters
        (stored,) = self._retrieve.instances(
            request.caller, named["study"], named["series"], named["instance"], purpose="rendered"
        )
        viewer = self._views.of(stored)
        if viewer is None:
            raise NotAcceptable("this object has no rendering")
        return self.represent(request, stored, viewer)

    def represent(self, request: Request, stored: Stored, viewer: Viewer) -> Answer:
        """The view that the client likes best. Raises `NotAcceptable`."""
        ranges = accepted(request, strict=self._strict)
        chosen = choose(ranges, viewer.media_types(stored))
        asked: dict[str, str] = {}
        for name, _ in request.query:
            if name not in _OF_EDGE:
                asked[name] = request.one(name) or ""
        view = viewer.show(stored, chosen.media_type, asked)
        base = self._links.instance(stored.study_uid, stored.series_uid, stored.sop_uid)
        headers = (("Content-Type", view.media_type), ("Content-Location", f"{base}/rendered"),
                   *view.headers)  # fmt: skip
        extra = (*VARY, *((warning(self._links.base, view.warning),) if view.warning else ()))
        said = f"{MAKERS} {stored.etag} {chosen} {sorted(asked.items())}"
        etag = hashlib.sha256(said.encode()).hexdigest()[:32]
        found = not_modified(request, etag)
        if found is not None:
            return found
        assert view.payload.size is not None
        if not chosen.multipart:
            return ranged(request, (*headers, *extra), etag, view.payload.size, view.payload.chunks)
        writer = MultipartWriter(boundary_of(etag))
        head = writer.head(headers, first=True)

        def chunks() -> Iterator[bytes]:
            yield head
            yield from view.payload.chunks()
            yield writer.tail

        around = (("Content-Type", writer.content_type(chosen.media_type)),
                  ("ETag", f'"{etag}"'), *PRIVATE, *extra)  # fmt: skip
        size = len(head) + view.payload.size + len(writer.tail)
        return Answer(200, around, Stream(size, chunks))


def choose(ranges: Sequence[MediaRange], offered: Sequence[str]) -> Choice:
    """The best of what is offered, whose first is the default. Raises `InvalidValue` where DICOM
    and rendered media types are mixed, `NotAcceptable`."""
    essences = {each.media_type.essence for each in ranges}
    if essences & set(offered) and essences & (NOT_RENDERED - {MULTIPART}):
        raise InvalidValue("Accept", "", "not mix DICOM and rendered media types (PS3.18 §8.7.5)")
    for each in ranges:
        multipart = each.media_type.essence == MULTIPART
        pattern = each.media_type.essence
        if multipart:
            pattern = _part(each.media_type)
        for media_type in offered:
            if matches(pattern, media_type):
                return Choice(media_type, multipart)
    raise NotAcceptable(f"this is shown as {', '.join(offered)}")


def _part(media_type: MediaType) -> str:
    return (media_type.parameter("type") or "*/*").lower()

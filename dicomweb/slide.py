"""Whole slides by the IIIF Image API 3.0, an extension: `…/series/{series}/iiif`."""

from __future__ import annotations

import hashlib

import orjson

from dicomweb.links import Links
from dicomweb.negotiation import accepted
from dicomweb.representation import VARY
from vna.errors import InvalidValue, NotAcceptable
from vna.http.answer import PRIVATE, Answer, not_modified, ranged
from vna.http.request import Request
from vna.services.payload import Payload
from vna.services.renditions import MAKERS
from vna.services.views.slides import Slide, Slides
from vna.services.views.view import whole

IIIF = "/iiif"
IIIF_PICTURE = IIIF + "/{region}/{size}/{rotation}/{file}"
LD_JSON = "application/ld+json"


class SlideResource:
    """The description of a slide, and any region of it at any size."""

    def __init__(self, slides: Slides, links: Links, *, strict: bool) -> None:
        self._slides, self._links, self._strict = slides, links, strict

    def base(self, request: Request) -> Answer:
        """Answer GET of the slide itself: it is described by `info.json`."""
        self._find(request)
        return Answer(303, (("Location", f"{self._identifier(request)}/info.json"), *PRIVATE))

    def info(self, request: Request) -> Answer:
        """Answer GET of `info.json`."""
        from vna.render.slide.iiif import CONTEXT, info

        slide = self._find(request)
        ranges = accepted(request, strict=self._strict)
        kind = "application/json"
        if any(each.covers(LD_JSON) and not each.wildcard for each in ranges):
            kind = f'{LD_JSON}; profile="{CONTEXT}"'
        elif not any(each.covers(kind) for each in ranges):
            raise NotAcceptable(f"the description is sent as {kind} or {LD_JSON}")
        body = orjson.dumps(info(slide.pyramid, self._identifier(request)))
        etag = _tag(slide, kind)
        found = not_modified(request, etag)
        headers = (("Content-Type", kind), ("ETag", f'"{etag}"'), *PRIVATE, *VARY)
        return found or Answer(200, headers, body)

    def picture(self, request: Request) -> Answer:
        """Answer GET of a region."""
        from vna.render.slide.iiif import MEDIA_TYPES, parse

        named = request.parameters
        quality, dot, format = named["file"].rpartition(".")
        if not dot:
            raise InvalidValue("format", named["file"], "be .jpg or .png, after the quality")
        slide = self._find(request)
        asked = parse(
            slide.pyramid, named["region"], named["size"], named["rotation"], quality, format
        )
        media_type = MEDIA_TYPES[asked.format]
        if not any(each.covers(media_type) for each in accepted(request, strict=self._strict)):
            raise NotAcceptable(f"this URL names a picture of {media_type}")
        etag = _tag(slide, repr(asked))
        found = not_modified(request, etag)
        if found is not None:
            return found
        payload: Payload = whole(self._slides.picture(slide, asked))
        assert payload.size is not None
        headers = (("Content-Type", media_type),)
        return ranged(request, headers, etag, payload.size, payload.chunks)

    def _find(self, request: Request) -> Slide:
        named = request.parameters
        return self._slides.find(request.caller, named["study"], named["series"])

    def _identifier(self, request: Request) -> str:
        named = request.parameters
        return self._links.series(named["study"], named["series"]) + IIIF


def _tag(slide: Slide, what: str) -> str:
    return hashlib.sha256(f"{MAKERS} {slide.etag} {what}".encode()).hexdigest()[:32]

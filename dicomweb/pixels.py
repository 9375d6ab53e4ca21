"""WADO-RS of frames, pixel data and bulk data (PS3.18 §10.4.1.1.4 to .6, table 8.7.3-5)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dicomweb.links import Links
from dicomweb.negotiation import OCTETS, Wanted, wanted
from dicomweb.representation import Part, represent
from vna.dicom.transfer_syntax import EXPLICIT_LE, transfer_syntax
from vna.errors import InvalidValue, NotAcceptable, NotFound
from vna.http.answer import Answer
from vna.http.request import Request
from vna.services.payload import Payload
from vna.services.retrieve import Retrieve, Stored
from vna.wire.accept import matches

PIXEL_DATA = "7FE00010"

_FRAMES = re.compile(r"[1-9][0-9]{0,8}(,[1-9][0-9]{0,8})*")


class Pixels:
    """Frames, pixel data and other bulk values, in parts or one alone."""

    def __init__(self, retrieve: Retrieve, links: Links, *, strict: bool) -> None:
        self._retrieve, self._links, self._strict = retrieve, links, strict

    def frames(self, request: Request) -> Answer:
        """Answer GET of `…/frames/{frames}`: a part for each, in the order they are named."""
        text = request.parameters["frames"]
        if not _FRAMES.fullmatch(text):
            raise InvalidValue("frames", text, "be frame numbers from 1, divided by commas")
        numbers = [int(each) for each in text.split(",")]
        candidates = wanted(request, strict=self._strict)
        stored = self._one(request, "frames")
        base = self._location(stored)
        payloads = self._retrieve.frames(stored, numbers)
        located = [
            (payload, f"{base}/frames/{number}")
            for payload, number in zip(payloads, numbers, strict=True)
        ]
        return self._choose(request, candidates, located, [stored])

    def bulkdata(self, request: Request) -> Answer:
        """Answer GET of `…/bulkdata/{path}`, a BulkDataURI of the metadata."""
        candidates = wanted(request, strict=self._strict)
        stored = self._one(request, "bulkdata")
        path = request.parameters["path"]
        location = f"{self._location(stored)}/bulkdata/{path}"
        if path.upper() == PIXEL_DATA:
            payloads = self._retrieve.pixeldata(stored)
        else:
            payloads = [self._retrieve.bulkdata(stored, path)]
        return self._choose(request, candidates, [(each, location) for each in payloads], [stored])

    def pixeldata(self, request: Request) -> Answer:
        """Answer GET of `…/pixeldata` of a study, a series or an instance."""
        candidates = wanted(request, strict=self._strict)
        stored = self._retrieve.instances(
            request.caller,
            request.parameters["study"],
            request.parameters.get("series"),
            request.parameters.get("instance"),
            purpose="pixeldata",
        )
        return self.represent(request, candidates, stored)

    def represent(
        self, request: Request, candidates: Sequence[Wanted], stored: Sequence[Stored]
    ) -> Answer:
        """The pixel data of every instance that has some. Raises `NotFound` where none has."""
        shown = [each for each in stored if each.frames]
        if not shown:
            raise NotFound("there is no pixel data")
        located = [
            (payload, f"{self._location(each)}/bulkdata/{PIXEL_DATA}")
            for each in shown
            for payload in self._retrieve.pixeldata(each)
        ]
        return self._choose(request, candidates, located, shown)

    def _one(self, request: Request, purpose: str) -> Stored:
        (stored,) = self._retrieve.instances(
            request.caller,
            request.parameters["study"],
            request.parameters["series"],
            request.parameters["instance"],
            purpose=purpose,
        )
        return stored

    def _location(self, stored: Stored) -> str:
        return self._links.instance(stored.study_uid, stored.series_uid, stored.sop_uid)

    def _choose(
        self,
        request: Request,
        candidates: Sequence[Wanted],
        located: Sequence[tuple[Payload, str]],
        stored: Sequence[Stored],
    ) -> Answer:
        etags = [each.etag for each in stored]
        for multipart in dict.fromkeys(each.multipart for each in candidates):
            if not multipart and len(located) > 1:
                continue
            shaped = [each for each in candidates if each.multipart is multipart]
            parts = [_part(shaped, *each) for each in located]
            found = [part for part in parts if part is not None]
            if len(found) == len(parts):
                return represent(request, self._links.base, found, etags, multipart=multipart)
        raise NotAcceptable(_cannot(located[0][0]))


def _part(candidates: Sequence[Wanted], payload: Payload, location: str) -> Part | None:
    stored = payload.transfer_syntax
    native = stored == EXPLICIT_LE
    syntax = transfer_syntax(stored)
    codestream = OCTETS if native else syntax.media_type
    for each in candidates:
        asked = each.transfer_syntax
        if asked not in (None, "*", stored):
            continue
        if matches(each.media_type, codestream.lower()):
            default = each.named and syntax.default_for_media_type
            return Part(payload, codestream, location, asked is None and not native and not default)
        if matches(each.media_type, OCTETS):
            return Part(payload, OCTETS, location, asked is None)
    return None


def _cannot(payload: Payload) -> str:
    name = transfer_syntax(payload.transfer_syntax).name
    return (
        f"this is stored as {payload.transfer_syntax} ({name}) and is sent as "
        f"{transfer_syntax(payload.transfer_syntax).media_type} or {OCTETS}; anything else would "
        "need a codec: accept transfer-syntax=*"
    )

"""WADO-RS of frames, pixel data and bulk data (PS3.18 §10.4.1.1.3 to .6, table 8.7.3-5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

from dicomweb.choice import pixel_choices
from dicomweb.links import Links
from dicomweb.negotiation import OCTETS, Wanted, wanted
from dicomweb.representation import Part, represent
from storage_backends.prompt import takes_time
from vna.dicom.anatomy import Kind
from vna.dicom.transfer_syntax import EXPLICIT_LE, transfer_syntax
from vna.errors import InvalidValue, NotAcceptable, NotFound
from vna.http.answer import Answer
from vna.http.request import Request
from vna.services.payload import Payload
from vna.services.retrieve import Retrieve, Stored
from vna.wire.accept import matches

PIXEL_DATA = "7FE00010"

FEW_FRAMES = 8  # of one request, that are looked for on the event loop
_FRAMES = re.compile(r"[1-9][0-9]{0,8}(,[1-9][0-9]{0,8})*")


@dataclass(frozen=True, slots=True)
class _Bulk:
    """Something of one instance that leaves in parts: pixel data, or another value.

    `open`: the payloads in a transfer syntax, None for as stored. `locations`: of each payload, the
    last one of all that are left.
    """

    stored: Stored
    open: Callable[[str | None], list[Payload]]
    locations: Sequence[str]
    pixels: bool = True


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
        if len(numbers) > FEW_FRAMES:
            takes_time()
        candidates = wanted(request, strict=self._strict)
        stored = self._one(request, "frames")
        base = self._location(stored)
        self._retrieve.frames(stored, numbers)  # 404 for one that is not there comes before 406

        def opened(syntax: str | None) -> list[Payload]:
            if syntax is None:
                return self._retrieve.frames(stored, numbers)
            return self._retrieve.frames_in(stored, numbers, syntax)

        locations = [f"{base}/frames/{number}" for number in numbers]
        return self._choose(request, candidates, [_Bulk(stored, opened, locations)])

    def bulkdata(self, request: Request) -> Answer:
        """Answer GET of `…/bulkdata/{path}`, a BulkDataURI of the metadata."""
        candidates = wanted(request, strict=self._strict)
        stored = self._one(request, "bulkdata")
        path = request.parameters["path"]
        return self._choose(request, candidates, [self._bulk(stored, path)])

    def all_bulkdata(self, request: Request) -> Answer:
        """Answer GET of `…/bulkdata` of a study, a series or an instance: every value that the
        metadata name by a BulkDataURI."""
        candidates = wanted(request, strict=self._strict)
        found = [
            self._bulk(stored, path)
            for stored in self._all(request, "bulkdata")
            for path in self._retrieve.bulk_paths(stored)
        ]
        if not found:
            raise NotFound("there is no bulk data")
        return self._choose(request, candidates, found)

    def pixeldata(self, request: Request) -> Answer:
        """Answer GET of `…/pixeldata` of a study, a series or an instance."""
        candidates = wanted(request, strict=self._strict)
        return self.represent(request, candidates, self._all(request, "pixeldata"))

    def represent(
        self, request: Request, candidates: Sequence[Wanted], stored: Sequence[Stored]
    ) -> Answer:
        """The pixel data of every instance that has some. Raises `NotFound` where none has."""
        shown = [self._pixels(each) for each in stored if each.frames]
        if not shown:
            raise NotFound("there is no pixel data")
        return self._choose(request, candidates, shown)

    def _all(self, request: Request, purpose: str) -> Sequence[Stored]:
        return self._retrieve.instances(
            request.caller,
            request.parameters["study"],
            request.parameters.get("series"),
            request.parameters.get("instance"),
            purpose=purpose,
        )

    def _one(self, request: Request, purpose: str) -> Stored:
        (stored,) = self._all(request, purpose)
        return stored

    def _location(self, stored: Stored) -> str:
        return self._links.instance(stored.study_uid, stored.series_uid, stored.sop_uid)

    def _bulk(self, stored: Stored, path: str) -> _Bulk:
        if path.upper() == PIXEL_DATA:
            return self._pixels(stored)
        location = f"{self._location(stored)}/bulkdata/{path}"
        return _Bulk(
            stored,
            lambda syntax: [self._retrieve.bulkdata(stored, path)],
            [location],
            pixels=False,
        )

    def _pixels(self, stored: Stored) -> _Bulk:
        def opened(syntax: str | None) -> list[Payload]:
            if syntax is None:
                return self._retrieve.pixeldata(stored)
            return self._retrieve.pixeldata_in(stored, syntax)

        return _Bulk(stored, opened, [f"{self._location(stored)}/bulkdata/{PIXEL_DATA}"])

    def _choose(
        self, request: Request, candidates: Sequence[Wanted], found: Sequence[_Bulk]
    ) -> Answer:
        etags = [each.stored.etag for each in found]
        reason: NotAcceptable | None = None
        for multipart in dict.fromkeys(each.multipart for each in candidates):
            shaped = [each for each in candidates if each.multipart is multipart]
            try:
                parts = [part for each in found for part in self._parts(shaped, each)]
            except NotAcceptable as error:
                reason = reason or error
                continue
            if multipart or len(parts) == 1:
                return represent(request, self._links.base, parts, etags, multipart=multipart)
        raise reason or NotAcceptable(_cannot(found[0].stored, None))

    def _parts(self, candidates: Sequence[Wanted], bulk: _Bulk) -> list[Part]:
        stored = bulk.stored
        if not bulk.pixels:
            if any(matches(each.media_type, OCTETS) for each in candidates):
                (payload,) = bulk.open(None)
                return [Part(payload, OCTETS, bulk.locations[0])]
            raise NotAcceptable(f"this value is sent as {OCTETS}")
        encapsulated = stored.anatomy.kind is Kind.ENCAPSULATED
        lie_in = stored.transfer_syntax if encapsulated else EXPLICIT_LE
        reason: NotAcceptable | None = None
        for choice in pixel_choices(candidates, lie_in, strict=self._strict):
            try:
                payloads = bulk.open(choice.syntax)
            except NotAcceptable as error:
                reason = reason or error
                continue
            places = chain(bulk.locations, repeat(bulk.locations[-1]))
            return [
                Part(payload, choice.media_type, location, choice.instead)
                for payload, location in zip(payloads, places, strict=False)
            ]
        raise NotAcceptable(_cannot(stored, reason))


def _cannot(stored: Stored, reason: NotAcceptable | None) -> str:
    row = transfer_syntax(stored.transfer_syntax)
    why = f": {reason}" if reason else ""
    return (
        f"the pixel data of {stored.sop_uid} are stored as {row.uid} ({row.name}) and cannot be "
        f"had as is asked{why}; transfer-syntax=* takes them as they are"
    )

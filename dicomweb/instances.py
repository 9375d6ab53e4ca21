"""WADO-RS of studies, series and instances (PS3.18 §10.4)."""

from __future__ import annotations

from collections.abc import Sequence

from dicomweb.choice import file_choices
from dicomweb.links import Links
from dicomweb.negotiation import DICOM, Wanted, wanted
from dicomweb.offers import ZIP
from dicomweb.package import Package
from dicomweb.pixels import Pixels
from dicomweb.representation import Part, represent
from storage_backends.prompt import takes_time
from vna.dicom.transfer_syntax import transfer_syntax
from vna.errors import InvalidValue, NotAcceptable
from vna.http.answer import Answer, not_modified, ranged
from vna.http.request import Request
from vna.services.payload import Payload
from vna.services.retrieve import Form, Retrieve, Stored
from vna.wire.accept import matches


class Instances:
    """DICOM files: current versions with their corrections, or exactly what was received."""

    def __init__(
        self, retrieve: Retrieve, pixels: Pixels, package: Package, links: Links, *, strict: bool
    ) -> None:
        self._retrieve, self._pixels, self._links = retrieve, pixels, links
        self._package, self._strict = package, strict

    def __call__(self, request: Request) -> Answer:
        """Answer GET of a study, a series or an instance."""
        sop_uid = request.parameters.get("instance")
        if request.has("original"):
            return self._original(request)
        candidates = wanted(request, strict=self._strict)
        if sop_uid is None and request.has("version"):
            raise InvalidValue("version", "", "be asked of one instance")
        stored = self._retrieve.instances(
            request.caller,
            request.parameters["study"],
            request.parameters.get("series"),
            sop_uid,
            version=_version(request),
        )
        return self._represent(request, candidates, stored, single=sop_uid is not None)

    def _represent(
        self,
        request: Request,
        candidates: Sequence[Wanted],
        stored: Sequence[Stored],
        *,
        single: bool,
    ) -> Answer:
        reason = f"what is accepted holds neither {DICOM} nor multipart/related"
        for multipart in dict.fromkeys(each.multipart for each in candidates):
            shaped = [each for each in candidates if each.multipart is multipart]
            if (multipart or single) and any(matches(each.media_type, DICOM) for each in shaped):
                try:
                    parts = [self._part(shaped, each) for each in stored]
                except NotAcceptable as error:
                    reason = str(error)
                else:
                    etags = (each.etag for each in stored)
                    return represent(request, self._links.base, parts, etags, multipart=multipart)
            elif not multipart and any(each.media_type == ZIP for each in shaped):
                takes_time()
                return self._package.represent(request, stored)
            elif multipart:
                return self._pixels.represent(request, shaped, stored)
        raise NotAcceptable(reason)

    def _part(self, candidates: Sequence[Wanted], stored: Stored) -> Part:
        location = self._links.instance(stored.study_uid, stored.series_uid, stored.sop_uid)
        reason: NotAcceptable | None = None
        for choice in file_choices(candidates, stored.transfer_syntax):
            try:
                payload = self._file(stored, choice.syntax)
            except NotAcceptable as error:
                reason = reason or error
            else:
                return Part(payload, DICOM, location, choice.instead)
        raise NotAcceptable(_cannot(stored, reason))

    def _file(self, stored: Stored, syntax: str | None) -> Payload:
        if syntax is None:
            return self._retrieve.file(stored, Form.STORED)
        return self._retrieve.file_in(stored, syntax)

    def _original(self, request: Request) -> Answer:
        if "instance" not in request.parameters:
            raise InvalidValue("original", "", "be asked of one instance")
        candidates = wanted(request, strict=self._strict)
        if not any(not each.named or each.media_type == DICOM for each in candidates):
            raise NotAcceptable(f"an object as received is sent as {DICOM}")
        (stored,) = self._retrieve.instances(
            request.caller,
            request.parameters["study"],
            request.parameters["series"],
            request.parameters["instance"],
            version=_version(request),
            purpose="original",
        )
        etag = stored.sha256.hex()
        found = not_modified(request, etag)
        if found is not None:
            return found
        payload = self._retrieve.original(stored)
        assert payload.size is not None
        location = self._links.instance(stored.study_uid, stored.series_uid, stored.sop_uid)
        headers = (
            ("Content-Type", DICOM),
            ("Content-Location", f"{location}?original&version={stored.version}"),
        )
        return ranged(request, headers, etag, payload.size, payload.chunks)


def _version(request: Request) -> int | None:
    text = request.one("version")
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < len(text) < 10 or int(text) == 0:
        raise InvalidValue("version", text, "be a number from 1")
    return int(text)


def _cannot(stored: Stored, reason: NotAcceptable | None) -> str:
    name = transfer_syntax(stored.transfer_syntax).name
    why = f": {reason}" if reason else "; lossy transfer syntaxes are not made of others"
    return (
        f"instance {stored.sop_uid} is stored as {stored.transfer_syntax} ({name}) and cannot be "
        f"had as is asked{why}"
    )

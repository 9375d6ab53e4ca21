"""WADO-RS of studies, series and instances (PS3.18 §10.4)."""

from __future__ import annotations

from collections.abc import Sequence

from dicomweb.links import Links
from dicomweb.negotiation import DICOM, OCTETS, Wanted, wanted
from dicomweb.pixels import Pixels
from dicomweb.representation import Part, represent
from vna.dicom.transfer_syntax import EXPLICIT_LE, transfer_syntax
from vna.errors import InvalidValue, NotAcceptable
from vna.http.answer import Answer, not_modified, ranged
from vna.http.request import Request
from vna.services.retrieve import Form, Retrieve, Stored
from vna.wire.accept import matches


class Instances:
    """DICOM files: current versions with their corrections, or exactly what was received."""

    def __init__(self, retrieve: Retrieve, pixels: Pixels, links: Links, *, strict: bool) -> None:
        self._retrieve, self._pixels, self._links = retrieve, pixels, links
        self._strict = strict

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
            files = [each for each in shaped if matches(each.media_type, DICOM)]
            if files and (multipart or single):
                parts = [self._part(files, each) for each in stored]
                found = [part for part in parts if part is not None]
                if len(found) == len(parts):
                    etags = (each.etag for each in stored)
                    return represent(request, self._links.base, found, etags, multipart=multipart)
                reason = _cannot(stored[parts.index(None)])
            elif multipart and any(matches(each.media_type, OCTETS) for each in shaped):
                return self._pixels.represent(request, shaped, stored)
        raise NotAcceptable(reason)

    def _part(self, candidates: Sequence[Wanted], stored: Stored) -> Part | None:
        location = self._links.instance(stored.study_uid, stored.series_uid, stored.sop_uid)
        for each in candidates:
            asked = each.transfer_syntax
            if asked == "*" or (asked == stored.transfer_syntax and asked != EXPLICIT_LE):
                return Part(self._retrieve.file(stored, Form.STORED), DICOM, location)
            if asked is None or asked == EXPLICIT_LE:
                payload = self._retrieve.file(stored, Form.EXPLICIT_LE)
                as_stored = payload.transfer_syntax != EXPLICIT_LE
                if asked is None or not as_stored:
                    return Part(payload, DICOM, location, as_stored)
        return None

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


def _cannot(stored: Stored) -> str:
    name = transfer_syntax(stored.transfer_syntax).name
    return (
        f"instance {stored.sop_uid} is stored as {stored.transfer_syntax} ({name}); another "
        "transfer syntax would need a codec: accept transfer-syntax=*"
    )

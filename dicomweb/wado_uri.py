"""WADO-URI (PS3.18 §9): one object by its three UIDs, as a file or as a picture.

For viewers and documents (XDS-I) from before WADO-RS. Pictures are those of `…/rendered`: a request
is translated and handed on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil, floor

from dicomweb.choice import file_choices
from dicomweb.links import Links
from dicomweb.negotiation import DICOM, Wanted, accepted
from dicomweb.representation import INSTEAD, VARY, warning
from dicomweb.wado_parameters import Asked, Picture, asked_of
from vna.errors import InvalidValue, NotAcceptable
from vna.http.answer import PRIVATE, Answer, Headers, Stream, not_modified, ranged
from vna.http.request import Request
from vna.services.retrieve import Form, Retrieve, Stored

WADO = "/wado"
ROWS, COLUMNS, FRAMES = "00280010", "00280011", "00280008"


class WadoUri:
    """`/wado`. `rendered`: the handler of `…/rendered`, of an instance or of a frame of it."""

    def __init__(
        self,
        retrieve: Retrieve,
        rendered: Callable[[Request], Answer],
        links: Links,
        *,
        strict: bool,
        ignored: Sequence[str],
    ) -> None:
        self._retrieve, self._rendered, self._links = retrieve, rendered, links
        self._strict, self._ignored = strict, ignored

    def __call__(self, request: Request) -> Answer:
        """Answer GET."""
        header = accepted(replace(request, query=()), strict=self._strict)
        asked = asked_of(request, header, self._ignored)
        return self._file(request, asked) if asked.file else self._picture(request, asked)

    def _file(self, request: Request, asked: Asked) -> Answer:
        stored = self._stored(request, asked)
        wanted = Wanted(False, DICOM, asked.transfer_syntax)
        reason: NotAcceptable | None = None
        for choice in file_choices([wanted], stored.transfer_syntax):
            try:
                if choice.syntax is None:
                    payload = self._retrieve.file(stored, Form.STORED)
                else:
                    payload = self._retrieve.file_in(stored, choice.syntax)
            except NotAcceptable as error:
                reason = reason or error
                continue
            etag = f"{stored.etag}-{payload.transfer_syntax}"
            found = not_modified(request, etag)
            if found is not None:
                return found
            location = self._links.instance(stored.study_uid, stored.series_uid, stored.sop_uid)
            headers: Headers = (("Content-Type", DICOM), ("Content-Location", location), *VARY)
            if choice.instead:
                headers = (*headers, warning(self._links.base, INSTEAD))
            if payload.size is None:
                tagged = (*headers, ("ETag", f'"{etag}"'), *PRIVATE)
                return Answer(200, tagged, Stream(None, payload.chunks))
            return ranged(request, headers, etag, payload.size, payload.chunks)
        raise reason or NotAcceptable("a lossy transfer syntax is had only where it is stored")

    def _picture(self, request: Request, asked: Asked) -> Answer:
        stored = self._stored(request, asked)
        parameters = {
            "study": asked.study_uid,
            "series": asked.series_uid,
            "instance": asked.sop_uid,
        }
        frame = _frame(asked.picture, stored)
        if frame is not None:
            parameters["frames"] = str(frame)
        query = _query(asked, request, stored)
        return self._rendered(replace(request, query=query, parameters=parameters))

    def _stored(self, request: Request, asked: Asked) -> Stored:
        (stored,) = self._retrieve.instances(
            request.caller, asked.study_uid, asked.series_uid, asked.sop_uid
        )
        return stored


def _frame(picture: Picture, stored: Stored) -> int | None:
    """The frame to be drawn: the first where none is named; None where there are no frames."""
    if picture.frame is None:
        return 1 if stored.frames else None
    if FRAMES not in stored.attributes():
        raise InvalidValue("frameNumber", "", "be asked of a multi-frame object")
    if picture.frame > stored.frames:
        raise InvalidValue("frameNumber", "", f"be at most {stored.frames}")
    return picture.frame


def _query(asked: Asked, request: Request, stored: Stored) -> tuple[tuple[str, str], ...]:
    """The same picture in the words of WADO-RS (§8.3.5)."""
    picture = asked.picture
    found = {
        "accept": request.one("contentType"),
        "charset": request.one("charset"),
        "annotation": picture.annotation,
        "quality": None if picture.quality is None else str(picture.quality),
        "viewport": _viewport(picture, stored),
        "window": None
        if picture.window is None
        else "{:.12g},{:.12g},linear".format(*picture.window),
    }
    if picture.presentation is not None:
        found["presentationSeriesUID"], found["presentationUID"] = picture.presentation
    return tuple((name, value) for name, value in found.items() if value is not None)


def _viewport(picture: Picture, stored: Stored) -> str | None:
    """The size of the picture and the part of the image that it shows."""
    if picture.region is None and picture.rows is None and picture.columns is None:
        return None
    width, height = (_size(stored, tag) for tag in (COLUMNS, ROWS))
    left, top, right, bottom = picture.region or (0, 0, 1, 1)
    x, y = floor(left * width), floor(top * height)
    across, down = max(1, ceil(right * width) - x), max(1, ceil(bottom * height) - y)
    rows, columns = picture.rows, picture.columns
    if rows is None:
        rows = down if columns is None else ceil(columns * down / across)
    if columns is None:
        columns = across if picture.rows is None else ceil(rows * across / down)
    shown = "" if picture.region is None else f",{x},{y},{across},{down}"
    return f"{columns},{rows}{shown}"


def _size(stored: Stored, tag: str) -> int:
    values = stored.attributes().get(tag, {}).get("Value") or [0]
    if not isinstance(values[0], int) or values[0] < 1:
        raise InvalidValue("region", "", "be asked, like rows and columns, of an image")
    return values[0]

"""Rendered resources and thumbnails at every level (PS3.18 §10.4.1.1.3, .5, table 8.7.4-1).

`image/svg+xml`, PDF and pictures of waveforms and of PDF pages, models and other documents under
their own media types, and video containers beyond MPEG-4 are extensions of the table.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dicomweb.links import Links
from dicomweb.negotiation import MULTIPART, NOT_RENDERED, accepted
from dicomweb.representation import VARY, warning
from vna.errors import InvalidValue, NotAcceptable
from vna.http.answer import PRIVATE, Answer, Headers, Stream, not_modified, ranged
from vna.http.request import Request
from vna.services.renditions import MAKERS
from vna.services.retrieve import Retrieve, Stored
from vna.services.views import parameters, thumbnails
from vna.services.views.thumbnails import chosen
from vna.services.views.view import View
from vna.services.views.views import Showing, Views, is_presentation
from vna.wire.accept import MediaRange, matches
from vna.wire.multipart_writer import MultipartWriter, boundary_of

_OF_EDGE = ("accept",)  # parameters that are not the viewer's
_FRAMES = re.compile(r"[1-9][0-9]{0,8}(,[1-9][0-9]{0,8})*")


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What is sent: each thing under a media type, as the parts of a multipart body or alone; and
    how many things are left out of it."""

    parts: Sequence[tuple[Showing, str]]
    multipart: bool
    left_out: int = 0


class Rendered:
    """Shows studies, series, instances and frames."""

    def __init__(self, retrieve: Retrieve, views: Views, links: Links, *, strict: bool) -> None:
        self._retrieve, self._views, self._links = retrieve, views, links
        self._strict = strict

    def __call__(self, request: Request) -> Answer:
        """Answer GET of `…/rendered` of a study, a series, an instance or frames of it."""
        ranges = accepted(request, strict=self._strict)
        asked = _asked(request)
        stored = self._instances(request, "rendered")
        frames = request.parameters.get("frames")
        state, alone = None, list[Showing]()
        if "instance" in request.parameters:
            state = self._views.state_of(request.caller, stored[0], asked)
        if frames is not None:
            found = self._views.frames(stored[0], _numbers(frames), state)
        elif state is not None:
            found = self._views.frames(stored[0], range(1, stored[0].frames + 1), state)
        elif "instance" in request.parameters and is_presentation(stored[0]):
            found = self._views.presented(request.caller, stored[0])
        else:
            found = [showing for each in stored for showing in self._views.of(each)]
            alone = self._views.alone(stored[0]) if len(stored) == 1 else []
        if not found:
            raise NotAcceptable("nothing of it can be rendered")
        parameters.refuse_others(asked, {name for each in found for name in each.parameters})
        choice = _choose(ranges, found, alone, strict=self._strict)
        if choice.multipart or len(choice.parts) > 1:
            return self._several(request, choice, asked)
        return self._one(request, *choice.parts[0], asked)

    def thumbnail(self, request: Request) -> Answer:
        """Answer GET of `…/thumbnail` of a study, a series, an instance or one frame of it."""
        ranges = accepted(request, strict=self._strict)
        stored = chosen(self._instances(request, "thumbnail"))
        number = None
        frames = request.parameters.get("frames")
        if frames is not None:
            (number, *more) = _numbers(frames)
            if more:
                raise InvalidValue("frames", frames, "be one: a thumbnail is one picture")
        media_type = _single(ranges, thumbnails.MEDIA_TYPES)
        base = self._base(stored)
        location = f"{base}/thumbnail" if number is None else f"{base}/frames/{number}/thumbnail"
        asked = _asked(request)
        view = self._views.thumbnails.of(stored, number, media_type, asked)
        etag = _tag([stored.etag, str(number), media_type, "thumbnail", *_said(asked)])
        return _answer(request, view, etag, location, VARY)

    def _instances(self, request: Request, purpose: str) -> list[Stored]:
        named = request.parameters
        return self._retrieve.instances(
            request.caller,
            named["study"],
            named.get("series"),
            named.get("instance"),
            purpose=purpose,
        )

    def _one(
        self, request: Request, showing: Showing, media_type: str, asked: dict[str, str]
    ) -> Answer:
        view = showing.show(media_type, asked)
        etag = _tag([showing.etag, showing.path, media_type, *_said(asked)])
        extra = (*VARY, *self._warnings([view.warning]))
        return _answer(request, view, etag, self._base(showing.stored) + showing.path, extra)

    def _several(self, request: Request, choice: _Chosen, asked: dict[str, str]) -> Answer:
        """Parts that are made while they are sent, the first before the answer begins."""
        said = [
            part
            for showing, media_type in choice.parts
            for part in (showing.etag, showing.path, media_type)
        ]
        etag = _tag([*said, "multipart", *_said(asked)])
        found = not_modified(request, etag)
        if found is not None:
            return found
        head, media_type = choice.parts[0]
        first = head.show(media_type, _of_it(asked, head))
        left = f"{choice.left_out} more cannot be sent under a media type that is accepted"
        extra = self._warnings([first.warning, left if choice.left_out else ""])
        writer = MultipartWriter(boundary_of(etag))

        def chunks() -> Iterator[bytes]:
            for at, (showing, media_type) in enumerate(choice.parts):
                view = showing.show(media_type, _of_it(asked, showing)) if at else first
                location = self._base(showing.stored) + showing.path
                headers = (("Content-Type", view.media_type), ("Content-Location", location))
                yield writer.head((*headers, *view.headers), first=not at)
                yield from view.payload.chunks()
            yield writer.tail

        around = (("Content-Type", writer.content_type(choice.parts[0][1])),
                  ("ETag", f'"{etag}"'), *PRIVATE, *VARY, *extra)  # fmt: skip
        return Answer(200, around, Stream(None, chunks))

    def _base(self, stored: Stored) -> str:
        return self._links.instance(stored.study_uid, stored.series_uid, stored.sop_uid)

    def _warnings(self, texts: Sequence[str]) -> Headers:
        said = "; ".join(text for text in texts if text)
        return (warning(self._links.base, said),) if said else ()


def _choose(
    ranges: Sequence[MediaRange],
    found: Sequence[Showing],
    alone: Sequence[Showing],
    *,
    strict: bool,
) -> _Chosen:
    """What the client likes best. `alone`: ways to show many frames as one thing.

    Of several things those are sent that can be had under an accepted media type. Raises
    `InvalidValue` where DICOM and rendered media types are mixed, `NotAcceptable`.
    """
    offered = [media_type for each in (*found, *alone) for media_type in each.media_types]
    essences = {each.media_type.essence for each in ranges}
    if essences & set(offered) and essences & (NOT_RENDERED - {MULTIPART}):
        raise InvalidValue("Accept", "", "not mix DICOM and rendered media types (PS3.18 §8.7.5)")
    for each in ranges:
        pattern = each.media_type.essence
        if pattern == MULTIPART or (pattern == "*/*" and len(found) > 1 and not alone):
            part = each.media_type.parameter("type") or "*/*"
            parts = [(one, media_type) for one in found if (media_type := _of(part.lower(), one))]
            if parts:
                return _Chosen(parts, True, len(found) - len(parts))
            continue
        for one in found if len(found) == 1 else alone:
            media_type = _of(pattern, one)
            # A still picture of what moves is no answer to one who wants the standard.
            refused = strict and one in alone and "image/gif" not in one.media_types[:1]
            # Nobody gets a moving picture who did not name it.
            unnamed = one in alone and len(one.media_types) == 1 and "*" in pattern
            if media_type and not refused and not unnamed:
                return _Chosen([(one, media_type)], False)
    raise NotAcceptable(f"this is shown as {', '.join(dict.fromkeys(offered))}")


def _of(pattern: str, showing: Showing) -> str | None:
    return next((each for each in showing.media_types if matches(pattern, each)), None)


def _single(ranges: Sequence[MediaRange], offered: Sequence[str]) -> str:
    for each in ranges:
        for media_type in offered:
            if matches(each.media_type.essence, media_type):
                return media_type
    raise NotAcceptable(f"a thumbnail is sent as {', '.join(offered)}")


def _answer(request: Request, view: View, etag: str, location: str, extra: Headers) -> Answer:
    found = not_modified(request, etag)
    if found is not None:
        return found
    assert view.payload.size is not None
    headers = (("Content-Type", view.media_type), ("Content-Location", location),
               *view.headers, *extra)  # fmt: skip
    return ranged(request, headers, etag, view.payload.size, view.payload.chunks)


def _asked(request: Request) -> dict[str, str]:
    names = dict.fromkeys(name for name, _ in request.query if name not in _OF_EDGE)
    return {name: request.one(name) or "" for name in names}


def _of_it(asked: dict[str, str], showing: Showing) -> dict[str, str]:
    """What concerns one of several things: a window is for the images beside a report."""
    return {name: value for name, value in asked.items() if name in showing.parameters}


def _numbers(text: str) -> list[int]:
    if not _FRAMES.fullmatch(text):
        raise InvalidValue("frames", text, "be frame numbers from 1, divided by commas")
    return [int(each) for each in text.split(",")]


def _said(asked: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in sorted(asked.items())]


def _tag(parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join((MAKERS, *parts)).encode()).hexdigest()[:32]

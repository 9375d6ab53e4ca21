"""What a client wants of a retrieval: shape, media type and transfer syntax (PS3.18 §8.7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from vna.dicom.transfer_syntax import EXPLICIT_BE, IMPLICIT_LE
from vna.errors import InvalidValue, NotAcceptable
from vna.http.request import Request
from vna.wire.accept import ANYTHING, MediaRange, matches, parse_accept, parse_accept_parameter

DICOM = "application/dicom"
DICOM_JSON = "application/dicom+json"
DICOM_XML = "application/dicom+xml"
JSON = "application/json"
OCTETS = "application/octet-stream"
MULTIPART = "multipart/related"

MODEL_TYPES = (DICOM_JSON, JSON)  # of attributes in one body; DICOM_XML comes in parts

# Media types that only a rendering has (table 8.7.4-1); the others are compressed bulk data, too.
RENDERED = frozenset(f"image/{subtype}" for subtype in ("gif", "png", "jph")) | frozenset(
    ("text/html", "text/plain", "text/xml", "text/rtf", "application/pdf")
)
NOT_RENDERED = frozenset((DICOM, DICOM_JSON, DICOM_XML, OCTETS, MULTIPART))
# Never sent on the web (§8.7.3.2): nobody can name them.
FORBIDDEN_SYNTAXES = frozenset((IMPLICIT_LE, EXPLICIT_BE))
RENAMED = {"image/x-dicom-rle": "image/dicom-rle", "image/x-jls": "image/jls"}  # before 2013

_SYNTAX = re.compile(r"\*|[0-9]+(\.[0-9]+)*")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One acceptable representation. `media_type`: of the body, or of each part, in lower case,
    perhaps with `*`. `transfer_syntax`: a UID, "*" for as stored, None where none is named."""

    multipart: bool
    media_type: str
    transfer_syntax: str | None

    @property
    def named(self) -> bool:
        """Whether the client named the media type, rather than a pattern."""
        return "*" not in self.media_type


def accepted(request: Request, *, strict: bool) -> tuple[MediaRange, ...]:
    """What the client accepts, best first: the `accept` parameter before the header (§8.7.5).

    Without a header anything will do, unless `strict`. Raises `InvalidValue`, `NotAcceptable`.
    """
    return _accepted(request.header("accept"), request.one("accept"), strict)


def _accepted(text: str | None, parameter: str | None, strict: bool) -> tuple[MediaRange, ...]:
    if text is None and strict:
        raise NotAcceptable("the request names no acceptable media type (PS3.18 §8.7.5)")
    header = (ANYTHING,) if text is None else parse_accept(text)
    named = () if parameter is None else parse_accept_parameter(parameter, header)
    return tuple(each for each in (*named, *header) if each.q > 0)


def wanted(request: Request, *, strict: bool) -> tuple[Wanted, ...]:
    """The representations of DICOM objects and bulk data that the client accepts, best first.

    Raises `InvalidValue` where DICOM and rendered media types are mixed.
    """
    return _all_wanted(request.header("accept"), request.one("accept"), strict)


@lru_cache(maxsize=64)  # a client sends the same each time
def _all_wanted(text: str | None, parameter: str | None, strict: bool) -> tuple[Wanted, ...]:
    ranges = _accepted(text, parameter, strict)
    essences = {each.media_type.essence for each in ranges}
    if essences & RENDERED and essences & NOT_RENDERED:
        raise InvalidValue("Accept", "", "not mix DICOM and rendered media types (PS3.18 §8.7.5)")
    return tuple(found for each in ranges for found in _wanted(each))


def model_type(request: Request, *, strict: bool) -> str:
    """How to write attributes: DICOM_JSON, JSON, or DICOM_XML for parts of a multipart body.

    Raises `NotAcceptable`.
    """
    for each in accepted(request, strict=strict):
        for media_type in MODEL_TYPES:
            if each.covers(media_type):
                return media_type
        part = (each.media_type.parameter("type") or "*/*").lower()
        if each.covers(MULTIPART) and matches(part, DICOM_XML):
            return DICOM_XML
    raise NotAcceptable(f'this resource is sent as {DICOM_JSON} or {MULTIPART}; type="{DICOM_XML}"')


def _wanted(each: MediaRange) -> Iterator[Wanted]:
    media_type = each.media_type
    syntax = media_type.parameter("transfer-syntax")
    if syntax is not None and (not _SYNTAX.fullmatch(syntax) or syntax in FORBIDDEN_SYNTAXES):
        return
    if each.covers(MULTIPART):
        part = (media_type.parameter("type") or "*/*").lower()
        yield Wanted(True, RENAMED.get(part, part), syntax)
    if media_type.type not in ("*", "multipart"):
        yield Wanted(False, RENAMED.get(media_type.essence, media_type.essence), syntax)

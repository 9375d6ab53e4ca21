"""The query of a WADO-URI request (PS3.18 §9.1.2), read and checked.

A parameter that does not fit the others is refused: nobody shall see a picture, or get a file, that
is other than what was asked for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from dicomweb.negotiation import DICOM, NOT_RENDERED, RENDERED
from vna.dicom.transfer_syntax import EXPLICIT_BE, IMPLICIT_LE
from vna.errors import InvalidValue, NotAcceptable, UnknownName
from vna.http.request import Request
from vna.wire.accept import MediaRange, parse_accept_parameter

MANDATORY = ("requestType", "studyUID", "seriesUID", "objectUID")
OF_FILES = ("anonymize", "transferSyntax")
OF_PICTURES = (
    "annotation",
    "columns",
    "frameNumber",
    "imageQuality",
    "presentationSeriesUID",
    "presentationUID",
    "region",
    "rows",
    "windowCenter",
    "windowWidth",
)
PARAMETERS = (*MANDATORY, "charset", "contentType", *OF_FILES, *OF_PICTURES)

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_WHOLE = re.compile(r"[1-9][0-9]{0,8}")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class Picture:
    """How an object is to be drawn. `region`: left, top, right, bottom as fractions of the image;
    `window`: center and width; `presentation`: series and instance UID of a presentation state."""

    frame: int | None = None
    rows: int | None = None
    columns: int | None = None
    region: tuple[float, float, float, float] | None = None
    window: tuple[float, float] | None = None
    quality: int | None = None
    annotation: str | None = None
    presentation: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One WADO-URI request: for the DICOM `file`, or else a picture. `transfer_syntax`: None where
    none is named, "*" for as stored."""

    study_uid: str
    series_uid: str
    sop_uid: str
    file: bool
    transfer_syntax: str | None
    picture: Picture


def asked_of(
    request: Request, header: tuple[MediaRange, ...], ignored: Iterable[str] = ()
) -> Asked:
    """Read a request; `header`: what its Accept header allows.

    Raises `InvalidValue`, `UnknownName`, and `NotAcceptable` for what is not done here.
    """
    for name, _ in request.query:
        if name not in PARAMETERS and name not in ignored:
            raise UnknownName("parameter", name, PARAMETERS)
    if request.one("requestType") != "WADO":
        raise InvalidValue("requestType", request.one("requestType") or "", "be WADO")
    study_uid, series_uid, sop_uid = (_mandatory(request, name) for name in MANDATORY[1:])
    file = _asks_for_file(request, header)
    transfer_syntax, picture = _transfer_syntax(request), _picture(request)
    for name in OF_PICTURES if file else OF_FILES:
        if request.has(name):
            rule = "be asked of a picture" if file else f"stand beside contentType={DICOM}"
            raise InvalidValue(name, "", rule)
    if request.one("anonymize") == "yes":
        raise NotAcceptable("objects are not de-identified here")
    return Asked(study_uid, series_uid, sop_uid, file, transfer_syntax, picture)


def _mandatory(request: Request, name: str) -> str:
    value = request.one(name)
    if not value:
        raise InvalidValue(name, value or "", "be given (PS3.18 §9.1.2.1)")
    return value


def _asks_for_file(request: Request, header: tuple[MediaRange, ...]) -> bool:
    """By contentType, else by the Accept header. Raises `InvalidValue` where it is mixed."""
    text = request.one("contentType")
    name = "Accept" if text is None else "contentType"
    found = header if text is None else parse_accept_parameter(text, header, name)
    essences = {each.media_type.essence for each in found}
    if text is not None and essences & (NOT_RENDERED - {DICOM}):
        raise InvalidValue(name, text, f"be {DICOM}, or media types of pictures")
    if DICOM in essences and essences & (RENDERED | {"image/jpeg"}):
        raise InvalidValue(name, "", "not mix DICOM and rendered media types (PS3.18 §8.7.5)")
    for each in found:
        for parameter in ("transfer-syntax", "charset"):
            if text is not None and each.media_type.parameter(parameter) is not None:
                raise InvalidValue(name, text, f"not have {parameter}: the query has one for it")
    return DICOM in essences


def _transfer_syntax(request: Request) -> str | None:
    text = request.one("transferSyntax")
    anonymize = request.one("anonymize")
    if anonymize not in (None, "yes", "no"):
        raise InvalidValue("anonymize", anonymize, "be yes")
    # "*", as stored, is of no standard; dicomweb-client writes it where nothing else is asked for.
    if text is None or text == "*":
        return text
    if len(text) > 64 or _UID.fullmatch(text) is None:
        raise InvalidValue("transferSyntax", text, "be one transfer syntax UID")
    if text in (IMPLICIT_LE, EXPLICIT_BE):
        raise NotAcceptable("Implicit VR LE and Explicit VR BE are not sent on the web")
    return text


def _picture(request: Request) -> Picture:
    window = _pair(request, "windowCenter", "windowWidth")
    presentation = _pair(request, "presentationSeriesUID", "presentationUID")
    if window is not None and presentation is not None:
        raise InvalidValue("windowCenter", "", "not stand beside a presentation state")
    quality = _whole(request, "imageQuality")
    if quality is not None and quality > 100:
        raise InvalidValue("imageQuality", str(quality), "be a number from 1 to 100")
    return Picture(
        frame=_whole(request, "frameNumber"),
        rows=_whole(request, "rows"),
        columns=_whole(request, "columns"),
        region=_region(request),
        window=None if window is None else _window(*window),
        quality=quality,
        annotation=request.one("annotation"),
        presentation=presentation,
    )


def _pair(request: Request, first: str, second: str) -> tuple[str, str] | None:
    found = request.one(first), request.one(second)
    if found == (None, None):
        return None
    for name, value in zip((first, second), found, strict=True):
        if not value:
            raise InvalidValue(name, "", f"be given: {first} and {second} belong together")
    return found[0] or "", found[1] or ""


def _window(center: str, width: str) -> tuple[float, float]:
    found = _decimal("windowCenter", center), _decimal("windowWidth", width)
    if found[1] < 1:  # of the function LINEAR (PS3.3 §C.11.2.1.2)
        raise InvalidValue("windowWidth", width, "be 1 or more")
    return found


def _whole(request: Request, name: str) -> int | None:
    text = request.one(name)
    if text is None:
        return None
    if _WHOLE.fullmatch(text) is None:
        raise InvalidValue(name, text, "be one number from 1")
    return int(text)


def _decimal(name: str, text: str) -> float:
    found = float(text) if _DECIMAL.fullmatch(text) else math.inf
    if not math.isfinite(found):
        raise InvalidValue(name, text, "be a decimal number")
    return found


def _region(request: Request) -> tuple[float, float, float, float] | None:
    text = request.one("region")
    if text is None:
        return None
    rule = "be xmin,ymin,xmax,ymax, from 0 to 1 and in this order"
    parts = text.split(",")
    if len(parts) != 4:
        raise InvalidValue("region", text, rule)
    left, top, right, bottom = (_decimal("region", part) for part in parts)
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise InvalidValue("region", text, rule)
    return left, top, right, bottom

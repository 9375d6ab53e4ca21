"""The answer to a store request: the Store Instances Response Module (PS3.18 §10.5.3, Annex I)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Any

import orjson

from dicomweb.links import Links
from dicomweb.negotiation import DICOM_JSON, DICOM_XML, accepted
from dicomweb.representation import warning
from vna.dicom.native_xml import native_xml
from vna.errors import (
    BadRequest,
    MalformedBody,
    MalformedObject,
    OtherStudy,
    Unavailable,
    Unfit,
    UnsupportedMedia,
    VnaError,
)
from vna.http.answer import Answer
from vna.http.problems import problem_of
from vna.http.request import Request
from vna.model.archive import Disposition, Outcome

log = logging.getLogger(__name__)

# Warning Reason, table I.2-2
COERCED = 0xB000
NOT_OF_ITS_CLASS = 0xB007
WARNING_REASON = {
    "version": COERCED,
    "held": COERCED,
    "hidden": COERCED,
    "odd": NOT_OF_ITS_CLASS,
}
# Failure Reason, table I.2-1: the most specific class counts
PROCESSING_FAILURE = 0x0110
FAILURE_REASON: dict[type[BaseException], int] = {
    Unavailable: 0xA700,
    OtherStudy: 0xA900,
    Unfit: 0xA900,
    BadRequest: 0xC000,
    BaseException: PROCESSING_FAILURE,
}
# Stored and acknowledged, but there is nothing to retrieve yet.
NOT_SHOWN = frozenset((Disposition.HELD, Disposition.HIDDEN))
REASONS_TOLD = 5  # in Warning headers; the response module has no place for words


def response_type(request: Request) -> str:
    """The media type of the response module: XML only for a client that wants it first."""
    for each in accepted(request, strict=False):
        for media_type in (DICOM_JSON, DICOM_XML):
            if each.covers(media_type):
                return media_type
    return DICOM_JSON  # nothing is refused for how its answer would be written


def answer_of(
    parts: Sequence[Future[Outcome] | VnaError],
    broken: MalformedBody | None,
    links: Links,
    study_uid: str | None,
    media_type: str = DICOM_JSON,
    counted: str = "part",
) -> Answer:
    """What became of every part: 200, 202 with warnings or failures, or why nothing was stored.

    `parts`: futures that are done, or why a part never became one; `broken`: what is wrong with
    the body itself; `study_uid`: of the resource, where it is one study; `counted`: what they are.
    """
    outcomes: list[Outcome] = []
    failures: list[tuple[int, BaseException]] = []
    for number, part in enumerate(parts, 1):
        error = part.exception() if isinstance(part, Future) else part
        if isinstance(part, Future) and error is None:
            outcomes.append(part.result())
        elif error is not None:
            failures.append((number, error))
            if not isinstance(error, VnaError):
                log.error("an object could not be stored", exc_info=error)
    if not outcomes:
        nothing = _nothing_stored(broken, failures)
        if nothing is not None:
            return nothing
    module = _module(outcomes, [error for _, error in failures], links, study_uid)
    body = native_xml(module) if media_type == DICOM_XML else orjson.dumps(module)
    headers = [("Content-Type", media_type), ("Cache-Control", "no-store")]
    headers += _locations(outcomes, links)
    for number, error in failures[:REASONS_TOLD]:
        said = str(error) if isinstance(error, VnaError) else "the server failed"
        headers.append(warning(links.base, f"{counted} {number}: {_line(said)}"))
    return Answer(_status(outcomes, failures), tuple(headers), body)


def _nothing_stored(
    broken: MalformedBody | None, failures: list[tuple[int, BaseException]]
) -> Answer | None:
    """The problem where the body itself or the archive is at fault, rather than some objects."""
    for _, error in failures:
        if isinstance(error, Unavailable):
            return problem_of(error)
    if broken is not None:
        return problem_of(broken)
    if not failures:
        return problem_of(MalformedBody("the body holds no object"))
    return None


def _status(outcomes: list[Outcome], failures: list[tuple[int, BaseException]]) -> int:
    if outcomes:
        warned = any(outcome.warning for outcome in outcomes)
        return 202 if failures or warned else 200
    unreadable = (MalformedObject, MalformedBody, UnsupportedMedia)
    return 400 if all(isinstance(error, unreadable) for _, error in failures) else 409


def _module(
    outcomes: list[Outcome],
    errors: list[BaseException],
    links: Links,
    study_uid: str | None,
) -> dict[str, Any]:
    studies = {outcome.study_uid for outcome in outcomes}
    study = study_uid or (studies.pop() if len(studies) == 1 else None)
    module: dict[str, Any] = {"00081190": _url(links.study(study) if study else None)}
    identified = [_failed(error) for error in errors if _names(error)[1]]
    others = [_reason(error) for error in errors if not _names(error)[1]]
    if identified:
        module["00081198"] = {"vr": "SQ", "Value": identified}
    if outcomes:
        module["00081199"] = {"vr": "SQ", "Value": [_referenced(each, links) for each in outcomes]}
    if others:
        module["0008119A"] = {"vr": "SQ", "Value": others}
    return module


def _referenced(outcome: Outcome, links: Links) -> dict[str, Any]:
    url = links.instance(outcome.study_uid, outcome.series_uid, outcome.sop_uid)
    item = {
        **_sop(outcome.sop_class, outcome.sop_uid),
        "00081190": _url(None if outcome.disposition in NOT_SHOWN else url),
    }
    if outcome.warning:
        item["00081196"] = {"vr": "US", "Value": [WARNING_REASON.get(outcome.warning, COERCED)]}
    return item


def _failed(error: BaseException) -> dict[str, Any]:
    return _sop(*_names(error)) | _reason(error)


def _reason(error: BaseException) -> dict[str, Any]:
    reason = next(FAILURE_REASON[kind] for kind in type(error).__mro__ if kind in FAILURE_REASON)
    return {"00081197": {"vr": "US", "Value": [reason]}}


def _names(error: BaseException) -> tuple[str, str]:
    """SOP Class and Instance UID of a failed object, empty where the error does not know them."""
    return getattr(error, "sop_class", ""), getattr(error, "sop_uid", "")


def _sop(sop_class: str, sop_uid: str) -> dict[str, Any]:
    return {
        "00081150": {"vr": "UI", "Value": [sop_class]} if sop_class else {"vr": "UI"},
        "00081155": {"vr": "UI", "Value": [sop_uid]},
    }


def _url(url: str | None) -> dict[str, Any]:
    return {"vr": "UR", "Value": [url]} if url else {"vr": "UR"}


def _locations(outcomes: list[Outcome], links: Links) -> Iterator[tuple[str, str]]:
    """Where a new resource is: of several studies there is no one place (§10.5.3.2)."""
    studies = {outcome.study_uid for outcome in outcomes}
    if len(studies) == 1 and any(each.disposition is Disposition.NEW for each in outcomes):
        url = links.study(studies.pop())
        yield from (("Location", url), ("Content-Location", url))


def _line(text: str) -> str:
    return " ".join(text.split())[:200]

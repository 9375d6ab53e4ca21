"""Storage commitment over the web (PS3.18 §13, Annex J)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from dicomweb.negotiation import DICOM_JSON, DICOM_XML, JSON, MULTIPART, accepted
from dicomweb.representation import VARY
from vna.dicom.from_xml import from_xml
from vna.dicom.native_xml import native_xml
from vna.errors import InvalidValue, MalformedBody, NotAcceptable, UnsupportedMedia
from vna.http.answer import PRIVATE, Answer
from vna.http.request import Request
from vna.services.commitment import Commitment, Reference, Result
from vna.wire.accept import matches
from vna.wire.media_type import MediaType, parse_media_type
from vna.wire.multipart_reader import MultipartReader, PartData, PartStart
from vna.wire.multipart_writer import MultipartWriter, boundary_of

LARGEST_BODY = 16 << 20
RETRY_SECONDS = 5
MEDIA_TYPES = (DICOM_JSON, JSON, DICOM_XML)

_UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+")
_STUDIES, _SERIES, _SOPS = "00081110", "00081115", "00081199"
_FAILED_STUDIES, _FAILED_SOPS = "0008119B", "00081198"
_STUDY_UID, _SERIES_UID = "0020000D", "0020000E"
_CLASS, _INSTANCE, _REASON = "00081150", "00081155", "00081197"

Item = Mapping[str, Any]


class CommitmentResource:
    """`/commitment-requests/{transaction}`."""

    def __init__(self, commitment: Commitment) -> None:
        self._commitment = commitment

    def post(self, request: Request) -> Answer:
        """Answer POST: 200 with the result, or 202 where it takes longer."""
        shape = _wanted(request)
        uid = _transaction(request)
        references = _references(_data_set(request))
        return _answer(self._commitment.request(request.caller, uid, references), *shape)

    def get(self, request: Request) -> Answer:
        """Answer GET: 200 with the result, 202 while there is none."""
        shape = _wanted(request)
        uid = _transaction(request)
        return _answer(self._commitment.find(request.caller, uid), *shape)


def _wanted(request: Request) -> tuple[str, bool]:
    """Media type of the result, and whether it is the one part of a multipart body."""
    for each in accepted(request, strict=False):
        for media_type in MEDIA_TYPES:
            if each.covers(media_type):
                return media_type, False
            part = (each.media_type.parameter("type") or "*/*").lower()
            if each.covers(MULTIPART) and matches(part, media_type):
                return media_type, True
    raise NotAcceptable(f"a result is sent as {DICOM_JSON} or {DICOM_XML}")


def _transaction(request: Request) -> str:
    uid = request.parameters["transaction"]
    if len(uid) > 64 or _UID.fullmatch(uid) is None:
        raise InvalidValue("transaction", uid, "be a UID")
    return uid


def _data_set(request: Request) -> Item:
    media_type = _media_type(request.header("content-type"))
    body = request.body
    if media_type.essence == MULTIPART:
        media_type, body = _only_part(body, media_type)
    if media_type.essence == DICOM_XML:
        return from_xml(body)
    if media_type.essence not in (DICOM_JSON, JSON):
        raise UnsupportedMedia(f"a request for commitment is {DICOM_JSON} or {DICOM_XML}")
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedBody("the body is not JSON") from error
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if not isinstance(found, dict):
        raise MalformedBody("the body is not one data set")
    return found


def _media_type(text: str | None) -> MediaType:
    try:
        return parse_media_type(text or "")
    except InvalidValue as error:
        raise UnsupportedMedia("the Content-Type is no media type") from error


def _only_part(body: bytes, media_type: MediaType) -> tuple[MediaType, bytes]:
    reader = MultipartReader(media_type.parameter("boundary") or "")
    events = reader.feed(body)
    reader.close()
    starts = [each for each in events if isinstance(each, PartStart)]
    if len(starts) != 1:
        raise MalformedBody(f"the body has {len(starts)} parts; a request is one")
    said = starts[0].headers.get("content-type") or media_type.parameter("type")
    return _media_type(said), b"".join(each.data for each in events if isinstance(each, PartData))


def _references(said: Item) -> list[Reference]:
    """Both forms of a request (tables J.1-1 and J.1-2)."""
    if _SOPS in said and _STUDIES in said:
        raise MalformedBody("it names both Referenced SOP and Referenced Study Sequence")
    found = [Reference(_text(each, _CLASS), _text(each, _INSTANCE)) for each in _items(said, _SOPS)]
    for study in _items(said, _STUDIES):
        for series in _items(study, _SERIES):
            found += [
                Reference(
                    _text(each, _CLASS),
                    _text(each, _INSTANCE),
                    _text(study, _STUDY_UID),
                    _text(series, _SERIES_UID),
                )
                for each in _items(series, _SOPS)
            ]
    if not found:
        raise MalformedBody(
            "it names no instance: Referenced SOP Sequence (0008,1199) or Referenced Study "
            "Sequence (0008,1110) is wanted"
        )
    return found


def _items(said: Item, tag: str) -> Sequence[Item]:
    values = _values(said, tag)
    if not all(isinstance(each, dict) for each in values):
        raise MalformedBody(f"{tag} is not a sequence")
    return values


def _values(said: Item, tag: str) -> Sequence[Any]:
    attribute = said.get(tag, {})
    values = attribute.get("Value", ()) if isinstance(attribute, dict) else None
    if not isinstance(values, (list, tuple)):
        raise MalformedBody(f"{tag} is not an attribute of DICOM JSON")
    return values


def _text(said: Item, tag: str) -> str:
    values = _values(said, tag)
    if len(values) != 1 or not isinstance(values[0], str) or not values[0]:
        raise MalformedBody(f"a reference has no {tag}")
    return values[0]


def _answer(result: Result | None, media_type: str, multipart: bool) -> Answer:
    if result is None:
        return Answer(202, (("Retry-After", str(RETRY_SECONDS)), *PRIVATE))
    said = dict(sorted(_module(result).items()))
    body = native_xml(said) if media_type == DICOM_XML else orjson.dumps(said)
    if multipart:
        writer = MultipartWriter(boundary_of(media_type))
        head = writer.head([("Content-Type", media_type)], first=True)
        media_type, body = writer.content_type(media_type), head + body + writer.tail
    return Answer(200, (("Content-Type", media_type), *VARY, *PRIVATE), body)


def _module(result: Result) -> dict[str, Any]:
    committed = [(each, 0) for each in result.committed]
    module = {}
    for found, sops, studies in (
        (committed, _SOPS, _STUDIES),
        (result.failed, _FAILED_SOPS, _FAILED_STUDIES),
    ):
        plain = [each for each in found if not each[0].study_uid]
        if plain:
            module[sops] = _sequence(map(_sop, plain))
        if len(plain) < len(found):
            inner = sops if studies == _STUDIES else _FAILED_SOPS
            module[studies] = _sequence(_tree(found, inner))
    return module


def _tree(found: Sequence[tuple[Reference, int]], sops: str) -> Iterator[dict[str, Any]]:
    """By study and series, as they were named."""
    studies: dict[str, dict[str, list[tuple[Reference, int]]]] = {}
    for each in found:
        series = studies.setdefault(each[0].study_uid, {})
        series.setdefault(each[0].series_uid, []).append(each)
    for study_uid, below in studies.items():
        yield {
            _SERIES: _sequence(
                {_SERIES_UID: _uid(series_uid), sops: _sequence(map(_sop, of_series))}
                for series_uid, of_series in below.items()
            ),
            _STUDY_UID: _uid(study_uid),
        }


def _sop(found: tuple[Reference, int]) -> dict[str, Any]:
    reference, reason = found
    item = {_CLASS: _uid(reference.sop_class), _INSTANCE: _uid(reference.sop_uid)}
    if reason:
        item[_REASON] = {"vr": "US", "Value": [reason]}
    return dict(sorted(item.items()))


def _sequence(items: Any) -> dict[str, Any]:
    return {"vr": "SQ", "Value": [dict(sorted(each.items())) for each in items]}


def _uid(text: str) -> dict[str, Any]:
    return {"vr": "UI", "Value": [text]}

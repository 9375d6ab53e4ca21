"""Payloads as one body or as the parts of one, with warnings, entity tags and ranges."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from vna.http.answer import PRIVATE, Answer, Headers, Stream, not_modified, ranged
from vna.http.request import Request
from vna.services.payload import Payload
from vna.wire.media_type import MediaType
from vna.wire.multipart_writer import MultipartWriter, boundary_of

INSTEAD = (
    "Some pixel data is sent as stored: no transfer-syntax was named, and the default one cannot "
    "be made or would be larger"
)
VARY = (("Vary", "Accept"),)


@dataclass(frozen=True, slots=True)
class Part:
    """One payload under its media type. `location`: absolute URL of what it shows; `as_stored`:
    the client named no transfer syntax and gets the stored one instead of the default."""

    payload: Payload
    media_type: str
    location: str
    as_stored: bool = False

    @property
    def content_type(self) -> str:
        """The media type with its transfer syntax."""
        kind, _, subtype = self.media_type.partition("/")
        parameters = (("transfer-syntax", self.payload.transfer_syntax),)
        return str(MediaType(kind, subtype, parameters))

    @property
    def headers(self) -> Headers:
        """The part's own headers."""
        return (("Content-Type", self.content_type), ("Content-Location", self.location))


def warning(service: str, text: str) -> tuple[str, str]:
    """A Warning header in the form that PS3.18 prints: without quotes around the text."""
    return ("Warning", f"299 {service}: {text}")


def tag_of(etags: Iterable[str], parts: Sequence[Part], *, multipart: bool) -> str:
    """The entity tag of a representation: of what it shows, and of how."""
    digest = hashlib.sha256(b"multipart" if multipart else b"single")
    for etag in etags:
        digest.update(f"\n{etag}".encode())
    for part in parts:
        digest.update(f"\n{part.content_type} {part.location}".encode())
    return digest.hexdigest()[:32]


def represent(
    request: Request, service: str, parts: Sequence[Part], etags: Iterable[str], *, multipart: bool
) -> Answer:
    """The answer that carries `parts`; the only one is the body itself unless `multipart`."""
    etag = tag_of(etags, parts, multipart=multipart)
    found = not_modified(request, etag)
    if found is not None:
        return found
    extra: Headers = VARY
    if any(part.as_stored for part in parts):
        extra = (*VARY, warning(service, INSTEAD))
    if multipart:
        return _multipart(parts, etag, extra)
    (part,) = parts
    headers = (*part.headers, *extra)
    payload = part.payload
    if payload.size is None:
        tagged = (*headers, ("ETag", f'"{etag}"'), *PRIVATE)
        return Answer(200, tagged, Stream(None, payload.chunks))
    return ranged(request, headers, etag, payload.size, payload.chunks)


def _multipart(parts: Sequence[Part], etag: str, extra: Headers) -> Answer:
    writer = MultipartWriter(boundary_of(etag))
    heads = [writer.head(part.headers, first=part is parts[0]) for part in parts]
    sizes = [part.payload.size for part in parts]
    known = [size for size in sizes if size is not None]
    size = None
    if len(known) == len(parts):
        size = sum(map(len, heads)) + sum(known) + len(writer.tail)

    def chunks() -> Iterator[bytes]:
        for head, part in zip(heads, parts, strict=True):
            yield head
            yield from part.payload.chunks()
        yield writer.tail

    headers = (
        ("Content-Type", writer.content_type(parts[0].media_type)),
        ("ETag", f'"{etag}"'),
        *PRIVATE,
        *extra,
    )
    return Answer(200, headers, Stream(size, chunks))

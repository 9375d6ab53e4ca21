"""A store request of metadata and bulk data (PS3.18 §10.5.2): read whole, then put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import orjson

from dicomweb.negotiation import DICOM_JSON, DICOM_XML, JSON, OCTETS
from dicomweb.received_parts import ReceivedParts
from vna.dicom.from_xml import from_xml
from vna.dicom.source import chunks
from vna.dicom.writer import Part
from vna.errors import InvalidValue, MalformedBody, MalformedObject, UnsupportedMedia, VnaError
from vna.model.archive import Outcome
from vna.services.assembly import Assembly, BulkPart, BulkParts, Spool
from vna.services.reception import Reception
from vna.wire.media_type import MediaType, parse_media_type
from vna.wire.multipart_reader import MultipartReader

METADATA_BYTES = 32 << 20  # of all metadata of a request: they are read in memory
MOST_PARTS = 250_000
METADATA = (DICOM_JSON, JSON, DICOM_XML)


class MetadataDelivery(ReceivedParts):
    """Metadata in memory, bulk data in a spool, until the body is complete; then every object is
    made and handed in. Blocks; one thread at a time.

    `kind`: the media type of metadata. `reader` is None where the body is metadata alone.
    """

    counted = "object"

    def __init__(
        self, reception: Reception, assembly: Assembly, reader: MultipartReader | None, kind: str
    ) -> None:
        super().__init__(reader)
        self._reception, self._assembly = reception, assembly
        self._kind = kind
        self._spool = Spool(reception.raw)
        self._bulk = BulkParts()
        self._documents: list[bytearray] = []
        self._metadata_bytes = 0
        self._count = 0
        self._part: _Bulk | None = None
        self._document: bytearray | None = None
        if reader is None:
            self._begin({"content-type": kind})

    def take(self, pieces: Sequence[bytes]) -> None:
        """Take the next bytes of the body."""
        try:
            for piece in pieces:
                if self._reader is None:
                    self._write(piece)
                elif self.broken is None:
                    self._take_events(self._reader, piece)
        except MalformedBody as error:
            self.broken = error
            self.abort()

    def take_last(self, pieces: Sequence[bytes]) -> None:
        """Take the last bytes of a body that is complete, and make its objects."""
        self.take(pieces)
        try:
            if self.broken is None:
                if self._reader is not None:
                    self._reader.close()
                else:
                    self._end()
                self._make()
        except MalformedBody as error:
            self.broken = error
        finally:
            self._spool.close()

    def abort(self) -> None:
        """The body will not be complete: nothing of it is kept."""
        self._spool.close()

    def _begin(self, headers: Mapping[str, str]) -> None:
        self._count += 1
        if self._count > MOST_PARTS:
            raise MalformedBody(f"the body has more than {MOST_PARTS} parts")
        try:
            media_type = parse_media_type(headers.get("content-type") or self._default(headers))
        except InvalidValue:
            media_type = MediaType("application", "octet-stream")
            self.parts.append(UnsupportedMedia(f"the type of part {self._count} is no media type"))
        if media_type.essence in METADATA:
            self._document = bytearray()
            self._documents.append(self._document)
            return
        location = headers.get("content-location", "")
        if not location:
            self.parts.append(MalformedBody(f"part {self._count} has no Content-Location"))
        self._part = _Bulk(self._count, location, media_type, self._spool.size)

    def _default(self, headers: Mapping[str, str]) -> str:
        """A part that does not say what it is: bulk data have a place, metadata have none."""
        return OCTETS if "content-location" in headers else self._kind

    def _write(self, data: bytes | memoryview) -> None:
        if self._document is None:
            self._spool.write(data)
            return
        self._metadata_bytes += len(data)
        if self._metadata_bytes > METADATA_BYTES:
            raise MalformedBody(
                f"the metadata have more than {METADATA_BYTES} bytes; large values are bulk data"
            )
        self._document += data

    def _end(self) -> None:
        if self._part is not None:
            part, end = self._part, self._spool.size
            if (end - part.offset) % 2:
                self._spool.write(b"\0")
            found = BulkPart(part.number, part.media_type, part.offset, end - part.offset)
            if part.location:
                self._bulk.add(part.location, found)
        self._part = self._document = None

    def _make(self) -> None:
        models = [model for document in self._documents for model in self._models(bytes(document))]
        self._documents.clear()
        for model in models:
            try:
                made = self._assembly.parts(
                    model, self._bulk, self._spool, self._reception.study_uid
                )
                self.parts.append(self._hand_in(made))
            except VnaError as error:
                self.parts.append(error)
        for number in self._bulk.unused():
            self.parts.append(MalformedObject(f"no metadata name the location of part {number}"))

    def _models(self, document: bytes) -> Iterable[Any]:
        """The objects of one part of metadata: one of XML, an array of JSON."""
        if document.lstrip()[:1] == b"<" or self._kind == DICOM_XML:
            try:
                return [from_xml(document)]
            except MalformedObject as error:
                raise MalformedBody(str(error)) from error
        try:
            found = orjson.loads(document)
        except orjson.JSONDecodeError as error:
            raise MalformedBody(f"the metadata are no JSON: {_reason(error)}") from error
        return found if isinstance(found, list) else [found]

    def _hand_in(self, made: Sequence[Part]) -> Future[Outcome]:
        incoming = self._reception.incoming()
        try:
            for piece in _bytes(made, self._spool):
                incoming.write(piece)
        except BaseException:
            incoming.abort()
            raise
        return incoming.finish()


class _Bulk:
    """A part of bulk data while it arrives."""

    def __init__(self, number: int, location: str, media_type: MediaType, offset: int) -> None:
        self.number, self.location = number, location
        self.media_type, self.offset = media_type, offset


def _bytes(parts: Sequence[Part], spool: Spool) -> Iterator[bytes]:
    for part in parts:
        if isinstance(part, bytes):
            yield part
        else:
            yield from chunks(spool, part.offset, part.length)


def _reason(error: orjson.JSONDecodeError) -> str:
    """Where it breaks, without what stands there: that may be a patient's name."""
    return f"{error.msg.split(':')[0]} at line {error.lineno}, column {error.colno}"

"""WADO-RS metadata (PS3.18 §10.4.1.1.2): stored gzip is sent as it is; XML is made from it."""

from __future__ import annotations

from dicomweb.links import Links
from dicomweb.model_parts import model_parts
from dicomweb.negotiation import DICOM_XML, model_type
from vna.http.answer import PRIVATE, Answer, Stream, not_modified
from vna.http.request import Request
from vna.services.metadata import Metadata, MetadataDocument
from vna.wire.accept import accepts_coding


class MetadataResource:
    """DICOM JSON of a study, a series or an instance, one array; or XML, a part for each."""

    def __init__(self, metadata: Metadata, links: Links, *, strict: bool) -> None:
        self._metadata, self._links, self._strict = metadata, links, strict

    def __call__(self, request: Request) -> Answer:
        """Answer GET of `…/metadata`."""
        media_type = model_type(request, strict=self._strict)
        document = self._metadata.find(
            request.caller,
            request.parameters["study"],
            request.parameters.get("series"),
            request.parameters.get("instance"),
            base_url=self._links.base,
        )
        if media_type == DICOM_XML:
            return self._xml(request, document)
        gzip = accepts_coding(request.header("accept-encoding") or "", "gzip")
        etag = f"{document.etag}-gzip" if gzip else document.etag
        found = not_modified(request, etag)
        if found is not None:
            return found
        headers = (
            ("Content-Type", media_type),
            ("ETag", f'"{etag}"'),
            ("Vary", "Accept, Accept-Encoding"),
            *PRIVATE,
        )
        if gzip:
            body = Stream(document.gzip_size, document.gzip)
            return Answer(200, (*headers, ("Content-Encoding", "gzip")), body)
        return Answer(200, headers, Stream(document.size, document.plain))

    def _xml(self, request: Request, document: MetadataDocument) -> Answer:
        etag = f"{document.etag}-xml"
        found = not_modified(request, etag)
        if found is not None:
            return found
        content_type, body = model_parts(etag, document.objects, self._links)
        headers = (("Content-Type", content_type), ("ETag", f'"{etag}"'), ("Vary", "Accept"))
        return Answer(200, (*headers, *PRIVATE), body)

"""/api/v1/documents: plain documents, whose body is the request's body."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from vna.api.endpoint import Call, Endpoint, Operation, Upload, moment
from vna.errors import InvalidValue, MalformedBody, UnsupportedMedia, VnaError
from vna.http.answer import Answer, json_answer, not_modified, ranged
from vna.http.body import Body, ClientGone
from vna.http.threads import on_thread
from vna.model.patient import parse_identifier
from vna.services.documents import (
    Document,
    DocumentFacts,
    DocumentQuery,
    Documents,
    IncomingDocument,
)
from vna.services.trash import Trash
from vna.wire.media_type import parse_media_type

STEP_BYTES = 1 << 20
# A browser shows these itself; anything else might run script with this archive's origin.
SHOWN_INLINE = frozenset(("application/pdf", "image/jpeg", "image/png"))


@dataclass(frozen=True, slots=True)
class NewDocument:
    """What the sender says; the media type is the request's Content-Type. `type`: a code of the
    organisation's choice. Dates are DICOM DA or DT; `patient` is "ID" or "AUTHORITY|ID"."""

    title: str
    type: str = ""
    patient: str | None = None
    patient_name: str = ""
    birth_date: str = ""
    author: str = ""
    created: str = ""
    uid: str = ""
    organisation: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentsQuery:
    """`title`: words in any order, by prefix. `after`: the `next` of the last page."""

    title: str | None = None
    type: str | None = None
    patient: str | None = None
    created_from: str | None = None
    created_to: str | None = None
    limit: int = 100
    after: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A stored document; patient values as shown now, after merges and corrections."""

    uid: str
    title: str
    type: str
    media_type: str
    author: str
    created: str
    patient: str | None
    patient_name: str
    birth_date: str
    size: int
    sha256: str
    received_at: str | None
    content: str


@dataclass(frozen=True, slots=True)
class DocumentList:
    """Newest reception first. `next`: `after` of the next page; null on the last."""

    documents: list[DocumentView]
    next: str | None


@dataclass(frozen=True, slots=True)
class Deletion:
    """Why it is deleted, for the audit."""

    reason: str = "deleted over the API"


def operations(
    documents: Documents, trash: Trash, pool: ThreadPoolExecutor, base_url: str
) -> list[Operation]:
    """The operations of documents. `pool`: threads that receive; `base_url`: of /api/v1."""

    async def store_document(call: Call, body: Body) -> Answer:
        """Store a document. Equal bytes under a known UID are the same document."""
        if body.length == 0:
            raise MalformedBody("the body is empty: there is nothing to store")
        incoming = await on_thread(pool, partial(_begin, documents, call))
        try:
            async for batch in _batches(body):
                await on_thread(pool, partial(incoming.write, batch))
        except (ClientGone, VnaError, asyncio.CancelledError):
            await on_thread(pool, incoming.abort)
            raise
        future = await on_thread(pool, incoming.finish)
        view = _view(await asyncio.wrap_future(future), base_url)
        return json_answer(view, 201, (("Location", view.content.removesuffix("/content")),))

    def list_documents(call: Call) -> DocumentList:
        """Documents, newest reception first."""
        query: DocumentsQuery = call.query
        page = documents.find(
            call.caller,
            DocumentQuery(
                title=query.title,
                type_code=query.type,
                patient=parse_identifier(query.patient) if query.patient else None,
                created_from=query.created_from,
                created_to=query.created_to,
                limit=min(query.limit, 1000),
                after=_cursor(query.after),
            ),
        )
        following = "-".join(map(str, page.cursor)) if page.cursor else None
        return DocumentList([_view(each, base_url) for each in page.documents], following)

    def show_document(call: Call) -> DocumentView:
        """What is known of a document."""
        return _view(documents.get(call.caller, call.path["uid"]), base_url)

    def read_document(call: Call) -> Answer:
        """The bytes of a document, or a range of them."""
        document = documents.get(call.caller, call.path["uid"])
        etag = document.sha256.hex()
        found = not_modified(call.request, etag)
        if found is not None:
            return found
        inline = document.media_type in SHOWN_INLINE
        headers = (
            ("Content-Type", document.media_type),
            ("Content-Disposition", "inline" if inline else "attachment"),
        )
        return ranged(
            call.request,
            headers,
            etag,
            document.size,
            lambda start, length: documents.chunks(call.caller, document.uid, start, length),
        )

    def delete_document(call: Call) -> None:
        """Move a document to the trash."""
        trash.put(call.caller, call.query.reason, document_uid=call.path["uid"])

    return [
        Upload("POST", "/documents", store_document, DocumentView, NewDocument),
        Endpoint("GET", "/documents", list_documents, DocumentList, DocumentsQuery),
        Endpoint("GET", "/documents/{uid}", show_document, DocumentView),
        Endpoint("GET", "/documents/{uid}/content", read_document, Answer, media_type="*/*"),
        Endpoint("DELETE", "/documents/{uid}", delete_document, None, Deletion),
    ]


def _begin(documents: Documents, call: Call) -> IncomingDocument:
    said: NewDocument = call.query
    text = call.request.header("content-type")
    if text is None:
        raise UnsupportedMedia("the request names no Content-Type")
    facts = DocumentFacts(
        title=said.title,
        type_code=said.type,
        media_type=parse_media_type(text).essence,
        patient=parse_identifier(said.patient) if said.patient else None,
        patient_name=said.patient_name,
        birth_date=said.birth_date,
        author=said.author,
        created=said.created,
        uid=said.uid,
    )
    return documents.receive(
        call.caller, facts, organisation=said.organisation, peer=call.request.peer
    )


async def _batches(body: Body) -> AsyncIterator[bytes]:
    """The body in pieces that are worth a thread."""
    batch: list[bytes] = []
    size = 0
    async for chunk in body.chunks():
        batch.append(chunk)
        size += len(chunk)
        if size >= STEP_BYTES:
            yield b"".join(batch)
            batch, size = [], 0
    if batch:
        yield b"".join(batch)


def _cursor(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    first, _, second = text.partition("-")
    if not (text.isascii() and first.isdigit() and second.isdigit() and len(text) < 40):
        raise InvalidValue("after", text, "be the next of a page")
    return int(first), int(second)


def _view(document: Document, base_url: str) -> DocumentView:
    return DocumentView(
        uid=document.uid,
        title=document.title,
        type=document.type_code,
        media_type=document.media_type,
        author=document.author,
        created=document.created,
        patient=str(document.patient) if document.patient else None,
        patient_name=document.patient_name,
        birth_date=document.birth_date,
        size=document.size,
        sha256=document.sha256.hex(),
        received_at=moment(document.received_at),
        content=f"{base_url}/documents/{document.uid}/content",
    )

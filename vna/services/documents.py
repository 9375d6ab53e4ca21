"""Plain documents: a report as PDF, a letter, a consent form; items like studies."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import xxhash

from vna.dicom import names, temporal
from vna.errors import (
    Forbidden,
    InvalidValue,
    RangeNotSatisfiable,
    Unavailable,
)
from vna.index import columns, documents, organisations
from vna.index.documents import DocumentFilter, DocumentRow, NewDocument
from vna.index.engine import Index, Session
from vna.index.organisations import Organisation
from vna.model.archive import Place
from vna.model.caller import Caller, Right
from vna.model.patient import PatientIdentifier
from vna.objects import RAW_BYTES, Append, ObjectStore, RawObject, RecordNames, RecordType
from vna.services.audit import ReadAudit
from vna.services.document_facts import (
    Document,
    DocumentFacts,
    DocumentPage,
    DocumentQuery,
    check,
    patient_said,
)
from vna.services.journal import Journal, Stamp
from vna.services.rights import require

MOST = 1000  # documents of one page

__all__ = [
    "Document",
    "DocumentFacts",
    "DocumentPage",
    "DocumentQuery",
    "Documents",
    "IncomingDocument",
]


class Documents:
    """Plain documents: store, find, get. The trash takes them like studies.

    `authority`: the issuer of identifiers that name none, where their organisation has none of its
    own. `organisation`: code of the owner where none is named.
    """

    def __init__(
        self,
        index: Index,
        objects: ObjectStore,
        journal: Journal,
        audit: ReadAudit,
        *,
        authority: str = "",
        organisation: str = organisations.DEFAULT,
    ) -> None:
        self._index, self._objects = index, objects
        self._journal, self._audit = journal, audit
        self._authority, self._organisation = authority, organisation

    def receive(
        self,
        caller: Caller,
        facts: DocumentFacts,
        *,
        organisation: str | None = None,
        peer: str = "",
    ) -> IncomingDocument:
        """Begin a document. Raises `Forbidden`, `InvalidValue` for facts that are wrong.

        `organisation`: code of its owner; one that is not known yet is added.
        """
        require(caller, Right.SEND)
        check(facts)
        owner = self._owner(organisation or self._organisation)
        if caller.organisations is not None and owner.key not in caller.organisations:
            raise Forbidden("documents are stored for organisations of the caller only")
        patient = facts.patient
        if patient is not None and not patient.authority:
            issuer = owner.default_authority or self._authority
            patient = PatientIdentifier(issuer, patient.value, patient.kind)
        return IncomingDocument(self, caller, facts, patient, owner, peer)

    def find(self, caller: Caller, query: DocumentQuery) -> DocumentPage:
        """Documents that the caller may see."""
        require(caller, Right.READ)
        if not 0 <= query.limit <= MOST:
            raise InvalidValue("limit", str(query.limit), f"be from 0 to {MOST}")
        if query.title is not None and not names.words(query.title):
            raise InvalidValue("title", query.title, "hold a word")
        for name, moment in (("from", query.created_from), ("to", query.created_to)):
            if moment is not None and temporal.moment(moment) is None:
                raise InvalidValue(name, moment, "be a date or a time (DICOM DT)")
        wanted = DocumentFilter(
            query.uid,
            query.title,
            query.type_code,
            query.patient,
            query.created_from,
            query.created_to,
            query.after,
        )
        with self._index.reading() as session:
            rows = documents.find(session, caller, wanted, query.limit + 1)
        page, more = rows[: query.limit], len(rows) > query.limit
        cursor = (page[-1].received_at, page[-1].key) if more and page else None
        return DocumentPage(tuple(_document(row) for row in page), cursor)

    def get(self, caller: Caller, uid: str) -> Document:
        """One document. Raises `NotFound`, or `Gone` for what lies in the trash."""
        return _document(self._row(caller, uid))

    def chunks(
        self, caller: Caller, uid: str, start: int = 0, length: int | None = None
    ) -> Iterator[bytes]:
        """Its bytes [start, start + length) in pieces. Raises `RangeNotSatisfiable`."""
        row = self._row(caller, uid)
        self._audit.read(caller, uid, "document")
        size = row.place.length
        if start < 0 or (length is not None and length < 0) or (start >= size and start > 0):
            raise RangeNotSatisfiable(size)
        stop = size if length is None else min(start + length, size)
        return self._objects.stream(row.place, [(start, stop - start)], sha256=row.sha256)

    def _owner(self, code: str) -> Organisation:
        with self._index.reading() as session:
            found = organisations.get(session, code)
        if found is None:
            self._index.transact(lambda session: organisations.ensure(session, code))
            return self._owner(code)
        return found

    def _row(self, caller: Caller, uid: str) -> DocumentRow:
        require(caller, Right.READ)
        with self._index.reading() as session:
            return documents.get(session, caller, uid)

    def create_raw(self) -> RawObject:
        """A raw file for a document that outgrew memory."""
        return self._objects.create_raw()

    def commit(
        self,
        caller: Caller,
        new: NewDocument,
        organisation: str,
        payload: Sequence[bytes] | None,
    ) -> Future[Document]:
        """Index a document of the organisation of that code; its `payload` goes into a segment
        first, None where it is raw."""
        names_of_record = RecordNames(caller.partition, sop_uid=new.uid)
        appends = []
        if payload is not None:
            appends = [Append(RecordType.OBJECT, payload, new.sha256, new.xxh3, names_of_record)]

        def apply(session: Session, stamp: Stamp, places: Sequence[Place]) -> Document:
            placed = _placed(new, places[0]) if places else new
            return _document(documents.store(session, caller, placed, at=stamp.at))

        return self._journal.submit(
            caller,
            "document",
            {**_event(new), "organisation": organisation},
            apply,
            reason="",
            target=new.uid,
            appends=appends,
            names=names_of_record,
        )

    def same(self, caller: Caller, new: NewDocument) -> Document | None:
        """The document if the same bytes stand under its UID; raises `Conflict` for others."""
        with self._index.reading() as session:
            present = documents.standing(session, caller, new)
        return None if present is None else _document(present)


class IncomingDocument:
    """A document while its bytes arrive. Exactly one of `finish` and `abort` ends it."""

    def __init__(
        self,
        documents: Documents,
        caller: Caller,
        facts: DocumentFacts,
        patient: PatientIdentifier | None,
        organisation: Organisation,
        peer: str,
    ) -> None:
        self._documents, self._caller, self._facts = documents, caller, facts
        self._patient, self._organisation, self._peer = patient, organisation, peer
        self._chunks: list[bytes] = []
        self._size = 0
        self._raw: RawObject | None = None
        self._sha256, self._xxh3 = hashlib.sha256(), xxhash.xxh3_128()

    def write(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes. Raises `StorageUnavailable`."""
        self._sha256.update(chunk)
        self._xxh3.update(chunk)
        self._size += len(chunk)
        if self._raw is not None:
            self._raw.write(chunk)
            return
        self._chunks.append(bytes(chunk))
        if self._size >= RAW_BYTES:
            self._raw = self._documents.create_raw()
            for each in self._chunks:
                self._raw.write(each)
            self._chunks.clear()

    def finish(self) -> Future[Document]:
        """Durable, indexed and audited when the future is done.

        Equal bytes under a known UID are the same document, also where it lies in the trash
        (`hidden`); other bytes are a `Conflict`.
        """
        facts, owner = self._facts, self._organisation.code
        new = NewDocument(
            uid=facts.uid or f"2.25.{uuid.uuid4().int}",
            title=facts.title,
            type_code=facts.type_code,
            media_type=facts.media_type,
            created=facts.created,
            identifier=self._patient,
            patient=patient_said(facts) if self._patient is not None else {},
            facts={"author": facts.author},
            sha256=self._sha256.digest(),
            xxh3=self._xxh3.digest(),
            place=Place("", 0, self._size),
            peer=self._peer,
            organisation_fk=self._organisation.key,
        )
        try:
            if (present := self._documents.same(self._caller, new)) is not None:
                self.abort()
                done: Future[Document] = Future()
                done.set_result(present)
                return done
            if self._raw is None:
                return self._documents.commit(self._caller, new, owner, self._chunks)
            record = RecordNames(self._caller.partition, sop_uid=new.uid)
            place = self._raw.finish(new.sha256, new.xxh3, record)
            future = self._documents.commit(self._caller, _placed(new, place), owner, None)
        except BaseException:
            self.abort()
            raise
        future.add_done_callback(self._settled)
        return future

    def abort(self) -> None:
        """The sender gave up: keep nothing."""
        self._chunks.clear()
        if self._raw is not None:
            self._raw.abort()

    def _settled(self, done: Future[Document]) -> None:
        """Remove a raw file that was refused; after `Unavailable` nobody knows, and it stays."""
        error = done.exception()
        if error is not None and not isinstance(error, Unavailable):
            self.abort()


def _event(new: NewDocument) -> dict[str, Any]:
    who = new.identifier
    return {
        "uid": new.uid,
        "title": new.title,
        "type_code": new.type_code,
        "media_type": new.media_type,
        "created": new.created,
        "identifier": None
        if who is None
        else {"kind": who.kind.name.lower(), "authority": who.authority, "value": who.value},
        "patient": dict(new.patient),
        "facts": dict(new.facts),
        "sha256": new.sha256.hex(),
        "size": new.place.length,
        "peer": new.peer,
    }


def _placed(new: NewDocument, place: Place) -> NewDocument:
    return replace(new, place=place)


def _document(row: DocumentRow) -> Document:
    return Document(
        row.uid,
        row.title,
        row.type_code,
        row.media_type,
        row.facts.get("author", ""),
        row.created,
        row.identifier,
        columns.text(row.patient, "00100020"),
        columns.text(row.patient, "00100010"),
        columns.text(row.patient, "00100030"),
        row.place.length,
        row.sha256,
        row.received_at,
        row.hidden,
    )

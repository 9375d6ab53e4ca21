"""Plain documents: a report as PDF, a letter, a consent form; items like studies."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from vna.model.caller import Caller
from vna.model.patient import PatientIdentifier


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """What the sender says of a document. Dates and times are DICOM DA and DT text."""

    title: str
    type_code: str
    media_type: str
    patient: PatientIdentifier | None = None
    patient_name: str = ""  # DICOM PN text
    birth_date: str = ""
    author: str = ""
    created: str = ""
    uid: str = ""  # '' = the archive gives a 2.25 UID


@dataclass(frozen=True, slots=True)
class Document:
    """A stored document. `patient…` as shown now, after merges and corrections."""

    uid: str
    title: str
    type_code: str
    media_type: str
    author: str
    created: str
    patient: PatientIdentifier | None
    patient_id: str
    patient_name: str
    birth_date: str
    size: int
    sha256: bytes
    received_at: int


@dataclass(frozen=True, slots=True)
class DocumentQuery:
    """`title`: words in any order, by prefix, without case and accents. `created_*`: inclusive DA
    or DT text. `after`: the `cursor` of the last page."""

    uid: str | None = None
    title: str | None = None
    type_code: str | None = None
    patient: PatientIdentifier | None = None
    created_from: str | None = None
    created_to: str | None = None
    limit: int = 100
    after: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """Newest reception first. `cursor`: for the next page; None on the last."""

    documents: tuple[Document, ...]
    cursor: tuple[int, int] | None


class IncomingDocument:
    """A document while its bytes arrive. Exactly one of `finish` and `abort` ends it."""

    def write(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes. Raises `StorageUnavailable`."""
        raise NotImplementedError

    def finish(self) -> Future[Document]:
        """Durable, indexed and audited when the future is done.

        Equal bytes under a known UID are the same document; other bytes are a `Conflict`.
        """
        raise NotImplementedError

    def abort(self) -> None:
        """The sender gave up: keep nothing."""
        raise NotImplementedError


class Documents:
    """Plain documents: store, find, get. The trash takes them like studies."""

    def receive(
        self,
        caller: Caller,
        facts: DocumentFacts,
        *,
        organisation: str | None = None,
        peer: str = "",
    ) -> IncomingDocument:
        """Begin a document. Raises `Forbidden`, `InvalidValue` for facts that are wrong."""
        raise NotImplementedError

    def find(self, caller: Caller, query: DocumentQuery) -> DocumentPage:
        """Documents that the caller may see."""
        raise NotImplementedError

    def get(self, caller: Caller, uid: str) -> Document:
        """One document. Raises `NotFound`, or `Gone` for what lies in the trash."""
        raise NotImplementedError

    def chunks(
        self, caller: Caller, uid: str, start: int = 0, length: int | None = None
    ) -> Iterator[bytes]:
        """Its bytes [start, start + length) in pieces. Raises `RangeNotSatisfiable`."""
        raise NotImplementedError

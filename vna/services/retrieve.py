"""Stored objects on their way out: as received, as files, frames and bulk data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from vna.errors import Gone, NotFound
from vna.index import places
from vna.index.engine import Index
from vna.model.caller import Caller, Right
from vna.objects import ObjectStore
from vna.services import forms
from vna.services.audit import ReadAudit
from vna.services.forms import Form
from vna.services.payload import Payload
from vna.services.reading import ObjectReader, Recent
from vna.services.rights import require
from vna.services.stored import Stored
from vna.services.values import Values

__all__ = ["Form", "Retrieve", "Stored"]


class Retrieve:
    """Reading by UID. Every call checks what the caller may see and is audited once a minute."""

    def __init__(self, index: Index, objects: ObjectStore, audit: ReadAudit) -> None:
        self._index, self._objects, self._audit = index, objects, audit
        self._recent = Recent()

    def instances(
        self,
        caller: Caller,
        study_uid: str,
        series_uid: str | None = None,
        sop_uid: str | None = None,
        *,
        version: int | Literal["all"] | None = None,
        purpose: str = "retrieve",
    ) -> list[Stored]:
        """The visible instances, by series and instance number; the current version of each.

        `version`: that one, or "all". Raises `NotFound`, or `Gone` for what lies in the trash.
        """
        require(caller, Right.READ)
        with self._index.reading() as session:
            found = places.shown(session, caller, study_uid, series_uid, sop_uid, version=version)
        if not found and version:
            raise NotFound("there is no such version")
        if not found:
            raise Gone("all of it lies in the trash")
        self._audit.read(caller, study_uid, purpose)
        return [Stored.of(each) for each in found]

    def original(self, stored: Stored) -> Payload:
        """The object byte for byte as received."""
        return forms.original(self._reader(stored), stored.transfer_syntax)

    def file(self, stored: Stored, form: Form) -> Payload:
        """A DICOM file (PS3.10) with every overlay applied; see `Form`.

        `Payload.transfer_syntax` says what it became: with EXPLICIT_LE an object whose pixels are
        compressed keeps its own, and the edge decides whether the client can take that. Raises
        `NotAcceptable` where the object's structure is broken and it may not leave as it is.
        """
        return forms.file(self._reader(stored), stored, form)

    def frames(self, stored: Stored, numbers: Sequence[int]) -> list[Payload]:
        """Frames, numbered from 1, without item headers; native ones little endian.

        Raises `NotFound` beyond the last frame, and where there is no pixel data.
        """
        values = self._values(stored)
        return [values.frame(number) for number in numbers]

    def bulkdata(self, stored: Stored, path: str) -> Payload:
        """The value at a path of DICOM JSON's BulkDataURI: "7FE00010", "54000100/1/54001010".

        Native values are little endian. Raises `NotFound`.
        """
        return self._values(stored).at(path)

    def pixeldata(self, stored: Stored) -> list[Payload]:
        """All pixel data: one payload when native, one for each frame when encapsulated."""
        return self._values(stored).pixel_data()

    def _reader(self, stored: Stored) -> ObjectReader:
        return ObjectReader(self._objects, self._recent, stored.place, stored.sha256, stored.xxh3)

    def _values(self, stored: Stored) -> Values:
        return Values(self._reader(stored), stored.anatomy, stored.header, stored.transfer_syntax)

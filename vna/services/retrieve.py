"""Stored objects on their way out: as received, as files, frames and bulk data."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from vna.dicom.anatomy import Kind
from vna.dicom.json import bulk_paths
from vna.dicom.transfer_syntax import EXPLICIT_LE, IMPLICIT_LE, TRANSFER_SYNTAXES
from vna.errors import Gone, NotAcceptable, NotFound
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
from vna.services.transcode import Transcode
from vna.services.values import Values

__all__ = ["Form", "Retrieve", "Stored"]


class Retrieve:
    """Reading by UID. Every call checks what the caller may see and is audited once a minute."""

    def __init__(
        self, index: Index, objects: ObjectStore, audit: ReadAudit, transcode: Transcode
    ) -> None:
        self._index, self._objects, self._audit = index, objects, audit
        self._transcode = transcode
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

    def file_in(self, stored: Stored, syntax: str) -> Payload:
        """A DICOM file with every overlay applied and its pixel data in `syntax`.

        Raises `NotAcceptable` where it cannot be had so: no codec reads it, the syntax cannot hold
        it without loss, or it is lossy and not the stored one.
        """
        if syntax == stored.transfer_syntax:
            return self.file(stored, Form.STORED)
        if syntax == EXPLICIT_LE:
            found = self.file(stored, Form.EXPLICIT_LE)
            if found.transfer_syntax == EXPLICIT_LE:
                return found
        return self._transcode.file(self._values(stored), syntax, forms.correction_of(stored))

    def file(self, stored: Stored, form: Form) -> Payload:
        """A DICOM file (PS3.10) with every overlay applied; see `Form`.

        `Payload.transfer_syntax` says what it became: with EXPLICIT_LE an object whose pixels are
        compressed keeps its own, and the edge decides whether the client can take that. Raises
        `NotAcceptable` where the object's structure is broken and it may not leave as it is.
        """
        return forms.file(self._reader(stored), stored, form)

    def data_set(
        self, stored: Stored, accepted: Collection[str], *, as_received: bool = False
    ) -> Payload:
        """The data set alone, without file meta, in one of the transfer syntaxes that the receiver
        accepted: as it is stored if it may be, else the nearest that the archive can make.

        `as_received`: without corrections. Raises `NotAcceptable` where it can be had in none.
        """
        if stored.transfer_syntax in accepted:
            plain = forms.data_set(self._reader(stored), stored, as_received=as_received)
            if plain is not None:
                return plain
        correction = None if as_received else forms.correction_of(stored)
        encapsulated = stored.anatomy.kind is Kind.ENCAPSULATED
        for target in _preferred(stored.transfer_syntax, accepted):
            if not encapsulated and target in (EXPLICIT_LE, IMPLICIT_LE):
                found = forms.native(self._reader(stored), stored, target, correction)
            elif stored.transfer_syntax == target and encapsulated:
                found = forms.native(self._reader(stored), stored, EXPLICIT_LE, correction)
            else:
                try:
                    found = self._transcode.file(self._values(stored), target, correction)
                except NotAcceptable:
                    continue
            return forms.without_meta(found)
        raise NotAcceptable(
            f"it is stored as {stored.transfer_syntax}, and cannot be had in what is accepted"
        )

    def frames(self, stored: Stored, numbers: Sequence[int]) -> list[Payload]:
        """Frames, numbered from 1, without item headers; native ones little endian.

        Raises `NotFound` beyond the last frame, and where there is no pixel data.
        """
        values = self._values(stored)
        return [values.frame(number) for number in numbers]

    def frames_in(self, stored: Stored, numbers: Sequence[int], syntax: str) -> list[Payload]:
        """Frames in the transfer syntax `syntax`. Raises `NotFound`, and `NotAcceptable` where they
        cannot be had so."""
        if syntax == self._codestream_of(stored):
            return self.frames(stored, numbers)
        for number in numbers:
            stored.anatomy.frame(number)
        return self._transcode.frames(self._values(stored), numbers, syntax)

    def pixeldata_in(self, stored: Stored, syntax: str) -> list[Payload]:
        """All pixel data in the transfer syntax `syntax`: one payload when native, else one for
        each frame. Raises as `frames_in` does."""
        if syntax == self._codestream_of(stored):
            return self.pixeldata(stored)
        if syntax == EXPLICIT_LE:
            return [self._transcode.native(self._values(stored))]
        numbers = range(1, stored.frames + 1)
        return self._transcode.frames(self._values(stored), numbers, syntax)

    def _codestream_of(self, stored: Stored) -> str:
        """What the pixel data are in as they lie, turned to little endian where they are native."""
        if stored.anatomy.kind is Kind.ENCAPSULATED:
            return stored.transfer_syntax
        return EXPLICIT_LE

    def bulkdata(self, stored: Stored, path: str) -> Payload:
        """The value at a path of DICOM JSON's BulkDataURI: "7FE00010", "54000100/1/54001010".

        Native values are little endian. Raises `NotFound`.
        """
        return self._values(stored).at(path)

    def bulk_paths(self, stored: Stored) -> list[str]:
        """The paths of every value that its metadata name by a BulkDataURI, in order."""
        return bulk_paths(stored.header)

    def pixeldata(self, stored: Stored) -> list[Payload]:
        """All pixel data: one payload when native, one for each frame when encapsulated."""
        return self._values(stored).pixel_data()

    def _reader(self, stored: Stored) -> ObjectReader:
        return ObjectReader(self._objects, self._recent, stored.place, stored.sha256, stored.xxh3)

    def values(self, stored: Stored) -> Values:
        """Where its values lie, for those who draw them."""
        return self._values(stored)

    def _values(self, stored: Stored) -> Values:
        return Values(self._reader(stored), stored.anatomy, stored.header, stored.transfer_syntax)


def _preferred(stored: str, accepted: Collection[str]) -> list[str]:
    """In which order to try what a receiver accepts: as stored (with corrections), plain, then the
    lossless syntaxes that the archive makes."""
    plain = [uid for uid in (stored, EXPLICIT_LE, IMPLICIT_LE) if uid in accepted]
    made = [uid for uid, row in TRANSFER_SYNTAXES.items() if row.encoded and uid in accepted]
    return list(dict.fromkeys([*plain, *made]))

"""The correcting services over a house, and what its readers see."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pydicom
from pydicom.dataset import Dataset

from tests.dicom.objects import written
from tests.services.house import CALLER, House
from vna.dicom.dictionary import tag_of, vr_of
from vna.index import feed
from vna.model.caller import Caller
from vna.model.query import Exact, Key, Level, Query
from vna.objects import RecordType, Scan
from vna.objects.layout import ulid_of
from vna.services.audit import ReadAudit
from vna.services.corrections import Corrections
from vna.services.documents import Documents
from vna.services.held import HeldObjects
from vna.services.journal import Journal
from vna.services.metadata import Metadata
from vna.services.patients import Patients
from vna.services.retrieve import Form, Retrieve
from vna.services.search import Search
from vna.services.trash import Trash

PIXELS = {"Rows": 2, "Columns": 2, "BitsAllocated": 16, "PixelData": b"\1\2\3\4\5\6\7\x08"}
BASE = "http://here/dicomweb"


def image(uid: str, patient: str = "P1", name: str = "PÉREZ^ANA", **attributes: Any) -> bytes:
    """An image `study.series.instance`: "1.2.7.3.9" is instance 9 of series 3 of study 1.2.7."""
    study, series, _ = uid.rsplit(".", 2)
    return written(
        **{
            "SpecificCharacterSet": "ISO_IR 192",
            "StudyInstanceUID": study,
            "SeriesInstanceUID": f"{study}.{series}",
            "SOPInstanceUID": uid,
            "PatientID": patient,
            "PatientName": name,
            "Modality": "CT",
            "StudyDescription": "CRANEO",
            "InstanceNumber": uid.rsplit(".", 1)[1],
            **PIXELS,
            **attributes,
        }
    )


@dataclass
class Desk:
    """What an operator works with."""

    house: House

    def __post_init__(self) -> None:
        house, index = self.house, self.house.index
        self.audit = ReadAudit(house.folder / "reads.jsonl")
        self.journal = Journal(index, house.ingest.committer.submit)
        self.patients = Patients(index, self.journal)
        self.corrections = Corrections(index, self.journal)
        self.held = HeldObjects(index, house.objects, self.journal)
        self.trash = Trash(index, self.journal, house.objects.remove_raw)
        self.documents = Documents(index, house.objects, self.journal, self.audit)
        self.search = Search(index)
        self.retrieve = Retrieve(index, house.objects, self.audit, house.transcode)
        self.metadata = Metadata(index, self.audit)

    def close(self) -> None:
        """Stop auditing."""
        self.audit.close()

    def studies(self, caller: Caller = CALLER, **keys: str) -> list[str]:
        """Study Instance UIDs whose study matches `keys`, given by keyword."""
        return [row.study_uid for row in self._found(Level.STUDY, caller, keys)]

    def instances(self, caller: Caller = CALLER, **keys: str) -> list[str]:
        """SOP Instance UIDs that match `keys`."""
        return [str(row.sop_uid) for row in self._found(Level.INSTANCE, caller, keys)]

    def _found(self, level: Level, caller: Caller, keys: dict[str, str]) -> Any:
        made = []
        for keyword, value in keys.items():
            tag = tag_of(keyword)
            assert tag is not None
            made.append(Key((tag,), vr_of(tag), Exact(value)))
        return self.search.find(caller, Query(level, tuple(made))).rows

    def json(self, study: str, series: str | None = None, sop: str | None = None) -> list[Any]:
        """The metadata, which is the same plain and compressed."""
        document = self.metadata.find(CALLER, study, series, sop, base_url=BASE)
        plain = b"".join(document.plain())
        assert gzip.decompress(b"".join(document.gzip())) == plain
        found: list[Any] = json.loads(plain)
        return found

    def files(self, study: str, *, original: bool = False) -> list[Dataset]:
        """What is retrieved of a study, read by pydicom; `original`: as received."""
        return [pydicom.dcmread(io.BytesIO(data)) for data in self.bytes_of(study, original)]

    def bytes_of(self, study: str, original: bool) -> list[bytes]:
        """What is retrieved of a study."""
        made = []
        for stored in self.retrieve.instances(CALLER, study):
            payload = (
                self.retrieve.original(stored)
                if original
                else self.retrieve.file(stored, Form.STORED)
            )
            made.append(b"".join(payload.chunks()))
        return made

    def changes(self) -> list[str]:
        """The kind of every change in the feed, in order."""
        with self.house.index.reading() as session:
            return [each.kind for each in feed.read(session, CALLER, after=0, limit=1000)]

    def events(self) -> list[dict[str, Any]]:
        """The decisions in the store, in their order."""
        said = [json.loads(data) for type, data in self._records() if type is RecordType.EVENT]
        return [each for each in said if each["kind"] != "received"]

    def records(self) -> list[RecordType]:
        """The type of every record in the segments, in their order."""
        return [type for type, _ in self._records()]

    def _records(self) -> Iterator[tuple[RecordType, bytes]]:
        for key in sorted(self.house.files):
            if not key.endswith(".vseg"):
                continue
            reader = self.house.backend.open(key)
            for record in Scan(reader, ulid_of(key)):
                place = record.place
                yield record.header.type, reader.read(place.offset, place.length)
            reader.close()

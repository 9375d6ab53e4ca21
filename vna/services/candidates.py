"""What the index is told of an object that is stored already, read again from its bytes."""

from __future__ import annotations

import xxhash

from vna.dicom.inflate import InflatedSource
from vna.dicom.scan import Scan, scan
from vna.dicom.source import Source, chunks
from vna.index.candidate import Candidate
from vna.index.held import HeldRow
from vna.model.query import Level
from vna.objects import ObjectStore
from vna.services.payload import CHUNK


def candidate_of(row: HeldRow, objects: ObjectStore, partition: int) -> Candidate:
    """The candidate of a held object as it was received; raises `Damaged`."""
    source = objects.source(row.place, sha256=row.sha256)
    found = scan(source)
    return Candidate(
        partition=partition,
        study_uid=found.study_uid,
        series_uid=found.series_uid,
        sop_uid=found.sop_uid,
        sop_class=found.sop_class,
        patient=found.attributes(Level.PATIENT),
        study=found.attributes(Level.STUDY),
        series=found.attributes(Level.SERIES),
        instance=found.attributes(Level.INSTANCE),
        patient_id=row.patient_id,
        authority=row.authority,
        sha256=row.sha256,
        xxh3=row.xxh3,
        size=row.size,
        dataset_xxh3=row.dataset_xxh3,
        pixel_xxh3=_pixels(source, found),
        transfer_syntax=found.transfer_syntax,
        anatomy=found.anatomy.encode(),
        header=found.header.encode(),
        oddities=found.oddities,
        organisation_fk=row.organisation_fk,
        reception_fk=row.reception_fk,
        object_fk=row.object_fk,
    )


def _pixels(source: Source, found: Scan) -> bytes:
    anatomy = found.anatomy
    plain = InflatedSource(source, found.dataset_offset) if anatomy.deflated else source
    digest = xxhash.xxh3_128()
    for chunk in chunks(plain, anatomy.pixel_offset, anatomy.pixel_length, CHUNK):
        digest.update(chunk)
    return digest.digest()

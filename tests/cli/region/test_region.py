"""The synthetic region is small, the same every time, and contradicts itself where it should."""

from __future__ import annotations

import io
from collections import Counter

from pydicom import Dataset, dcmread

from vna.cli.region import content, media
from vna.cli.region.people import HOSPITALS


def read(data: bytes) -> Dataset:
    return dcmread(io.BytesIO(data))


def test_it_is_the_same_every_time_and_small() -> None:
    first, second = ([*content.studies(), *content.conflicts()] for _ in range(2))
    assert first == second
    assert list(content.papers()) == list(content.papers())
    assert sum(len(data) for _, data in first) < 2_000_000


def test_ten_specialties_of_three_hospitals_are_in_it() -> None:
    found = [(hospital, read(data)) for hospital, data in content.studies()]
    assert {hospital for hospital, _ in found} == set(HOSPITALS)
    modalities = Counter(ds.Modality for _, ds in found)
    assert set(modalities) == {
        *("CT", "MR", "US", "DX", "MG", "NM", "XC", "ES", "OP", "GM", "ECG", "SR", "DOC")
    }
    assert len({ds.SOPInstanceUID for _, ds in found}) == len(found)
    syntaxes = {ds.file_meta.TransferSyntaxUID.name for _, ds in found}
    assert len(syntaxes) == 3  # native, JPEG, MPEG-4


def test_two_hospitals_gave_the_same_number_to_two_persons() -> None:
    persons = {
        (ds.IssuerOfPatientID, str(ds.PatientName))
        for _, data in content.studies()
        if (ds := read(data)).PatientID == "100231"
    }
    assert persons == {("HSA", "MUÑOZ IBÁÑEZ^BEGOÑA"), ("HCV", "ETXEBERRIA LÓPEZ^JOSÉ Mª")}


def test_the_conflicts_are_one_of_version_and_one_of_patient() -> None:
    known = {ds.SOPInstanceUID: ds for _, data in content.studies() for ds in [read(data)]}
    version, patient = (read(data) for _, data in content.conflicts())
    assert known[version.SOPInstanceUID].PixelData != version.PixelData
    of_study = [ds for ds in known.values() if ds.StudyInstanceUID == patient.StudyInstanceUID]
    assert patient.SOPInstanceUID not in known
    assert {ds.PatientID for ds in of_study} == {"200017"}
    assert patient.PatientID == "100231"


def test_a_pdf_says_where_its_objects_are() -> None:
    made = media.pdf("Línea (uno)", "dos")
    table = int(made.split(b"startxref\n")[1].split(b"\n")[0])
    assert made[table:].startswith(b"xref\n0 6\n")
    offset = int(made[table:].split(b"\n")[5][:10])
    assert made[offset:].startswith(b"3 0 obj")
    assert len(made) % 2 == 0

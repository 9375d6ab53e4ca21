"""Small objects with the attributes that a test is about."""

from __future__ import annotations

import io
import itertools
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset

_numbers = itertools.count(1)


def image(study: str = "", series: str = "", **more: Any) -> bytes:
    """An object in a study and series of its own, or in those."""
    number = next(_numbers)
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", f"1.2.9.{number}"
    made.StudyInstanceUID = study or f"1.2.7.{number}"
    made.SeriesInstanceUID = series or f"{made.StudyInstanceUID}.1"
    made.PatientID, made.PatientName, made.Modality = f"P{made.StudyInstanceUID}", "A^B", "OT"
    for keyword, value in more.items():
        setattr(made, keyword, value)
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    file = io.BytesIO()
    made.save_as(file, enforce_file_format=True)
    return file.getvalue()


def uids(data: bytes) -> tuple[str, str, str]:
    """Study, series and instance UID."""
    made = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
    return made.StudyInstanceUID, made.SeriesInstanceUID, made.SOPInstanceUID

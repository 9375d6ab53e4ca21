"""Small synthetic objects, written by pydicom."""

from __future__ import annotations

import io
import warnings
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID

EXPLICIT_LE = "1.2.840.10008.1.2.1"
IMPLICIT_LE = "1.2.840.10008.1.2"
EXPLICIT_BE = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
NATIVE = (EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE, DEFLATED)


def identified(**attributes: Any) -> Dataset:
    """A data set with the UIDs that every object needs, and `attributes` by keyword."""
    made = Dataset()
    made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    made.SOPInstanceUID = "1.2.3.4.5"
    made.StudyInstanceUID = "1.2.3"
    made.SeriesInstanceUID = "1.2.3.4"
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def to_bytes(data_set: Dataset, syntax: str = EXPLICIT_LE) -> bytes:
    """`data_set` as a Part 10 file in `syntax`."""
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = UID(syntax)
    data_set.file_meta.MediaStorageSOPClassUID = data_set.SOPClassUID
    data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dcmwrite(file, data_set, enforce_file_format=True)
    return file.getvalue()


def written(syntax: str = EXPLICIT_LE, **attributes: Any) -> bytes:
    """A Part 10 file of an object with `attributes`."""
    data_set = identified(**attributes)
    if "PixelData" in data_set:
        data_set["PixelData"].VR = "OW"
    return to_bytes(data_set, syntax)


def image(syntax: str, pixels: bytes, frames: int, **attributes: Any) -> bytes:
    """An image with encapsulated pixel data."""
    data_set = identified(
        Rows=4, Columns=4, BitsAllocated=8, SamplesPerPixel=1, NumberOfFrames=frames, **attributes
    )
    data_set.PixelData = pixels
    data_set["PixelData"].VR = "OB"
    data_set["PixelData"].is_undefined_length = True
    return to_bytes(data_set, syntax)

"""Small images with known samples, stored under UIDs of their own, and pictures read back."""

from __future__ import annotations

import io
import itertools
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom.dataset import Dataset

from tests.dicom.objects import to_bytes
from tests.dicomweb.wire import store

Array = npt.NDArray[Any]
SECONDARY, CT = "1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.2"
MULTI_FRAME_GRAY = "1.2.840.10008.5.1.4.1.1.7.2"
GRAYSCALE_STATE = "1.2.840.10008.5.1.4.1.1.11.1"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Kept:
    """A stored instance."""

    study_uid: str
    series_uid: str
    sop_uid: str

    @property
    def series(self) -> str:
        return f"/studies/{self.study_uid}/series/{self.series_uid}"

    @property
    def path(self) -> str:
        return f"{self.series}/instances/{self.sop_uid}"


def image(samples: Array, **attributes: Any) -> Dataset:
    """An image of gray (rows, columns), of frames of them, or of colours (rows, columns, 3)."""
    made = Dataset()
    made.SOPClassUID = SECONDARY
    made.Modality = "OT"
    colour = samples.ndim == 3 and samples.shape[2] == 3
    made.SamplesPerPixel = 3 if colour else 1
    made.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        made.PlanarConfiguration = 0
    elif samples.ndim == 3:
        made.SOPClassUID, made.NumberOfFrames = MULTI_FRAME_GRAY, len(samples)
    made.Rows, made.Columns = samples.shape[:2] if colour else samples.shape[-2:]
    made.BitsAllocated = made.BitsStored = samples.dtype.itemsize * 8
    made.HighBit = made.BitsStored - 1
    made.PixelRepresentation = int(samples.dtype.kind == "i")
    data = samples.astype(samples.dtype.newbyteorder("<")).tobytes()
    made.PixelData = data + bytes(len(data) % 2)
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def keep(client: httpx.Client, made: Dataset, beside: Kept | None = None, number: int = 1) -> Kept:
    """Store it: in a study of its own, or in a new series `beside` another."""
    study = beside.study_uid if beside else f"1.2.826.79.{next(_numbers)}"
    series = f"{study}.{next(_numbers)}"
    return put(client, made, Kept(study, series, f"{series}.{number}"), number)


def put(client: httpx.Client, made: Dataset, kept: Kept, number: int = 1) -> Kept:
    """Store it under given UIDs."""
    made.StudyInstanceUID, made.SeriesInstanceUID = kept.study_uid, kept.series_uid
    made.SOPInstanceUID, made.PatientID = kept.sop_uid, f"R{kept.study_uid}"
    made.InstanceNumber = number
    answer = store(client, to_bytes(made))
    assert answer.status_code in (200, 202), answer.text
    return kept


def picture(client: httpx.Client, path: str, accept: str = "image/png", **query: str) -> Array:
    """The picture at a path: (rows, columns) or (rows, columns, 3)."""
    answer = client.get(path, params=query, headers={"Accept": accept})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == accept
    return np.asarray(Image.open(io.BytesIO(answer.content)))


RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)

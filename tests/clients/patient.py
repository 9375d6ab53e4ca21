"""What the viewers open: one patient with a study of each kind, and somebody else."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from vna.cli.region import media, objects
from vna.cli.region.content import CHEST_XRAY, CT, DX, ES, SKIN, XC
from vna.cli.region.objects import Study
from vna.cli.region.people import BEGONA

# A moving test picture: H.264 High, 160 × 120, 75 frames of 25 a second. Made for this file with
# ffmpeg -f lavfi -i testsrc=size=160x120:rate=25:duration=3 -c:v libx264 -profile:v high
#   -level 4.1 -crf 30 -pix_fmt yuv420p -bf 0 -g 25 -movflags +faststart moving.mp4
MOVING_MP4 = Path(__file__).parent / "moving.mp4"
MOVING_FRAMES, MOVING_ROWS, MOVING_COLUMNS = 75, 120, 160
SIDE = 128  # pixels of a CT slice
SLICES = 8

CHEST = Study(BEGONA, "viewed-ct", "TC DE TÓRAX", "20260212", "091500", "HSA26000301")
HEART_ECHO = Study(BEGONA, "viewed-us", "ECOCARDIOGRAMA", "20260213", "100000", "HSA26000302")
FOREARM = replace(SKIN, person=BEGONA, name="viewed-photo")
HEART_ECG = Study(BEGONA, "viewed-ecg", "ELECTROCARDIOGRAMA", "20260214", "104000", "HSA26000303")
COLON_VIDEO = Study(BEGONA, "viewed-video", "COLONOSCOPIA", "20260215", "081500", "HSA26000304")
LETTER = Study(BEGONA, "viewed-pdf", "INFORME DE ALTA", "20260216", "120000", "HSA26000305")
LINES = tuple(f"{number}. Alta a domicilio. Control en un mes." for number in range(1, 41))
MINE = (CHEST, HEART_ECHO, FOREARM, HEART_ECG, COLON_VIDEO, LETTER)
NOT_MINE = CHEST_XRAY  # somebody else's


def everything() -> list[bytes]:
    """Every object of every study, as Part 10 files."""
    kind = replace(CT, rows=SIDE, columns=SIDE)
    slices = media.slices(SIDE, SLICES, deep=2400)
    return [
        *(
            _placed(objects.image(CHEST, kind, number, pixels), number)
            for number, pixels in enumerate(slices, start=1)
        ),
        echo(),
        objects.photo(FOREARM, XC, 1),
        objects.ecg(HEART_ECG),
        video(),
        objects.report(LETTER, "INFORME DE ALTA", *LINES),
        objects.image(NOT_MINE, DX, 1, media.slices(DX.rows, 1, deep=4000)[0]),
    ]


def echo() -> bytes:
    """pydicom's echocardiogram: 30 frames of JPEG Baseline, 240 × 320, YBR_FULL_422."""
    path = get_testdata_file("examples_ybr_color.dcm")
    assert isinstance(path, str)
    ds = pydicom.dcmread(path)
    _claim(ds, HEART_ECHO)
    return _file(ds)


def video() -> bytes:
    """An endoscopy whose stream plays."""
    ds = pydicom.dcmread(io.BytesIO(objects.video(COLON_VIDEO, ES, 1)))
    ds.NumberOfFrames, ds.Rows, ds.Columns = MOVING_FRAMES, MOVING_ROWS, MOVING_COLUMNS
    stream = MOVING_MP4.read_bytes()
    ds.PixelData = encapsulate([stream + b"\0" * (len(stream) % 2)])
    return _file(ds)


def _placed(data: bytes, number: int) -> bytes:
    """A slice with the geometry and the rescale that make a series a stack of Hounsfield units."""
    ds = pydicom.dcmread(io.BytesIO(data))
    ds.ImagePositionPatient = [-160, -160, 5.0 * number]
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.FrameOfReferenceUID = objects.make_uid(ds.StudyInstanceUID, "frame-of-reference")
    ds.PixelSpacing, ds.SliceThickness = [2.5, 2.5], 5
    ds.RescaleIntercept, ds.RescaleSlope = -1024, 1
    ds.WindowCenter, ds.WindowWidth = 100, 2000
    noise = np.random.default_rng(number).integers(0, 200, ds.Rows * ds.Columns)
    ds.PixelData = (np.frombuffer(ds.PixelData, "<u2") + noise).astype("<u2").tobytes()
    return _file(ds)


def _claim(ds: Dataset, study: Study) -> None:
    ds.PatientName, ds.PatientID = study.person.name, study.person.id
    ds.IssuerOfPatientID = study.person.hospital.code
    ds.PatientBirthDate, ds.PatientSex = study.person.birth_date, study.person.sex
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.StudyInstanceUID = study.uid
    ds.StudyDate, ds.StudyTime = study.date, study.time
    ds.StudyDescription, ds.AccessionNumber = study.description, study.accession


def _file(ds: Dataset) -> bytes:
    made = io.BytesIO()
    ds.save_as(made)
    return made.getvalue()

"""Synthetic CT studies: 512 × 512, 12 bits in 16, about 90 header elements; native or JPEG 2000."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, JPEG2000Lossless

ROOT = "1.2.826.0.1.3680043.10.1553"


@dataclass(frozen=True, slots=True)
class Slice:
    """One Part 10 file and where it belongs."""

    patient_id: str
    study_uid: str
    series_uid: str
    sop_uid: str
    data: bytes
    pixels: bytes  # native, little endian

    @property
    def path(self) -> str:
        """Of the instance, below the DICOMweb root."""
        return f"/studies/{self.study_uid}/series/{self.series_uid}/instances/{self.sop_uid}"


def study(number: int, slices: int, *, seed: int = 0, jpeg_2000: bool = False) -> Iterator[Slice]:
    """Yield `slices` CT images of one series; equal arguments give equal bytes."""
    noise = np.random.default_rng(seed * 100_003 + number)
    base = noise.normal(0, 12, (512, 512))
    rows, columns = np.mgrid[-1:1:512j, -1:1:512j]
    base += np.where(rows**2 + columns**2 < 0.7, 1040, 24)
    for index in range(1, slices + 1):
        pixels = (base + noise.normal(0, 4, (512, 512))).clip(0, 4095).astype("<u2")
        ds = _header(number, seed, index)
        if jpeg_2000:
            stream = imagecodecs.jpeg2k_encode(
                pixels, codecformat="j2k", level=0, reversible=True, bitspersample=12
            )
            ds.file_meta.TransferSyntaxUID = JPEG2000Lossless
            ds.PixelData = encapsulate([bytes(stream)])
            ds["PixelData"].VR = "OB"
        else:
            ds.PixelData = pixels.tobytes()
            ds["PixelData"].VR = "OW"
        out = io.BytesIO()
        ds.save_as(out, enforce_file_format=True)
        yield Slice(
            ds.PatientID, ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID,
            out.getvalue(), pixels.tobytes(),
        )  # fmt: skip


def _header(number: int, seed: int, index: int) -> Dataset:
    study_uid = f"{ROOT}.{seed}.{number}"
    series_uid = f"{study_uid}.1"
    sop_uid = UID(f"{series_uid}.{index}")
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = CTImageStorage
    ds.file_meta.MediaStorageSOPInstanceUID = sop_uid
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SOPClassUID = CTImageStorage
    ds.SOPInstanceUID = sop_uid
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = "20260312"
    ds.StudyTime = "101500"
    ds.SeriesTime = "101730"
    ds.AcquisitionTime = ds.ContentTime = f"1017{index % 60:02d}.500000"
    ds.AccessionNumber = f"ACC{number:08d}"
    ds.Modality = "CT"
    ds.Manufacturer = "SYNTHETIC"
    ds.InstitutionName = "HOSPITAL DE EJEMPLO"
    ds.ReferringPhysicianName = "GARCÍA^LUIS"
    ds.StationName = "CT01"
    ds.StudyDescription = "TÓRAX"
    ds.SeriesDescription = "AXIAL 1 MM"
    ds.ManufacturerModelName = "PHANTOM 64"
    ds.PatientName = f"PÉREZ^PACIENTE{number}"
    ds.PatientID = f"P{seed}-{number:06d}"
    ds.PatientBirthDate = "19610203"
    ds.PatientSex = "F"
    ds.PatientAge = "065Y"
    ds.BodyPartExamined = "CHEST"
    ds.SliceThickness = "1.0"
    ds.KVP = "120"
    ds.DataCollectionDiameter = "500"
    ds.ReconstructionDiameter = "360"
    ds.ExposureTime = "500"
    ds.XRayTubeCurrent = "220"
    ds.Exposure = "110"
    ds.FilterType = "BODY"
    ds.ConvolutionKernel = "B30f"
    ds.PatientPosition = "HFS"
    ds.StudyInstanceUID = study_uid
    ds.SeriesInstanceUID = series_uid
    ds.StudyID = str(number)
    ds.SeriesNumber = 1
    ds.AcquisitionNumber = 1
    ds.InstanceNumber = index
    ds.ImagePositionPatient = [-180, -180, -300 + index]
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.FrameOfReferenceUID = f"{study_uid}.9"
    ds.SliceLocation = -300 + index
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.Rows = ds.Columns = 512
    ds.PixelSpacing = [0.703125, 0.703125]
    ds.BitsAllocated = 16
    ds.BitsStored = 12
    ds.HighBit = 11
    ds.PixelRepresentation = 0
    ds.WindowCenter = "40"
    ds.WindowWidth = "400"
    ds.RescaleIntercept = "-1024"
    ds.RescaleSlope = "1"
    return ds

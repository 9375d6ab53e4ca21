"""DICOM objects of the synthetic region: one function for each kind of object."""

from __future__ import annotations

import io
import uuid
from dataclasses import dataclass, replace

from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate

from vna.cli.region import media
from vna.cli.region.people import Person

NAMESPACE = uuid.UUID("5b0fa0a6-9d7e-4c53-8f0c-6d2f8f1d6c11")  # of this region; any would do
VIDEO_BYTES = 64 * 1024


def make_uid(*words: object) -> str:
    """The UID of what `words` name; equal words give equal UIDs (PS3.5 §B.2)."""
    return f"2.25.{uuid.uuid5(NAMESPACE, '/'.join(map(str, words))).int}"


@dataclass(frozen=True, slots=True)
class Study:
    """What its objects have in common. `date` and `time` are DA and TM."""

    person: Person
    name: str  # names it among the person's studies, in UIDs only
    description: str
    date: str
    time: str
    accession: str

    @property
    def uid(self) -> str:
        """Study Instance UID."""
        return make_uid(self.person.hospital.code, self.person.id, self.name)

    def of(self, person: Person) -> Study:
        """The same study said to be of somebody else; its UID follows the first person."""
        return _Borrowed(person, self.name, self.description, self.date, self.time,
                         self.accession, self.uid)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Borrowed(Study):
    study_uid: str

    @property
    def uid(self) -> str:
        return self.study_uid


@dataclass(frozen=True, slots=True)
class Image:
    """A kind of image. `frames` is 1 for single-frame classes."""

    sop_class: str
    modality: str
    description: str
    body_part: str = ""
    rows: int = 64
    columns: int = 64
    color: bool = False
    frames: int = 1


def image(study: Study, kind: Image, number: int, pixels: bytes, *, series: int = 1) -> bytes:
    """A native image, Explicit VR Little Endian."""
    ds = _image_module(study, kind, number, series)
    bits = 8 if kind.color else 16
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = bits, bits, bits - 1
    ds.PhotometricInterpretation = "RGB" if kind.color else "MONOCHROME2"
    ds.PixelData = pixels
    ds["PixelData"].VR = "OB" if kind.color else "OW"
    return _file(ds, uid.ExplicitVRLittleEndian)


def photo(study: Study, kind: Image, number: int) -> bytes:
    """A colour photograph, JPEG Baseline."""
    kind = replace(kind, rows=media.SKIN_SIDE, columns=media.SKIN_SIDE, color=True)
    ds = _image_module(study, kind, number, 1)
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8, 8, 7
    ds.PhotometricInterpretation = "YBR_FULL_422"
    ds.LossyImageCompression = "01"
    ds.LossyImageCompressionMethod = "ISO_10918_1"
    ds.LossyImageCompressionRatio = "15"
    return _encapsulated(ds, media.SKIN_JPEG, uid.JPEGBaseline8Bit)


def video(study: Study, kind: Image, number: int) -> bytes:
    """An endoscopy video: one MPEG-4 stream for all frames (PS3.5 §A.4.7)."""
    ds = _image_module(study, kind, number, 1)
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8, 8, 7
    ds.PhotometricInterpretation = "YBR_PARTIAL_420"
    ds.CineRate, ds.FrameTime = 25, "40"
    return _encapsulated(ds, media.video(VIDEO_BYTES), uid.MPEG4HP41)


def ecg(study: Study) -> bytes:
    """A twelve-lead ECG of two seconds, 500 samples a second."""
    ds = _head(study, str(uid.TwelveLeadECGWaveformStorage), "ECG", "ECG 12 DERIVACIONES", 1, 1)
    group = Dataset()
    group.WaveformOriginality = "ORIGINAL"
    group.NumberOfWaveformChannels, group.NumberOfWaveformSamples = 12, 1000
    group.SamplingFrequency = "500"
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
    group.ChannelDefinitionSequence = [_channel(lead) for lead in LEADS]
    group.WaveformData = media.leads(1000)
    group["WaveformData"].VR = "OW"
    ds.WaveformSequence = [group]
    return _file(ds, uid.ExplicitVRLittleEndian)


def report(study: Study, title: str, *lines: str) -> bytes:
    """An encapsulated PDF."""
    ds = _head(study, str(uid.EncapsulatedPDFStorage), "DOC", title, 1, 9)
    ds.DocumentTitle, ds.BurnedInAnnotation = title, "YES"
    ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
    ds.EncapsulatedDocument = media.pdf(title, *lines)
    ds.EncapsulatedDocumentLength = len(ds.EncapsulatedDocument)
    return _file(ds, uid.ExplicitVRLittleEndian)


def structured_report(study: Study, text: str) -> bytes:
    """A basic text report with one paragraph."""
    ds = _head(study, str(uid.BasicTextSRStorage), "SR", "INFORME ESTRUCTURADO", 1, 8)
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.CompletionFlag, ds.VerificationFlag = "COMPLETE", "UNVERIFIED"
    ds.ConceptNameCodeSequence = [_code("18748-4", "LN", "Informe de imagen diagnóstica")]
    finding = Dataset()
    finding.RelationshipType, finding.ValueType = "CONTAINS", "TEXT"
    finding.ConceptNameCodeSequence = [_code("121071", "DCM", "Hallazgo")]
    finding.TextValue = text
    ds.ContentSequence = [finding]
    return _file(ds, uid.ExplicitVRLittleEndian)


LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def _channel(lead: str) -> Dataset:
    channel = Dataset()
    channel.ChannelSourceSequence = [_code(f"LEAD-{lead}", "99DEMO", f"Derivación {lead}")]
    channel.ChannelSensitivity = "1"
    channel.ChannelSensitivityUnitsSequence = [_code("uV", "UCUM", "microvolt")]
    channel.WaveformBitsStored = 16
    return channel


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def _head(
    study: Study, sop_class: str, modality: str, series: str, number: int, series_number: int
) -> Dataset:
    person = study.person
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID = sop_class
    ds.SOPInstanceUID = make_uid(study.uid, modality, series_number, number)
    ds.StudyDate = ds.SeriesDate = ds.ContentDate = study.date
    ds.StudyTime = ds.SeriesTime = ds.ContentTime = study.time
    ds.AccessionNumber = study.accession
    ds.Modality, ds.Manufacturer = modality, "SINTÉTICO"
    ds.InstitutionName = person.hospital.name
    ds.ReferringPhysicianName = "OTXOA VÉLEZ^AMAIA"
    ds.StudyDescription, ds.SeriesDescription = study.description, series
    ds.PatientName, ds.PatientID = person.name, person.id
    ds.IssuerOfPatientID = person.hospital.code
    ds.PatientBirthDate, ds.PatientSex = person.birth_date, person.sex
    ds.StudyInstanceUID = study.uid
    ds.SeriesInstanceUID = make_uid(study.uid, modality, series_number)
    ds.StudyID = study.accession[-4:]
    ds.SeriesNumber, ds.InstanceNumber = series_number, number
    return ds


def _image_module(study: Study, kind: Image, number: int, series: int) -> Dataset:
    ds = _head(study, kind.sop_class, kind.modality, kind.description, number, series)
    if kind.body_part:
        ds.BodyPartExamined = kind.body_part
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    ds.SamplesPerPixel = 3 if kind.color else 1
    if kind.color:
        ds.PlanarConfiguration = 0
    if kind.frames > 1:
        ds.NumberOfFrames = kind.frames
    ds.Rows, ds.Columns = kind.rows, kind.columns
    ds.PixelRepresentation = 0
    return ds


def _encapsulated(ds: Dataset, stream: bytes, transfer_syntax: uid.UID) -> bytes:
    ds.PixelData = encapsulate([stream])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    return _file(ds, transfer_syntax)


def _file(ds: Dataset, transfer_syntax: uid.UID) -> bytes:
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.file_meta.TransferSyntaxUID = transfer_syntax
    made = io.BytesIO()
    ds.save_as(made, enforce_file_format=True)
    return made.getvalue()

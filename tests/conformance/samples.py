"""One object for each thing that the statement says can be had."""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import imagecodecs
import pydicom
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate

from tests.dicom.objects import to_bytes
from tests.dicomweb.test_views import CDA_CLASS, PDF_CLASS, STL_CLASS, document, video
from tests.render.report.documents import bundled
from tests.render.slide.synthetic import levels, tissue
from tests.render.video.streams import REORDERED
from tests.render.video.test_facts import mpeg2
from tests.render.waveform.recorded import bundled_ecg
from vna.cli.region.media import pdf
from vna.dicom.source import BytesSource
from vna.render.video.remux import to_mp4

ROOT = "1.2.826.60"
MP4 = b"".join(to_mp4(BytesSource(REORDERED), Fraction(25)).read(BytesSource(REORDERED), 0))
TS = (b"\x47" + bytes(187)) * 8
_V = "1.2.840.10008.1.2.4."


@dataclass(frozen=True)
class Sample:
    """A stored object. `names`: what stands in a path template."""

    data: bytes
    study: str
    series: str
    sop: str

    @property
    def path(self) -> str:
        return f"/studies/{self.study}/series/{self.series}/instances/{self.sop}"

    def filled(self, template: str) -> str:
        """A path of this object."""
        names = {
            "study": self.study, "series": self.series, "instance": self.sop, "frames": "1",
            "path:rest": "7FE00010", "region": "full", "size": "max", "rotation": "0",
        }  # fmt: skip
        for name, value in names.items():
            template = template.replace(f"{{{name}}}", value)
        return template


def _file(name: str) -> bytes:
    path = get_testdata_file(name)
    assert isinstance(path, str)
    return Path(path).read_bytes()


def _jpx() -> bytes:
    """The CT in the one lossless syntax that is stored and not made."""
    made = pydicom.dcmread(io.BytesIO(_file("CT_small.dcm")))
    made.remove_private_tags()  # which have bulk data of their own
    frame = bytes(imagecodecs.jpeg2k_encode(made.pixel_array, level=0, codecformat="J2K"))
    made.PixelData = encapsulate([frame])
    made["PixelData"].is_undefined_length = True
    return to_bytes(made, _V + "92")


def _sample(number: int, data: bytes, **more: Any) -> Sample:
    """`data` under UIDs of its own."""
    made = pydicom.dcmread(io.BytesIO(data))
    study = f"{ROOT}.{number}"
    made.StudyInstanceUID, made.SeriesInstanceUID = study, f"{study}.1"
    made.SOPInstanceUID = f"{study}.1.1"
    made.PatientID = f"C{number}"
    for keyword, value in more.items():
        setattr(made, keyword, value)
    return Sample(
        to_bytes(made, made.file_meta.TransferSyntaxUID), study, f"{study}.1", f"{study}.1.1"
    )


def samples() -> dict[str, Sample]:
    """By what is special about them."""
    found = {
        "ct": _file("CT_small.dcm"),
        "rgb": _file("SC_rgb_small_odd.dcm"),
        "jpeg": _file("SC_rgb_jpeg_dcmtk.dcm"),
        "multi": _file("SC_rgb_2frame.dcm"),
        "implicit": _file("MR_small_implicit.dcm"),
        "image/jpx": _jpx(),
        "ecg": bundled_ecg(),
        "sr": bundled("test-SR.dcm"),
        "pdf": document(pdf("Report"), "application/pdf", PDF_CLASS),
        "cda": document(b"<ClinicalDocument/>", "text/XML", CDA_CLASS),
        "model/stl": document(bytes(84), "model/stl", STL_CLASS),
        "model/obj": document(b"v 0 0 0\n", "model/obj", "1.2.840.10008.5.1.4.1.1.104.4"),
        "model/mtl": document(b"newmtl a\n", "model/mtl", "1.2.840.10008.5.1.4.1.1.104.5"),
        "video/mp4": video(MP4),
        "video/mpeg": video(mpeg2(64, 48, 4), _V + "101"),
        "video/h265": video(b"\0\0\0\1\x40\x01" + bytes(64), _V + "107"),
        "video/mp2t": video(TS),
    }
    made = {name: _sample(number, data) for number, (name, data) in enumerate(found.items(), 1)}
    slides = levels(tissue(300, 200), root=f"{ROOT}.99")
    first = pydicom.dcmread(io.BytesIO(slides[0]))
    made["slide"] = Sample(
        slides[0], first.StudyInstanceUID, first.SeriesInstanceUID, first.SOPInstanceUID
    )
    return made


def every_file(found: dict[str, Sample]) -> list[bytes]:
    """What is to be stored."""
    return [*(each.data for each in found.values()), *levels(tissue(300, 200), root=f"{ROOT}.99")]

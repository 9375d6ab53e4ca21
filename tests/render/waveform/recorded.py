"""Waveform objects, made here or bundled with pydicom, and their SVG read back into numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from tests.dicom.objects import identified, to_bytes
from vna.dicom.elements import read_elements
from vna.dicom.item import Item
from vna.dicom.json import find
from vna.dicom.scan import scan
from vna.dicom.source import BytesSource
from vna.render.waveform.layout import Pages, Scale
from vna.render.waveform.paper import SVG, Paper, sheets
from vna.render.waveform.recording import recording
from vna.render.waveform.sheet import Sheet
from vna.render.waveform.svg import svg

SVG_NAME = "{http://www.w3.org/2000/svg}"
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


@cache
def bundled_ecg() -> bytes:
    """Twelve leads of 10 s at 1000 samples a second, and a median beat."""
    path = get_testdata_file("waveform_ecg.dcm")
    assert isinstance(path, str)
    return Path(path).read_bytes()


def code(value: str, meaning: str, scheme: str = "99TEST") -> Dataset:
    """A code sequence item."""
    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = value, scheme, meaning
    return made


def channel(name: str, unit: str | None = "uV", sensitivity: str = "1", **more: Any) -> Dataset:
    """A channel definition; without a unit it is not calibrated."""
    made = Dataset()
    made.ChannelSourceSequence = [code("X", name)]
    made.WaveformBitsStored = 16
    if unit is not None:
        made.ChannelSensitivity = sensitivity
        made.ChannelSensitivityUnitsSequence = [code(unit, unit, "UCUM")]
    for keyword, value in more.items():
        setattr(made, keyword, value)
    return made


def group(
    samples: NDArray[Any], channels: Sequence[Dataset], rate: float, kind: str = "SS", **more: Any
) -> Dataset:
    """A multiplex group; `samples`: moments × channels, little endian."""
    made = Dataset()
    made.WaveformOriginality = "ORIGINAL"
    made.NumberOfWaveformSamples, made.NumberOfWaveformChannels = samples.shape
    made.SamplingFrequency = str(rate)
    made.WaveformBitsAllocated = samples.dtype.itemsize * 8
    made.WaveformSampleInterpretation = kind
    made.ChannelDefinitionSequence = list(channels)
    data = samples.tobytes()
    made.WaveformData = data + bytes(len(data) % 2)
    made["WaveformData"].VR = "OB" if samples.dtype.itemsize == 1 else "OW"
    for keyword, value in more.items():
        setattr(made, keyword, value)
    return made


def recorded(*groups: Dataset, **attributes: Any) -> bytes:
    """A Part 10 file of a waveform object."""
    data_set = identified(**attributes)
    data_set.SOPClassUID = "1.2.840.10008.5.1.4.1.1.9.1.2"
    data_set.WaveformSequence = list(groups)
    return to_bytes(data_set)


def drawn(
    data: bytes, scale: Scale | None = None, pages: Sequence[int] | None = None, **options: Any
) -> list[Sheet]:
    """The pages of an object, all of them unless `pages` says which."""
    scale = scale or Scale()
    found = scan(BytesSource(data))
    elements = read_elements(found.header)
    item = Item.of(elements)
    every = Pages(recording(item), scale)
    numbers = tuple(pages or range(1, len(every) + 1))
    windows = []
    for number in numbers:
        plan = every.plan(number)
        samples = find(elements, f"54000100/{plan.group.number}/54001010")
        assert samples is not None
        first, count = plan.window
        begin = found.dataset_offset + samples.offset + first * plan.group.stride
        windows.append(data[begin : begin + count * plan.group.stride])
    return list(sheets(item, Paper(SVG, numbers, scale, **options), windows))


@dataclass(frozen=True)
class ReadTrace:
    """A path of an SVG: `name`, seconds and value of every point."""

    name: str
    facts: dict[str, str]
    seconds: NDArray[np.float64]
    values: NDArray[np.float64]


def read_back(document: bytes, mm_per_second: float) -> list[ReadTrace]:
    """The traces of an SVG, by nothing but its millimetres and what each path says of itself."""
    root = ElementTree.fromstring(document)
    box = [float(each) for each in root.get("viewBox", "").split()]
    assert [f"{box[2]:g}mm", f"{box[3]:g}mm"] == [root.get("width"), root.get("height")]
    found = []
    for path in root.iter(f"{SVG_NAME}path"):
        facts = {key[5:]: value for key, value in path.attrib.items() if key.startswith("data-")}
        if "mm-per-unit" not in facts:
            continue
        points = np.array(
            [
                [float(number) for number in pair.split()]
                for pair in re.split("[ML]", path.attrib["d"])[1:]
            ]
        ).reshape(-1, 2)
        seconds = float(facts["start"]) + (points[:, 0] - float(facts["x"])) / mm_per_second
        values = (float(facts["y"]) - points[:, 1]) / float(facts["mm-per-unit"])
        name = facts.get("lead") or facts["channel"]
        found.append(ReadTrace(name, facts, seconds, values + float(facts["middle"])))
    return found


def traces(data: bytes, scale: Scale | None = None, page: int = 1) -> list[ReadTrace]:
    """The traces of one page."""
    scale = scale or Scale()
    return read_back(svg(drawn(data, scale, [page])[0]), scale.speed)


def by_pydicom(data: bytes, number: int = 0) -> NDArray[np.float64]:
    """The physical values of a group as pydicom has them, moments × channels."""
    data_set = pydicom.dcmread(pydicom.filebase.DicomBytesIO(data))
    return np.asarray(data_set.waveform_array(number), dtype=np.float64)

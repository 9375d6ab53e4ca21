"""Frames of the files that come with pydicom and pydicom-data, and what pydicom makes of them."""

from __future__ import annotations

import functools
import io
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import data_store
import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.pixels import pixel_array

from vna.dicom.elements import read_elements
from vna.dicom.inflate import InflatedSource
from vna.dicom.scan import Scan, scan
from vna.dicom.source import BytesSource
from vna.dicom.transfer_syntax import EXPLICIT_BE, EXPLICIT_LE
from vna.dicom.values import swapped
from vna.dicom.writer import bits_allocated, unit_of
from vna.errors import MalformedObject
from vna.pixels.description import PixelDescription

_FOLDERS = (
    Path(pydicom.__file__).parent / "data",
    Path(data_store.__file__).parent / "data",
)
_OTHER = {".py", ".pyc", ".json", ".txt", ".md", ".dump", ".gz", ".icc", ".tar", ".zip"}
_MANY = "dicomdirtests"  # of these alike pictures one is enough


@dataclass(frozen=True)
class Frame:
    """One frame of a file: `data` is native little endian, or the fragments without item heads."""

    path: Path
    number: int
    frames: int
    syntax: str
    description: PixelDescription
    data: bytes
    first_bit: int

    @property
    def name(self) -> str:
        return f"{self.path.name} frame {self.number}"


@functools.cache
def files() -> tuple[Path, ...]:
    """Every file with pixel data that can be divided into frames, in a stable order."""
    found = [p for folder in _FOLDERS for p in sorted(folder.rglob("*")) if p.is_file()]
    wanted = [p for p in found if p.suffix not in _OTHER and _MANY not in p.parts]
    return tuple(p for p in wanted if _scanned(p) is not None)


def file(name: str) -> Path:
    """The file of that name."""
    return next(path for path in files() if path.name == name)


def frames(most: int = 2) -> Iterator[Frame]:
    """The first frames of every file whose header describes its pixels."""
    for path in files():
        try:
            yield from frames_of(path, most)
        except MalformedObject:
            continue


def frames_of(path: Path, most: int = 2) -> Iterator[Frame]:
    """The first frames of one file; raises `MalformedObject` where its header does not do."""
    scanned = _scanned(path)
    assert scanned is not None
    anatomy, syntax = scanned.anatomy, scanned.transfer_syntax
    elements = read_elements(scanned.header)
    description = PixelDescription.of(elements, anatomy.pixel_tag)
    data = path.read_bytes()
    if anatomy.deflated:
        source = InflatedSource(BytesSource(data), anatomy.dataset_offset)
        data = source.read(0, anatomy.tail_offset)
    if syntax == EXPLICIT_BE:
        value = slice(anatomy.pixel_offset, anatomy.tail_offset)
        pixels = next(e for e in elements if e.tag == anatomy.pixel_tag)
        turned = swapped(data[value], unit_of(pixels, bits_allocated(elements)))
        data = data[: value.start] + turned + data[value.stop :]
        syntax = EXPLICIT_LE
    for number in range(1, min(anatomy.number_of_frames, most) + 1):
        parts = [data[offset : offset + length] for offset, length in anatomy.frame(number)]
        yield Frame(
            path,
            number,
            anatomy.number_of_frames,
            syntax,
            description,
            b"".join(parts),
            anatomy.first_bit(number),
        )


def by_pydicom(frame: Frame) -> npt.NDArray[Any] | None:
    """The raw samples by pydicom, colours not converted; None where it cannot decode the file."""
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(io.BytesIO(frame.path.read_bytes()), force=True)
            return np.asarray(pixel_array(dataset, index=frame.number - 1, raw=True))
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError):
        return None
    finally:
        logging.disable(logging.NOTSET)


@functools.cache
def _scanned(path: Path) -> Scan | None:
    try:
        found = scan(BytesSource(path.read_bytes()))
    except MalformedObject:
        return None
    return found if found.anatomy.number_of_frames else None

"""Every file that can be decoded, in lossless transfer syntaxes over HTTP: the pixels are those
that pydicom reads of the file itself."""

from __future__ import annotations

import copy
import functools
import io
import itertools
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import generate_frames
from pydicom.pixels import pixel_array

from tests.dicomweb.wire import store
from tests.http.archive import running
from tests.pixels.corpus import Frame, by_pydicom, files, frames_of
from tests.size import size
from vna.dicom.transfer_syntax import TRANSFER_SYNTAXES
from vna.errors import MalformedObject
from vna.pixels.decode import decodable
from vna.pixels.encode import LOSSLESS_TARGETS, encodable

Samples = np.ndarray[Any, np.dtype[Any]]
FRAMES = 2  # compared of each file
FILES_OF_A_SYNTAX = size(10, 1000)
# The libraries that pydicom decodes with and ours may round lossy codestreams differently.
LEVELS = 2

_ROOT = "1.2.840.10008.1.2."
NATIVE, RLE, JPEG_2000 = _ROOT + "1", _ROOT + "5", _ROOT + "4.90"
BY_PYDICOM = (NATIVE, RLE, JPEG_2000)
HTJ2K = (_ROOT + "4.201", _ROOT + "4.202")
BY_CODEC: dict[str, Callable[[bytes], Any]] = {
    _ROOT + "4.57": imagecodecs.ljpeg_decode,
    _ROOT + "4.70": imagecodecs.ljpeg_decode,
    _ROOT + "4.80": imagecodecs.jpegls_decode,
    _ROOT + "4.201": imagecodecs.htj2k_decode,
    _ROOT + "4.202": imagecodecs.htj2k_decode,
    _ROOT + "4.110": imagecodecs.jpegxl_decode,
}
UNPACKED: dict[str, Callable[[bytes], bytes]] = {
    _ROOT + "1.98": bytes,
    _ROOT + "8.1": lambda frame: zlib.decompressobj(-zlib.MAX_WBITS).decompress(frame),
}


@dataclass(frozen=True)
class Case:
    """A file of the corpus: its first frames, and what pydicom makes of them."""

    frames: tuple[Frame, ...]

    @property
    def name(self) -> str:
        return self.frames[0].path.name

    @property
    def lossy(self) -> bool:
        return TRANSFER_SYNTAXES[self.frames[0].syntax].lossy

    def expected(self) -> list[Samples]:
        """The samples of each frame."""
        found = [by_pydicom(frame) for frame in self.frames]
        return [each for each in found if each is not None]


@functools.cache
def cases() -> tuple[Case, ...]:
    """Every file whose pixels both pydicom and the archive can decode."""
    return tuple(_cases())


def _cases() -> Iterator[Case]:
    for path in files():
        try:
            found = tuple(frames_of(path, FRAMES))
        except MalformedObject:
            continue
        if found and decodable(found[0].syntax) and by_pydicom(found[0]) is not None:
            yield Case(found)


TARGETS = tuple(LOSSLESS_TARGETS)


def asked(syntax: str) -> list[Case]:
    """Each file in one syntax, in turn; each syntax of so many files, evenly chosen."""
    every = cases()
    turn = TARGETS.index(syntax)
    able = [each for each in every if encodable(syntax, each.frames[0].description)]
    step = max(1, len(able) // FILES_OF_A_SYNTAX)
    chosen = [*every[turn :: len(TARGETS)], *able[::step][:FILES_OF_A_SYNTAX]]
    return list({each.name: each for each in chosen}.values())


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("archive") / "data"
    with running(folder) as url, httpx.Client(base_url=f"{url}/dicomweb", timeout=120) as client:
        del client.headers["accept"]
        yield client


@pytest.fixture(scope="module")
def path_of(client: httpx.Client) -> Callable[[Case], str]:
    """Stores a file when it is first asked for, under UIDs of its own; gives its path."""
    numbers = itertools.count(1)
    known: dict[str, str] = {}

    def path(case: Case) -> str:
        place = str(case.frames[0].path)
        if place not in known:
            study = f"1.2.826.99.{next(numbers)}"
            made = pydicom.dcmread(place, force=True)
            made.StudyInstanceUID, made.SeriesInstanceUID = study, f"{study}.1"
            made.SOPInstanceUID = f"{study}.1.1"
            file = io.BytesIO()
            try:
                made.save_as(file, enforce_file_format=False)
            except TypeError:  # its VRs are not those of its transfer syntax: it is sent as it is
                made = pydicom.dcmread(place, force=True)
                file = io.BytesIO(case.frames[0].path.read_bytes())
            assert store(client, file.getvalue()).status_code in (200, 202)
            study, series = made.StudyInstanceUID, made.SeriesInstanceUID
            known[place] = f"/studies/{study}/series/{series}/instances/{made.SOPInstanceUID}"
        return known[place]

    return path


def test_the_corpus_is_varied() -> None:
    descriptions = [each.frames[0].description for each in cases()]
    assert len(descriptions) > 100
    assert {each.samples for each in descriptions} == {1, 3}
    assert {each.signed for each in descriptions} == {False, True}
    assert {each.allocated for each in descriptions} >= {1, 8, 16, 32}


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")  # of files that are meant to be odd
@pytest.mark.parametrize("syntax", TARGETS)
def test_the_pixels_are_those_of_the_file(
    client: httpx.Client,
    path_of: Callable[[Case], str],
    syntax: str,
    record_property: Callable[[str, object], None],
) -> None:
    compared = 0
    for case in asked(syntax):
        accept = f"application/dicom; transfer-syntax={syntax}"
        answer = client.get(path_of(case), headers={"Accept": accept})
        description, expected = case.frames[0].description, case.expected()
        if answer.status_code == 406:
            code = answer.json()["code"]
            if encodable(syntax, description):
                assert code == "unencodable", case.name
                assert stray(expected, description.stored), case.name
            else:
                assert code == "not-acceptable", case.name
            continue
        assert answer.status_code == 200, (case.name, answer.text)
        found = pydicom.dcmread(io.BytesIO(answer.content))
        assert found.file_meta.TransferSyntaxUID == syntax
        for number, wanted in enumerate(expected):
            seen = decoded(found, syntax, number, wanted)
            assert seen.shape == wanted.shape, (case.name, number)
            off = difference(seen, wanted, description.stored, floating=description.floating)
            assert off <= (LEVELS if case.lossy else 0), (case.name, number)
        compared += 1
    record_property("files", compared)
    assert compared >= 9


def decoded(found: pydicom.Dataset, syntax: str, number: int, like: Samples) -> Samples:
    """One frame of what the archive sent, by pydicom or by the codec that it has no plug-in for."""
    if syntax in BY_PYDICOM:
        return np.asarray(pixel_array(found, index=number, raw=True))
    frames = generate_frames(found.PixelData, number_of_frames=int(found.get("NumberOfFrames", 1)))
    frame = next(itertools.islice(frames, number, None))
    if syntax in BY_CODEC:
        samples = np.asarray(BY_CODEC[syntax](frame))
        if syntax in HTJ2K and found.PhotometricInterpretation.startswith("YBR_FULL"):
            samples = np.moveaxis(samples, 0, -1)  # without a colour transform: plane by plane
        return samples.reshape(like.shape) if samples.shape[2:] == (1,) else samples
    alone = copy.deepcopy(found.group_dataset(0x0028))
    alone.NumberOfFrames = 1
    alone.PixelData = UNPACKED[syntax](frame)
    alone.PixelData += b"\0" * (len(alone.PixelData) % 2)
    alone["PixelData"].VR = "OW" if alone.BitsAllocated > 8 else "OB"
    alone.file_meta = pydicom.dataset.FileMetaDataset()
    alone.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    return np.asarray(pixel_array(alone, index=0, raw=True))


def difference(one: Samples, other: Samples, stored: int, *, floating: bool) -> float:
    """The largest difference between samples; of their stored bits, whose sign a codestream does
    not always say."""
    if floating:
        return float(np.abs(one - other).max())
    mask = (1 << stored) - 1
    ours, theirs = (each.astype(np.int64) & mask for each in (one, other))
    apart = np.abs(ours - theirs)
    return float(np.minimum(apart, mask + 1 - apart).max())


def stray(expected: list[Samples], stored: int) -> bool:
    """Whether a sample is beyond its stored bits, which no codestream of that precision holds."""
    return any(
        int(each.max()) >> stored > 0 or int(each.min()) < -(1 << stored - 1) for each in expected
    ) or any(each.dtype.kind == "i" and int(each.max()) >> stored - 1 > 0 for each in expected)

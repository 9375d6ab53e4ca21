"""Pictures of real files, against pydicom's own chain of lookup tables."""

from __future__ import annotations

import io
import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from PIL import Image

from tests.dicom.objects import to_bytes
from tests.dicomweb.wire import store
from tests.http.archive import running
from tests.pixels.corpus import Frame, file, frames
from tests.render.image.oracle import shown
from vna.dicom.scan import scan
from vna.dicom.source import BytesSource
from vna.render.image.asked import Asked
from vna.render.image.picture import picture

LEVELS = 1.0 + 1e-6  # of 256; the oracle's are no whole numbers
COLOUR_LEVELS = 3.0  # of two decoders of lossy colours
NOT_COMPARED = {
    "OBXXXX1A_expb.dcm": "pydicom does not turn the words of a big endian palette",
    "OBXXXX1A_expb_2frame.dcm": "pydicom does not turn the words of a big endian palette",
    "emri_small_jpeg_2k_lossless_too_short.dcm": "its frame is cut off",
}
VARIED = (  # over HTTP: modalities, codecs, tables and colour spaces
    "693_J2KI.dcm",
    "CT_small.dcm",
    "JPEG2000.dcm",
    "MR_small.dcm",
    "MR_small_RLE.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "MR-SIEMENS-DICOM-WithOverlays.dcm",
    "OBXXXX1A.dcm",
    "RG1_UNCI.dcm",
    "SC_rgb.dcm",
    "SC_rgb_16bit.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "SC_ybr_full_uncompressed.dcm",
    "US1_UNCI.dcm",
    "RG3_J2KI.dcm",
    "eCT_Supplemental.dcm",
    "emri_small.dcm",
    "examples_palette.dcm",
    "gdcm-US-ALOKA-16.dcm",
    "liver_1frame.dcm",
    "mlut_18.dcm",
    "vlut_04.dcm",
)


def test_pictures_are_what_pydicoms_lookup_tables_give(
    record_property: Callable[[str, object], None],
) -> None:
    kinds: Counter[str] = Counter()
    for frame in frames(1):
        found = scan(BytesSource(frame.path.read_bytes()))
        whole = len(found.header.cuts) == 1  # tables of more than 1 KiB lie elsewhere
        if whole and frame.path.name not in NOT_COMPARED:
            kinds[compared(frame.path, partial(_drawn, frame))] += 1
    del kinds[""]
    record_property("frames rendered as pydicom shows them", sum(kinds.values()))
    assert sum(kinds.values()) >= 100
    assert set(kinds) >= {"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL_422"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Of an archive."""
    with (
        running(tmp_path_factory.mktemp("archive") / "data") as url,
        httpx.Client(base_url=f"{url}/dicomweb", timeout=60) as client,
    ):
        yield client


@pytest.mark.parametrize("name", VARIED)
def test_a_rendered_resource_is_what_pydicoms_lookup_tables_give(
    client: httpx.Client, name: str
) -> None:
    data_set = _read(file(name))
    uid = f"1.2.826.78.{VARIED.index(name)}"
    data_set.StudyInstanceUID, data_set.SeriesInstanceUID = uid, f"{uid}.1"
    data_set.SOPInstanceUID = f"{uid}.1.1"
    data_set.PatientID = uid
    syntax = data_set.file_meta.TransferSyntaxUID
    answer = store(client, to_bytes(data_set, syntax))
    assert answer.status_code in (200, 202), answer.text
    frame = f"/studies/{uid}/series/{uid}.1/instances/{uid}.1.1/frames/1/rendered"

    answer = client.get(frame, params={"overlays": "no"}, headers={"Accept": "image/png"})

    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    assert compared(file(name), lambda: np.asarray(Image.open(io.BytesIO(answer.content))))


def compared(path: Path, draw: Callable[[], npt.NDArray[Any]]) -> str:
    """Hold a picture against the oracle; "" where pydicom cannot decode the file."""
    data_set = _read(path)
    logging.disable(logging.CRITICAL)
    try:
        expected = shown(data_set)
    finally:
        logging.disable(logging.NOTSET)
    if expected is None:
        return ""
    levels, counts = expected
    found = draw()
    if found.ndim > levels.ndim:
        found = found[:, :, 0]  # gray beside the colours of a supplemental palette
    if found.shape[:2] != levels.shape[:2]:
        _square_pixels(data_set, found.shape)
        return "pixels that are not square"
    apart = np.abs(found.astype(float) - levels)[counts]
    tolerance = COLOUR_LEVELS if levels.ndim == 3 else LEVELS
    assert apart.size == 0 or apart.max() <= tolerance, (path.name, apart.max())
    return str(data_set.PhotometricInterpretation)


def _square_pixels(data_set: pydicom.Dataset, shape: tuple[int, ...]) -> None:
    """The picture is as high as the pixels say."""
    vertical, horizontal = data_set.PixelAspectRatio
    height = data_set.Rows / data_set.Columns * vertical / horizontal
    assert shape[0] / shape[1] == pytest.approx(height, rel=0.01)


def _drawn(frame: Frame) -> npt.NDArray[Any]:
    found = scan(BytesSource(frame.path.read_bytes()))
    facts = {
        "asked": Asked("image/png", overlays=False).facts(),
        "number": 1,
        "syntax": frame.syntax,
        "pixel_tag": found.anatomy.pixel_tag,
        "largest": 1 << 28,
    }
    said, data = picture(facts, [found.header.encode(), frame.data])
    made = np.asarray(Image.open(io.BytesIO(data)))
    assert (said["rows"], said["columns"]) == made.shape[:2]
    return made


def _read(path: Path) -> pydicom.Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(path, force=True)

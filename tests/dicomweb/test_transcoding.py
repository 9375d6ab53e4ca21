"""Pixel data in other transfer syntaxes over HTTP: what arrives is what pydicom reads."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.pixels import pixel_array

from tests.dicomweb.wire import OCTETS, parts, store
from tests.http.archive import running
from vna.pixels.encode import LOSSLESS_TARGETS

EXPLICIT_LE = "1.2.840.10008.1.2.1"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
JPEG_2000 = "1.2.840.10008.1.2.4.90"
RLE = "1.2.840.10008.1.2.5"

FILES = [
    "CT_small.dcm",  # signed, native
    "MR_small_RLE.dcm",
    "JPEG2000.dcm",
    "emri_small_jpeg_ls_lossless.dcm",  # ten frames
    "SC_rgb_rle_2frame.dcm",  # colour by plane
    "MR_small_bigendian.dcm",
    "image_dfl.dcm",  # deflated data set
    "liver_1frame.dcm",  # one bit
    "liver_expb_1frame.dcm",
]
DICOM = "application/dicom"


@pytest.fixture(scope="module")
def stored(client: httpx.Client) -> dict[str, Any]:
    """The files by name, stored."""
    found = {}
    for name in FILES:
        path = get_testdata_file(name)
        assert isinstance(path, str)
        data = Path(path).read_bytes()
        assert store(client, data).status_code in (200, 202)
        found[name] = pydicom.dcmread(io.BytesIO(data))
    return found


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Of an archive of this module's own: its decoder processes are killed."""
    folder = tmp_path_factory.mktemp("archive") / "data"
    with running(folder) as url, httpx.Client(base_url=f"{url}/dicomweb", timeout=60) as client:
        del client.headers["accept"]
        yield client


def path_of(dataset: Any) -> str:
    return (
        f"/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}"
        f"/instances/{dataset.SOPInstanceUID}"
    )


def as_pydicom(dataset: Any) -> Any:
    """The samples as they are stored, without conversion of colours."""
    return pixel_array(dataset, raw=True)


def get(client: httpx.Client, path: str, accept: str) -> httpx.Response:
    return client.get(path, headers={"Accept": accept})


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("syntax", [EXPLICIT_LE, RLE, JPEG_2000])
def test_a_file_in_another_syntax_has_the_same_pixels(
    client: httpx.Client, stored: dict[str, Any], name: str, syntax: str
) -> None:
    original = stored[name]
    answer = get(client, path_of(original), f"{DICOM}; transfer-syntax={syntax}")
    if syntax == JPEG_2000 and original.BitsAllocated == 1:
        assert answer.status_code == 406
        return

    assert answer.headers["content-type"] == f"{DICOM}; transfer-syntax={syntax}"
    assert "warning" not in answer.headers
    found = pydicom.dcmread(io.BytesIO(answer.content))
    assert found.file_meta.TransferSyntaxUID == syntax
    assert found.SOPInstanceUID == original.SOPInstanceUID
    np.testing.assert_array_equal(as_pydicom(found), as_pydicom(original))
    if syntax == EXPLICIT_LE:
        assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize("name", FILES)
def test_nothing_named_means_uncompressed(
    client: httpx.Client, stored: dict[str, Any], name: str
) -> None:
    """Table 8.7.3-2: the default of application/dicom is Explicit VR Little Endian."""
    original = stored[name]
    (part,) = parts(get(client, path_of(original), f'multipart/related; type="{DICOM}"'))

    assert part.headers["content-type"] == f"{DICOM}; transfer-syntax={EXPLICIT_LE}"
    found = pydicom.dcmread(io.BytesIO(part.data))
    np.testing.assert_array_equal(as_pydicom(found), as_pydicom(original))


@pytest.mark.parametrize("name", FILES)
def test_frames_as_octets_are_native_little_endian(
    client: httpx.Client, stored: dict[str, Any], name: str
) -> None:
    original = stored[name]
    path = path_of(original)
    whole = get(client, path, f"{DICOM}; transfer-syntax={EXPLICIT_LE}").content
    native = pydicom.dcmread(io.BytesIO(whole))
    frames = int(native.get("NumberOfFrames", 1))
    numbers = ",".join(str(number) for number in range(1, frames + 1))

    found = parts(get(client, f"{path}/frames/{numbers}", OCTETS))

    assert [part.headers["content-type"] for part in found] == [
        f"application/octet-stream; transfer-syntax={EXPLICIT_LE}"
    ] * frames
    joined = b"".join(part.data for part in found)
    assert native.PixelData.startswith(joined)
    assert len(native.PixelData) - len(joined) <= 1


def test_every_lossless_syntax_is_had_by_its_media_type(
    client: httpx.Client, stored: dict[str, Any]
) -> None:
    original = stored["CT_small.dcm"]
    base = f"{path_of(original)}/frames/1"
    for syntax in LOSSLESS_TARGETS:
        answer = get(client, base, f'multipart/related; type="*/*"; transfer-syntax={syntax}')
        (part,) = parts(answer)
        assert part.headers["content-type"].endswith(f"; transfer-syntax={syntax}")
        assert part.headers["content-location"].endswith("/frames/1")


def test_jpeg_without_a_transfer_syntax_means_lossless_jpeg(
    client: httpx.Client, stored: dict[str, Any]
) -> None:
    """Table 8.7.3-5: the default of image/jpeg is 1.2.840.10008.1.2.4.70."""
    answer = get(
        client,
        f"{path_of(stored['MR_small_RLE.dcm'])}/frames/1",
        'multipart/related; type="image/jpeg"',
    )
    (part,) = parts(answer)

    assert part.headers["content-type"] == f"image/jpeg; transfer-syntax={JPEG_LOSSLESS}"
    assert part.data.startswith(b"\xff\xd8")


def test_a_lossy_syntax_is_not_made(client: httpx.Client, stored: dict[str, Any]) -> None:
    path = path_of(stored["CT_small.dcm"])
    for syntax in ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.91"):
        assert get(client, path, f"{DICOM}; transfer-syntax={syntax}").status_code == 406


def test_a_second_request_gets_the_same_bytes_and_a_range_of_them(
    client: httpx.Client, stored: dict[str, Any]
) -> None:
    path = f"{path_of(stored['JPEG2000.dcm'])}/frames/1"
    first = get(client, path, "application/octet-stream")
    again = client.get(
        path, headers={"Accept": "application/octet-stream", "Range": "bytes=100-199"}
    )

    assert again.status_code == 206
    assert again.content == first.content[100:200]
    assert again.headers["etag"] == first.headers["etag"]


def test_all_bulk_data_of_a_study_come_under_the_uris_of_its_metadata(
    client: httpx.Client, stored: dict[str, Any]
) -> None:
    original = stored["CT_small.dcm"]
    (metadata,) = get(client, f"{path_of(original)}/metadata", "application/dicom+json").json()
    uris = [each["BulkDataURI"] for each in metadata.values() if "BulkDataURI" in each]

    found = parts(get(client, f"/studies/{original.StudyInstanceUID}/bulkdata", OCTETS))

    assert [part.headers["content-location"] for part in found] == uris
    assert found[uris.index(next(u for u in uris if u.endswith("7FE00010")))].data == bytes(
        original.PixelData
    )


def decoder_processes() -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            if b"vna.decoders.worker" in command and parent == os.getpid():
                found.append(int(entry.name))
    return found


def test_a_decoder_that_is_killed_fails_at_most_the_requests_it_serves(
    client: httpx.Client, stored: dict[str, Any]
) -> None:
    original = stored["JPEG2000.dcm"]
    base = str(client.base_url).rstrip("/")

    def ask(number: int) -> int:
        accept = f"{DICOM}; transfer-syntax={list(LOSSLESS_TARGETS)[number % 3]}"
        return httpx.get(f"{base}{path_of(original)}", headers={"Accept": accept}).status_code

    ask(0)
    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(ask, number) for number in range(24)]
        for pid in decoder_processes():
            os.kill(pid, signal.SIGKILL)
        statuses = [each.result() for each in asked]

    assert set(statuses) <= {200, 500}
    assert ask(5) == 200

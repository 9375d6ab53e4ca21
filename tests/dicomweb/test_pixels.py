"""WADO-RS of frames and bulk data (PS3.18 §10.4.1.1.4 to .6, table 8.7.3-5)."""

from __future__ import annotations

import httpx
import pytest

from tests.dicom.objects import EXPLICIT_BE, written
from tests.dicomweb.wire import (
    EXPLICIT_LE,
    JPEG_BASELINE,
    JPEG_LOSSLESS,
    OCTETS,
    encapsulated,
    parts,
    path_of,
    store,
)
from tests.faults.synthetic import ROOT, Sent, native, small

JPEG = 'multipart/related; type="image/jpeg"'
FRAMES = [b"\xff\xd8" + bytes([n]) * 60 + b"\xff\xd9" for n in (1, 2, 3)]


@pytest.fixture
def jpeg(client: httpx.Client) -> Sent:
    """Three lossy JPEG frames."""
    sent = encapsulated("1", FRAMES, JPEG_BASELINE)
    store(client, sent.data)
    return sent


def get(
    client: httpx.Client, path: str, accept: str | None = None, **headers: str
) -> httpx.Response:
    """One GET."""
    given = {} if accept is None else {"Accept": accept}
    return client.get(path, headers=given | headers)


@pytest.mark.parametrize("accept", [None, OCTETS, f"{OCTETS}; transfer-syntax=*",
                                    f"{OCTETS}; transfer-syntax={EXPLICIT_LE}",
                                    'multipart/related; type="*/*"'])  # fmt: skip
def test_native_frames_are_a_part_each(client: httpx.Client, url: str, accept: str | None) -> None:
    large = native(12 << 20, name=901)
    store(client, b"".join(large.chunks()))
    path = f"/studies/{large.study_uid}/series/{large.series_uid}/instances/{large.sop_uid}"

    answer = get(client, f"{path}/frames/3,1", accept)

    found = parts(answer)
    assert [part.data for part in found] == [large.frame(3), large.frame(1)]
    assert found[0].headers == {
        "content-type": f"application/octet-stream; transfer-syntax={EXPLICIT_LE}",
        "content-location": f"{url}/dicomweb{path}/frames/3",
    }
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert "warning" not in answer.headers


@pytest.mark.parametrize(
    ("accept", "media_type", "warned"),
    [
        (f"{OCTETS}; transfer-syntax=*", "application/octet-stream", False),
        (f"{OCTETS}; transfer-syntax={JPEG_BASELINE}", "application/octet-stream", False),
        (OCTETS, "application/octet-stream", True),
        (f"{JPEG}; transfer-syntax={JPEG_BASELINE}", "image/jpeg", False),
        (f"{JPEG}; transfer-syntax=*", "image/jpeg", False),
        (JPEG, "image/jpeg", True),
        ('multipart/related; type="*/*"; transfer-syntax=*', "image/jpeg", False),
        ('multipart/related; type="*/*"', "image/jpeg", True),
        ("*/*", "image/jpeg", True),
    ],
)  # fmt: skip
def test_encapsulated_frames_are_bare_codestreams(
    client: httpx.Client, jpeg: Sent, accept: str, media_type: str, warned: bool
) -> None:
    answer = get(client, f"{path_of(jpeg)}/frames/1,2,3", accept)

    found = parts(answer)
    assert [part.data for part in found] == FRAMES
    kinds = {part.headers["content-type"] for part in found}
    assert kinds == {f"{media_type}; transfer-syntax={JPEG_BASELINE}"}
    assert f'type="{media_type}"' in answer.headers["content-type"]
    assert ("warning" in answer.headers) is warned


def test_the_default_syntax_of_a_media_type_needs_no_warning(client: httpx.Client) -> None:
    """Table 8.7.3-5: image/jpeg without transfer-syntax is lossless JPEG."""
    sent = encapsulated("2", FRAMES, JPEG_LOSSLESS)
    store(client, sent.data)

    answer = get(client, f"{path_of(sent)}/frames/1", 'multipart/related; type="image/jpeg"')

    assert [part.data for part in parts(answer)] == FRAMES[:1]
    assert "warning" not in answer.headers


@pytest.mark.parametrize(
    "accept",
    [
        f"{OCTETS}; transfer-syntax={EXPLICIT_LE}",
        'multipart/related; type="image/jls"',
        'multipart/related; type="image/jpeg"; transfer-syntax=1.2.840.10008.1.2.4.70',
        "text/plain",
    ],
)
def test_frames_that_no_codec_reads_are_406(client: httpx.Client, jpeg: Sent, accept: str) -> None:
    answer = get(client, f"{path_of(jpeg)}/frames/1", accept)

    assert answer.status_code == 406
    assert JPEG_BASELINE in answer.json()["detail"]


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("image/jpeg; transfer-syntax=*", "image/jpeg"),
        ("application/octet-stream; transfer-syntax=*", "application/octet-stream"),
        ("image/*", "image/jpeg"),
    ],
)
def test_one_frame_can_come_alone_and_in_ranges(
    client: httpx.Client, jpeg: Sent, accept: str, media_type: str
) -> None:
    path = f"{path_of(jpeg)}/frames/2"
    answer = get(client, path, accept)
    some = get(client, path, accept, Range="bytes=2-4")

    assert answer.content == FRAMES[1]
    assert answer.headers["content-type"] == f"{media_type}; transfer-syntax={JPEG_BASELINE}"
    assert (some.status_code, some.content) == (206, FRAMES[1][2:5])
    assert get(client, f"{path_of(jpeg)}/frames/1,2", accept).status_code == 406


@pytest.mark.parametrize(
    ("frames", "status"),
    [("0", 400), ("1,", 400), ("a", 400), ("-1", 400), ("1-2", 400), ("4", 404), ("1,4", 404)],
)
def test_frame_numbers_are_checked(
    client: httpx.Client, jpeg: Sent, frames: str, status: int
) -> None:
    assert get(client, f"{path_of(jpeg)}/frames/{frames}").status_code == status


def test_frames_of_big_endian_are_little_endian(client: httpx.Client) -> None:
    study = f"{ROOT}.7.3"
    store(client, written(EXPLICIT_BE, StudyInstanceUID=study, SeriesInstanceUID=f"{study}.1",
                          SOPInstanceUID=f"{study}.1.1", PatientID="B", Rows=1, Columns=2,
                          BitsAllocated=16, SamplesPerPixel=1, PixelRepresentation=0,
                          PixelData=b"\1\2\3\4"))  # fmt: skip

    answer = get(client, f"/studies/{study}/series/{study}.1/instances/{study}.1.1/frames/1")

    assert [part.data for part in parts(answer)] == [b"\2\1\4\3"]


def test_pixel_data_of_a_study_is_all_its_frames(client: httpx.Client, jpeg: Sent) -> None:
    for path in (
        f"/studies/{jpeg.study_uid}/pixeldata",
        f"{path_of(jpeg)}/pixeldata",
        f"{path_of(jpeg)}/bulkdata/7FE00010",
    ):
        answer = get(client, path, 'multipart/related; type="*/*"; transfer-syntax=*')
        assert [part.data for part in parts(answer)] == FRAMES


def test_every_bulk_data_uri_of_the_metadata_leads_to_its_value(
    client: httpx.Client, url: str
) -> None:
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    study = f"{ROOT}.7.4"
    inner = Dataset()
    inner.WaveformData = b"\7\x08" * 2000
    inner["WaveformData"].VR = "OW"
    data = written(StudyInstanceUID=study, SeriesInstanceUID=f"{study}.1",
                   SOPInstanceUID=f"{study}.1.1", PatientID="W",
                   WaveformSequence=Sequence([Dataset(), inner]),
                   EncapsulatedDocument=b"%PDF-" + bytes(3000) + b"!")  # fmt: skip
    assert store(client, data).status_code == 200
    path = f"/studies/{study}/series/{study}.1/instances/{study}.1.1"
    (metadata,) = client.get(f"{path}/metadata").json()
    nested = metadata["54000100"]["Value"][1]["54001010"]["BulkDataURI"]
    document = metadata["00420011"]["BulkDataURI"]
    assert nested == f"{url}/dicomweb{path}/bulkdata/54000100/2/54001010"

    alone = get(client, nested, "application/octet-stream")
    some = get(client, nested, "application/octet-stream", Range="bytes=0-1")
    (part,) = parts(get(client, nested))

    assert alone.content == part.data == b"\7\x08" * 2000
    assert part.headers["content-location"] == nested
    assert (some.status_code, some.content) == (206, b"\7\x08")
    assert get(client, document, "application/octet-stream").content.startswith(b"%PDF-")


@pytest.mark.parametrize("path", ["00420011", "54000100/1/54001010", "zz", "54000100/x/1"])
def test_bulk_data_that_is_not_there_is_404(client: httpx.Client, path: str) -> None:
    one = small(5, 1)
    store(client, one.data)

    assert get(client, f"{path_of(one)}/bulkdata/{path}").status_code == 404


def test_without_pixel_data_there_are_no_frames(client: httpx.Client) -> None:
    study = f"{ROOT}.7.6"
    store(client, written(StudyInstanceUID=study, SeriesInstanceUID=f"{study}.1",
                          SOPInstanceUID=f"{study}.1.1", PatientID="N"))  # fmt: skip
    path = f"/studies/{study}/series/{study}.1/instances/{study}.1.1"

    assert get(client, f"{path}/frames/1").status_code == 404
    assert get(client, f"{path}/pixeldata").status_code == 404

"""dicomweb-client for Python, which 3D Slicer and data scientists use, makes every call it has."""

from __future__ import annotations

import copy
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from dicomweb_client import DICOMwebClient
from numpy.typing import NDArray
from PIL import Image
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels import pixel_array
from pydicom.uid import UID
from requests import HTTPError

from tests.clients import patient
from tests.dicomweb.wire import body
from tests.faults.synthetic import small
from tests.http.archive import running

EXPLICIT_LE = "1.2.840.10008.1.2.1"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_57 = "1.2.840.10008.1.2.4.57"
JPEG_70 = "1.2.840.10008.1.2.4.70"
JPEG_LS = "1.2.840.10008.1.2.4.80"
# Every media type of frames for which the client knows a lossless transfer syntax.
LOSSLESS = (
    ("application/octet-stream", EXPLICIT_LE),
    ("image/dicom-rle", "1.2.840.10008.1.2.5"),
    ("image/x-dicom-rle", "1.2.840.10008.1.2.5"),
    ("image/jpeg", JPEG_57),
    ("image/jpeg", JPEG_70),
    ("image/jls", JPEG_LS),
    ("image/x-jls", JPEG_LS),
    ("image/jp2", "1.2.840.10008.1.2.4.90"),
)


@dataclass(frozen=True)
class Held:
    """What the archive holds: one object of each kind, as pydicom reads what was sent."""

    client: DICOMwebClient
    objects: dict[str, pydicom.FileDataset] = field(default_factory=dict)  # by modality

    def uids(self, modality: str) -> tuple[str, str, str]:
        """Study, series and instance of the first object of a modality."""
        ds = self.objects[modality]
        return ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Held]:
    """An archive that the client itself has filled."""
    with running(tmp_path_factory.mktemp("python") / "data") as url:
        made = Held(DICOMwebClient(f"{url}/dicomweb"))
        sent = [read(each) for each in patient.everything()]
        answer = made.client.store_instances(datasets=sent)
        assert len(answer.ReferencedSOPSequence) == len(sent)
        assert "FailedSOPSequence" not in answer
        for ds in sent:
            made.objects.setdefault(ds.Modality, ds)
        yield made


def read(data: bytes) -> pydicom.FileDataset:
    """A Part 10 file."""
    return pydicom.dcmread(io.BytesIO(data))


def store_instances(held: Held) -> None:
    one, other = small(11, 1), small(11, 2)
    datasets = [read(one.data), read(other.data)]

    for _ in range(2):  # whole; then again, in more chunks than there are parts
        answer = held.client.store_instances(datasets, study_instance_uid=one.study_uid)
        assert [each.ReferencedSOPInstanceUID for each in answer.ReferencedSOPSequence] == [
            one.sop_uid, other.sop_uid,
        ]  # fmt: skip
        held.client.set_chunk_size(1000)
    held.client.set_chunk_size(10**6)
    assert read(one.data) == held.client.retrieve_instance(
        one.study_uid, one.series_uid, one.sop_uid
    )


def set_chunk_size(held: Held) -> None:
    """A body without Content-Length, in pieces smaller than a header, is stored whole."""
    one = small(12, 1)
    held.client.set_chunk_size(7)
    answer = held.client.store_instances([read(one.data)])
    held.client.set_chunk_size(10**6)
    assert len(answer.ReferencedSOPSequence) == 1
    assert held.client.retrieve_instance(one.study_uid, one.series_uid, one.sop_uid) == read(
        one.data
    )


def set_http_retry_params(held: Held) -> None:
    """An answer that the client must not repeat is given at once."""
    held.client.set_http_retry_params(retry=True, max_attempts=5)
    with pytest.raises(HTTPError, match="404"):
        held.client.retrieve_study_metadata("1.9.9")
    held.client.set_http_retry_params(retry=False)


def search_for_studies(held: Held) -> None:
    mine = {"PatientID": held.objects["CT"].PatientID}
    found = held.client.search_for_studies(search_filters=mine, get_remaining=True, limit=2)
    assert {each["0020000D"]["Value"][0] for each in found} == {s.uid for s in patient.MINE}
    second = held.client.search_for_studies(search_filters=mine, limit=1, offset=1)
    assert second == found[1:2]
    fuzzy = held.client.search_for_studies(
        fuzzymatching=True, search_filters={"PatientName": "munoz"}, fields=["StudyDescription"]
    )
    assert len(fuzzy) == len(patient.MINE)
    assert all("00081030" in each for each in fuzzy)
    assert held.client.search_for_studies(search_filters={"PatientID": "nobody"}) == []


def search_for_series(held: Held) -> None:
    study, series, _ = held.uids("US")
    (found,) = held.client.search_for_series(study, fields=["ProtocolName"])
    assert found["0020000E"]["Value"] == [series]
    everywhere = held.client.search_for_series(search_filters={"Modality": "ECG"})
    assert [each["00080060"]["Value"] for each in everywhere] == [["ECG"]]


def search_for_instances(held: Held) -> None:
    study, series, _ = held.uids("CT")
    of_series = held.client.search_for_instances(study, series, get_remaining=True, limit=3)
    assert sorted(each["00200013"]["Value"][0] for each in of_series) == list(
        range(1, patient.SLICES + 1)
    )
    of_study = held.client.search_for_instances(study, get_remaining=True, limit=3)
    assert [each["00080018"] for each in of_study] == [each["00080018"] for each in of_series]
    (one,) = held.client.search_for_instances(
        search_filters={"SOPInstanceUID": held.uids("US")[2]}, fields=["NumberOfFrames"]
    )
    assert one["00280008"]["Value"] == [30]


def retrieve_study(held: Held) -> None:
    study, _, _ = held.uids("CT")
    found = held.client.retrieve_study(study)
    assert len(found) == patient.SLICES
    any_syntax = (("application/dicom", "*"),)
    (echo,) = held.client.retrieve_study(held.uids("US")[0], media_types=any_syntax)
    assert echo.file_meta.TransferSyntaxUID == JPEG_BASELINE
    assert echo == held.objects["US"]


def iter_study(held: Held) -> None:
    study, _, _ = held.uids("CT")
    assert list(held.client.iter_study(study)) == held.client.retrieve_study(study)


def retrieve_series(held: Held) -> None:
    found = held.client.retrieve_series(*held.uids("CT")[:2])
    assert held.objects["CT"] in found
    assert len(found) == patient.SLICES


def iter_series(held: Held) -> None:
    named = (("application/dicom", EXPLICIT_LE),)
    found = held.client.iter_series(*held.uids("CT")[:2], media_types=named)
    assert next(found).file_meta.TransferSyntaxUID == EXPLICIT_LE


def retrieve_instance(held: Held) -> None:
    for modality in ("CT", "ECG", "DOC"):
        assert held.client.retrieve_instance(*held.uids(modality)) == held.objects[modality]
    any_syntax = (("application/dicom", "*"),)
    for modality in ("US", "ES", "XC"):
        found = held.client.retrieve_instance(*held.uids(modality), media_types=any_syntax)
        assert found == held.objects[modality]


def retrieve_study_metadata(held: Held) -> None:
    found = held.client.retrieve_study_metadata(held.uids("CT")[0])
    assert len(found) == patient.SLICES


def retrieve_series_metadata(held: Held) -> None:
    (found,) = held.client.retrieve_series_metadata(*held.uids("ECG")[:2])
    assert found["0020000D"]["Value"] == [held.uids("ECG")[0]]


def retrieve_instance_metadata(held: Held) -> None:
    found = held.client.retrieve_instance_metadata(*held.uids("US"))
    assert pydicom.Dataset.from_json(found, lambda _: b"").Rows == held.objects["US"].Rows


def retrieve_instance_frames(held: Held) -> None:
    stored = list(generate_frames(held.objects["US"].PixelData, number_of_frames=30))
    asked = [30, 1]
    wanted = [stored[29], stored[0]]
    for media_types in (
        (("image/jpeg", JPEG_BASELINE),),
        (("application/octet-stream", "*"),),
        (("image/jpeg", JPEG_BASELINE), ("application/octet-stream", EXPLICIT_LE)),
    ):
        assert wanted == held.client.retrieve_instance_frames(
            *held.uids("US"), asked, media_types=media_types
        )
    ct = held.objects["CT"]
    (slice_,) = held.client.retrieve_instance_frames(*held.uids("CT"), [1])
    assert slice_ == ct.PixelData
    for media_type, syntax in LOSSLESS:
        (frame,) = held.client.retrieve_instance_frames(
            *held.uids("CT"), [1], media_types=((media_type, syntax),)
        )
        assert np.array_equal(decoded(ct, frame, syntax), pixel_array(ct)), syntax
    # Octets, and anything without a transfer syntax, are native (PS3.18 §8.7.3.5.2); colours stay
    # what the photometric interpretation in the metadata says, here of the YBR family.
    wanted_pixels = pixel_array(held.objects["US"], index=6, raw=True)
    for any_type in (None, ("*/*",), (("application/octet-stream", EXPLICIT_LE),)):
        (native,) = held.client.retrieve_instance_frames(
            *held.uids("US"), [7], media_types=any_type
        )
        shown = np.frombuffer(native, np.uint8).reshape(wanted_pixels.shape).astype(int)
        assert np.abs(shown - wanted_pixels).mean() < 2  # another JPEG decoder


def iter_instance_frames(held: Held) -> None:
    as_stored = (("application/octet-stream", "*"),)
    frames = held.client.iter_instance_frames(
        *held.uids("US"), list(range(1, 31)), media_types=as_stored
    )
    stored = generate_frames(held.objects["US"].PixelData, number_of_frames=30)
    assert [digest(each) for each in frames] == [digest(each) for each in stored]


def retrieve_bulkdata(held: Held) -> None:
    uri = held.client.retrieve_instance_metadata(*held.uids("CT"))["7FE00010"]["BulkDataURI"]
    pixels = held.objects["CT"].PixelData
    octets = ("application/octet-stream",)
    assert held.client.retrieve_bulkdata(uri) == [pixels]
    assert held.client.retrieve_bulkdata(uri, media_types=octets) == [pixels]
    # The client asks for a range of a multipart body, which has none: it is sent whole.
    assert held.client.retrieve_bulkdata(uri, octets, byte_range=(100, 199)) == [pixels]
    ecg = held.client.retrieve_instance_metadata(*held.uids("ECG"))
    curve = ecg["54000100"]["Value"][0]["54001010"]["BulkDataURI"]
    assert held.client.retrieve_bulkdata(curve) == [
        held.objects["ECG"].WaveformSequence[0].WaveformData
    ]


def iter_bulkdata(held: Held) -> None:
    uri = held.client.retrieve_instance_metadata(*held.uids("ES"))["7FE00010"]["BulkDataURI"]
    stream = b"".join(held.client.iter_bulkdata(uri))
    assert patient.MOVING_MP4.read_bytes() in stream


def picture(data: bytes) -> tuple[str, tuple[int, int]]:
    """Format and size of a picture."""
    with Image.open(io.BytesIO(data)) as found:
        return str(found.format), found.size


def retrieve_instance_rendered(held: Held) -> None:
    uids = held.uids("XC")
    ds = held.objects["XC"]
    for media_type, name in (("image/png", "PNG"), ("image/jpeg", "JPEG"), ("image/gif", "GIF")):
        found = held.client.retrieve_instance_rendered(*uids, media_types=(media_type,))
        assert picture(found) == (name, (ds.Columns, ds.Rows))
    small_one = held.client.retrieve_instance_rendered(
        *uids, media_types=("image/jpeg",), params={"viewport": "32,32", "quality": 50}
    )
    assert max(picture(small_one)[1]) == 32
    letter = held.client.retrieve_instance_rendered(
        *held.uids("DOC"), media_types=("application/pdf",)
    )
    assert letter.startswith(b"%PDF-")


def retrieve_series_rendered(held: Held) -> None:
    """One picture: the client reads one part only."""
    found = held.client.retrieve_series_rendered(*held.uids("XC")[:2], media_types=("image/png",))
    ds = held.objects["XC"]
    assert picture(found) == ("PNG", (ds.Columns, ds.Rows))


def retrieve_instance_frames_rendered(held: Held) -> None:
    found = held.client.retrieve_instance_frames_rendered(
        *held.uids("US"), [7], media_types=("image/png",)
    )
    assert picture(found) == ("PNG", (320, 240))


def delete_instance(held: Held) -> None:
    one, other = small(21, 1), small(21, 2)
    held.client.store_instances([read(one.data), read(other.data)])
    held.client.delete_instance(one.study_uid, one.series_uid, one.sop_uid)
    (left,) = held.client.search_for_instances(one.study_uid)
    assert left["00080018"]["Value"] == [other.sop_uid]


def delete_series(held: Held) -> None:
    one = small(22, 1)
    held.client.store_instances([read(one.data)])
    held.client.delete_series(one.study_uid, one.series_uid)
    assert held.client.search_for_studies(search_filters={"StudyInstanceUID": one.study_uid}) == []


def delete_study(held: Held) -> None:
    one = small(23, 1)
    held.client.store_instances([read(one.data)])
    held.client.delete_study(one.study_uid)
    with pytest.raises(HTTPError, match="410"):
        held.client.retrieve_study_metadata(one.study_uid)


def lookup_keyword(held: Held) -> None:
    """Asks no server."""
    assert held.client.lookup_keyword("00100020") == "PatientID"


def lookup_tag(held: Held) -> None:
    """Asks no server."""
    assert held.client.lookup_tag("PatientID") == "00100020"


CALLS: list[Callable[[Held], None]] = [
    store_instances, set_chunk_size, set_http_retry_params, search_for_studies, search_for_series,
    search_for_instances, retrieve_study, iter_study, retrieve_series, iter_series,
    retrieve_instance, retrieve_study_metadata, retrieve_series_metadata,
    retrieve_instance_metadata, retrieve_instance_frames, iter_instance_frames,
    retrieve_instance_rendered, retrieve_series_rendered, retrieve_instance_frames_rendered,
    retrieve_bulkdata, iter_bulkdata, delete_instance, delete_series, delete_study,
    lookup_keyword, lookup_tag,
]  # fmt: skip


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_the_call_works(held: Held, call: Callable[[Held], None]) -> None:
    call(held)


def test_no_call_of_the_client_is_left_out() -> None:
    public = {name for name in dir(DICOMwebClient) if not name.startswith("_")}
    properties = {name for name in public if isinstance(getattr(DICOMwebClient, name), property)}
    assert public - properties == {call.__name__ for call in CALLS}


def decoded(of: pydicom.FileDataset, frame: bytes, syntax: str) -> NDArray[Any]:
    """The pixels of a frame of one sample, by pydicom or the library it has no plug-in for."""
    if syntax in (JPEG_57, JPEG_70):
        return np.asarray(imagecodecs.ljpeg_decode(frame))
    if syntax == JPEG_LS:
        return np.asarray(imagecodecs.jpegls_decode(frame))
    ds = copy.deepcopy(of)
    ds.PixelData = bytes(frame) if syntax == EXPLICIT_LE else encapsulate([frame])
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    return pixel_array(ds)


def digest(data: bytes) -> str:
    """Equal for equal bytes, and short where they differ."""
    return hashlib.sha256(data).hexdigest()


def test_an_empty_or_cut_body_stores_nothing_and_says_so(held: Held) -> None:
    """Another archive answers 200 to a body without parts, and stores nothing."""
    session = held.client._session
    whole = body(small(31, 1).data)
    for data in (b"", whole[: len(whole) // 2]):
        answer = session.post(
            f"{held.client.base_url}/studies",
            data=data,
            headers={
                "Content-Type": 'multipart/related; type="application/dicom"; boundary=by-hand'
            },
        )
        assert answer.status_code == 400
    assert held.client.search_for_studies(search_filters={"PatientID": "P0-31"}) == []

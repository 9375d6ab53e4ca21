"""dicomweb-client, which data scientists use, works against the archive as it is."""

from __future__ import annotations

import io

import pydicom
import pytest
from dicomweb_client import DICOMwebClient
from requests import HTTPError

from tests.dicomweb.wire import JPEG_BASELINE, encapsulated
from tests.faults.synthetic import Sent, small

FRAMES = [b"\xff\xd8" + bytes([n]) * 60 + b"\xff\xd9" for n in (1, 2, 3)]


@pytest.fixture
def dicomweb(url: str) -> DICOMwebClient:
    """A client with its defaults."""
    return DICOMwebClient(f"{url}/dicomweb")


def read(sent: Sent) -> pydicom.FileDataset:
    """What was sent, as pydicom sees it."""
    return pydicom.dcmread(io.BytesIO(sent.data))


def test_a_study_is_stored_found_retrieved_and_deleted(dicomweb: DICOMwebClient) -> None:
    sent = [small(1, number) for number in (1, 2, 3)]
    study, series = sent[0].study_uid, sent[0].series_uid

    stored = dicomweb.store_instances(datasets=[read(each) for each in sent])

    assert len(stored.ReferencedSOPSequence) == 3
    assert "FailedSOPSequence" not in stored
    (found,) = dicomweb.search_for_studies(search_filters={"PatientID": "P0-1"})
    assert found["0020000D"]["Value"] == [study]
    instances = dicomweb.search_for_instances(study, series, get_remaining=True, limit=2)
    assert [each["00080018"]["Value"][0] for each in instances] == [s.sop_uid for s in sent]
    assert [each.SOPInstanceUID for each in dicomweb.retrieve_study(study)] == [
        each.sop_uid for each in sent
    ]
    assert len(list(dicomweb.iter_series(study, series))) == 3
    whole = dicomweb.retrieve_instance(study, series, sent[1].sop_uid)
    assert whole == read(sent[1])
    metadata = dicomweb.retrieve_series_metadata(study, series)
    assert len(metadata) == 3
    dicomweb.delete_study(study)
    with pytest.raises(HTTPError, match="410"):
        dicomweb.retrieve_study_metadata(study)


def test_frames_come_as_stored_and_in_the_order_asked(dicomweb: DICOMwebClient) -> None:
    sent = encapsulated("1", FRAMES, JPEG_BASELINE)
    dicomweb.store_instances(datasets=[read(sent)])
    uids = (sent.study_uid, sent.series_uid, sent.sop_uid)

    assert dicomweb.retrieve_instance_frames(*uids, frame_numbers=[3, 1]) == [
        FRAMES[2],
        FRAMES[0],
    ]
    octets = (("application/octet-stream", "*"),)
    assert dicomweb.retrieve_instance_frames(*uids, [2], media_types=octets) == [FRAMES[1]]


def test_bulk_data_uris_can_be_followed(dicomweb: DICOMwebClient) -> None:
    one = small(2, 1)
    dicomweb.store_instances(datasets=[read(one)])
    metadata = dicomweb.retrieve_instance_metadata(one.study_uid, one.series_uid, one.sop_uid)

    (value,) = dicomweb.retrieve_bulkdata(metadata["7FE00010"]["BulkDataURI"])

    assert value == read(one).PixelData


def test_an_archive_that_holds_nothing_of_it_says_so(dicomweb: DICOMwebClient) -> None:
    assert dicomweb.search_for_studies(search_filters={"PatientID": "nobody"}) == []
    with pytest.raises(HTTPError, match="404"):
        dicomweb.retrieve_study("1.9.9")

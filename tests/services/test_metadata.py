"""Metadata comes from the index alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.dicom.objects import EXPLICIT_BE, IMPLICIT_LE
from tests.services.house import CALLER, House
from tests.services.test_ingest import image
from vna.errors import Forbidden, NotFound
from vna.model.caller import Caller
from vna.services.metadata import Metadata

BASE = "http://archive.example/dicomweb"


@pytest.fixture
def metadata(house: House) -> Metadata:
    return Metadata(house.index, house.audit)


def array(metadata: Metadata, *uids: str) -> list[dict[str, Any]]:
    """The plain document."""
    document = metadata.find(CALLER, *uids, base_url=BASE)
    text = b"".join(document.plain())
    assert len(text) == document.size
    found: list[dict[str, Any]] = json.loads(text)
    return found


def test_a_study_is_its_series_in_order_and_an_instance_is_alone(
    house: House, metadata: Metadata
) -> None:
    house.send(
        image(SOPInstanceUID="1.2.3.9.1", SeriesInstanceUID="1.2.3.9", SeriesNumber=2),
        image(SOPInstanceUID="1.2.3.4.7", SeriesNumber=1, InstanceNumber=7),
        image(SOPInstanceUID="1.2.3.4.6", SeriesNumber=1, InstanceNumber=6),
    )
    found = [each["00080018"]["Value"][0] for each in array(metadata, "1.2.3")]
    assert found == ["1.2.3.4.6", "1.2.3.4.7", "1.2.3.9.1"]
    assert len(array(metadata, "1.2.3", "1.2.3.9")) == 1
    (one,) = array(metadata, "1.2.3", "1.2.3.4", "1.2.3.4.6")
    assert one == array(metadata, "1.2.3")[0]


def test_bulk_data_is_below_the_base_url_and_keys_ascend(house: House, metadata: Metadata) -> None:
    house.send(image(ImageComments="a note"))
    (one,) = array(metadata, "1.2.3")
    place = "studies/1.2.3/series/1.2.3.4/instances/1.2.3.4.5"
    assert one["7FE00010"]["BulkDataURI"] == f"{BASE}/{place}/bulkdata/7FE00010"
    assert list(one) == sorted(one)


@pytest.mark.parametrize("syntax", [IMPLICIT_LE, EXPLICIT_BE])
def test_the_transfer_syntaxes_said_to_be_available_may_be_sent_on_the_web(
    house: House, metadata: Metadata, syntax: str
) -> None:
    house.send(image(syntax))
    (one,) = array(metadata, "1.2.3")
    assert one["00083002"] == {"vr": "UI", "Value": ["1.2.840.10008.1.2.1"]}


def test_the_answer_needs_no_object_file(house: House, metadata: Metadata) -> None:
    house.send(*(image(SOPInstanceUID=f"1.2.3.4.{n}") for n in range(1, 20)))
    before = array(metadata, "1.2.3")
    house.ingest.close()
    for key in house.files:
        house.backend.delete(key)
    assert array(Metadata(house.index, house.audit), "1.2.3") == before


def test_the_etag_changes_with_what_is_received_and_with_the_base_url(
    house: House, metadata: Metadata
) -> None:
    house.send(image())
    one = metadata.find(CALLER, "1.2.3", base_url=BASE).etag
    assert metadata.find(CALLER, "1.2.3", base_url=BASE).etag == one
    assert metadata.find(CALLER, "1.2.3", base_url=f"{BASE}2").etag != one
    house.send(image(SOPInstanceUID="1.2.3.4.6"))
    assert metadata.find(CALLER, "1.2.3", base_url=BASE).etag != one


def test_what_the_caller_may_not_see_is_not_found(house: House, metadata: Metadata) -> None:
    house.send(image(), organisation="H1")
    elsewhere = Caller("x", "127.0.0.1", frozenset((999,)), CALLER.rights)
    for uids in (("1.2.3",), ("1.2.3", "1.2.3.4"), ("1.2.3", "1.2.3.4", "1.2.3.4.5")):
        with pytest.raises(NotFound):
            metadata.find(elsewhere, *uids, base_url=BASE)
    nobody = Caller("x", "127.0.0.1", None, frozenset())
    with pytest.raises(Forbidden):
        metadata.find(nobody, "1.2.3", base_url=BASE)


def test_reading_metadata_is_audited_and_writes_nothing_to_the_database(
    house: House, metadata: Metadata
) -> None:
    house.send(image())
    counts = {table: house.count(table) for table in ("audit", "change", "job")}
    array(metadata, "1.2.3")
    assert {table: house.count(table) for table in counts} == counts
    assert house.count("series_metadata") == 0
    assert b'"action":"metadata"' in house.audit_file.read_bytes()

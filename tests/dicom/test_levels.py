"""Which level an attribute belongs to."""

from __future__ import annotations

from tests.dicom.objects import IMPLICIT_LE, written
from vna.dicom.dictionary import keyword_of
from vna.dicom.levels import LEVEL_OF, TAGS, level_of
from vna.dicom.scan import scan
from vna.dicom.source import BytesSource
from vna.model.query import Level

# Required matching and return attributes, PS3.18 tables 10.6.1-5 and 10.6.3-3 to -5.
REQUIRED = {
    Level.PATIENT: (0x00100010, 0x00100020, 0x00100030, 0x00100040),
    Level.STUDY: (0x00080020, 0x00080030, 0x00080050, 0x00080090, 0x0020000D, 0x00200010),
    Level.SERIES: (
        0x00080060,
        0x0008103E,
        0x0020000E,
        0x00200011,
        0x00400244,
        0x00400245,
        0x00400275,
    ),
    Level.INSTANCE: (
        0x00080016,
        0x00080018,
        0x00080201,
        0x00200013,
        0x00280008,
        0x00280010,
        0x00280011,
        0x00280100,
    ),
}


def test_what_a_query_must_return_is_in_the_row_of_its_level() -> None:
    for level, tags in REQUIRED.items():
        assert set(tags) <= TAGS[level]


def test_a_tag_has_one_level_and_a_keyword() -> None:
    assert sum(len(tags) for tags in TAGS.values()) == len(LEVEL_OF)
    assert all(keyword_of(tag) for tag in LEVEL_OF)
    assert level_of(0x00181234) is Level.INSTANCE


def test_a_scan_gives_each_level_its_own_attributes_in_order() -> None:
    data = written(
        IMPLICIT_LE,
        PatientID="1",
        StudyDate="20200101",
        Modality="CT",
        InstanceNumber="3",
        PixelRepresentation=1,
        SpecificCharacterSet="ISO_IR 100",
    )
    found = scan(BytesSource(data))
    assert found.attributes(Level.PATIENT) == {"00100020": {"vr": "LO", "Value": ["1"]}}
    assert list(found.attributes(Level.STUDY)) == ["00080020", "0020000D"]
    assert found.attributes(Level.SERIES)["00080060"] == {"vr": "CS", "Value": ["CT"]}
    assert list(found.attributes(Level.INSTANCE)) == [
        "00080016",
        "00080018",
        "00200013",
        "00280103",
    ]

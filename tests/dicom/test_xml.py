"""The Native DICOM Model (PS3.19 §A.1) says what DICOM JSON says, in both directions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from pydicom.dataset import Dataset

from tests.dicom.bundled import identifiable, name, scanned
from tests.dicom.generated import data_sets
from tests.dicom.objects import to_bytes
from tests.size import size
from vna.dicom.from_xml import from_xml
from vna.dicom.json import to_dict
from vna.dicom.native_xml import NAMESPACE, native_xml
from vna.dicom.scan import scan
from vna.dicom.source import BytesSource
from vna.errors import MalformedObject

GENERATED = settings(
    deadline=None, max_examples=size(50, 1000), suppress_health_check=[HealthCheck.too_slow]
)


def document(inside: str) -> bytes:
    """A Native DICOM Model around `inside`."""
    return f'<NativeDicomModel xmlns="{NAMESPACE}">{inside}</NativeDicomModel>'.encode()


def find(tree: dict[str, Any], path: str) -> list[Any]:
    """What an XPath finds in the XML of a JSON object; names without their namespace."""
    root = etree.fromstring(native_xml(tree))
    for each in root.iter():
        each.tag = each.tag.rpartition("}")[2]
    found: list[Any] = root.xpath(path)
    return found


@pytest.mark.parametrize("path", identifiable(), ids=name)
def test_xml_of_a_bundled_object_reads_as_its_json(path: Path) -> None:
    found = scanned(path)
    assert found is not None
    tree = to_dict(found.header, "https://archive.test/bulk")

    assert from_xml(native_xml(tree)) == tree


@pytest.mark.filterwarnings("ignore::UserWarning")
@GENERATED
@given(data_sets())
def test_xml_of_generated_data_sets_reads_as_its_json(data_set: Dataset) -> None:
    tree = to_dict(scan(BytesSource(to_bytes(data_set))).header, "b")

    assert from_xml(native_xml(tree)) == tree


def test_an_attribute_has_tag_vr_and_keyword_in_the_models_namespace() -> None:
    made = native_xml({"00080016": {"vr": "UI", "Value": ["1.2"]}, "00082111": {"vr": "ST"}})

    root = etree.fromstring(made)
    assert root.tag == f"{{{NAMESPACE}}}NativeDicomModel"
    assert made.startswith(b"<?xml version='1.0' encoding='UTF-8'?>")
    assert dict(root[0].attrib) == {"tag": "00080016", "vr": "UI", "keyword": "SOPClassUID"}
    assert dict(root.attrib) == {"{http://www.w3.org/XML/1998/namespace}space": "preserve"}
    assert len(root[1]) == 0  # zero length: no child


def test_values_and_items_are_numbered_and_an_empty_value_is_there() -> None:
    tree = {
        "00080008": {"vr": "CS", "Value": ["ORIGINAL", None, "AXIAL"]},
        "00081140": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2"]}}, {}]},
    }

    assert find(tree, "//DicomAttribute[@tag='00080008']/Value/@number") == ["1", "2", "3"]
    assert [e.text for e in find(tree, "//Value")] == ["ORIGINAL", None, "AXIAL", "1.2"]
    assert find(tree, "//Item/@number") == ["1", "2"]
    assert from_xml(native_xml(tree)) == tree


def test_a_name_has_groups_and_components() -> None:
    name = {"Alphabetic": "Yamada^Tarou^^Dr", "Ideographic": "山田^太郎", "Phonetic": "やまだ"}
    tree = {"00100010": {"vr": "PN", "Value": [None, name, {"Alphabetic": "A^"}]}}

    assert find(tree, "//PersonName[@number='2']/Alphabetic/*/text()") == ["Yamada", "Tarou", "Dr"]
    assert [e.tag for e in find(tree, "//PersonName[2]/Alphabetic/*")] == [
        "FamilyName",
        "GivenName",
        "NamePrefix",
    ]
    assert find(tree, "//Ideographic/FamilyName/text()") == ["山田"]
    assert from_xml(native_xml(tree)) == tree


def test_private_attributes_name_their_creator_and_lose_their_block() -> None:
    tree = {
        "00090010": {"vr": "LO", "Value": ["ACME"]},
        "00090011": {"vr": "LO", "Value": ["OTHER"]},
        "00091001": {"vr": "LO", "Value": ["x"]},
        "00091101": {"vr": "US", "Value": [7]},
    }

    assert find(tree, "//@tag") == ["00090001", "00090001"]
    assert find(tree, "//@privateCreator") == ["ACME", "OTHER"]
    assert from_xml(native_xml(tree)) == tree


def test_private_attributes_without_a_creator_and_creators_without_any_stay_as_they_are() -> None:
    tree = {
        "00091001": {"vr": "UN", "InlineBinary": "AAA="},
        "00110010": {"vr": "LO", "Value": ["IDLE"]},
    }

    assert find(tree, "//@tag") == ["00091001", "00110010"]
    assert from_xml(native_xml(tree)) == tree


def test_two_blocks_of_one_creator_stay_two() -> None:
    tree = {
        "00090010": {"vr": "LO", "Value": ["ACME"]},
        "00090011": {"vr": "LO", "Value": ["ACME"]},
        "00091001": {"vr": "LO", "Value": ["x"]},
        "00091101": {"vr": "LO", "Value": ["y"]},
    }

    assert from_xml(native_xml(tree)) == tree


def test_characters_that_xml_forbids_are_shown_as_their_pictures() -> None:
    tree = {"0040A160": {"vr": "UT", "Value": ["one\f\x00two\r\n\ttab \ufffe 😀"]}}

    read = from_xml(native_xml(tree))["0040A160"]["Value"]

    assert read == ["one␌␀two\r\n\ttab � 😀"]


def test_bulk_data_are_a_uri_or_inline() -> None:
    tree = {
        "00281201": {"vr": "OW", "InlineBinary": "AQI="},
        "7FE00010": {"vr": "OW", "BulkDataURI": "http://host/bulk?a=1&b=<2>"},
    }

    assert find(tree, "//BulkData/@uri") == ["http://host/bulk?a=1&b=<2>"]
    assert from_xml(native_xml(tree)) == tree


def test_the_spelling_of_example_b_23_is_read() -> None:
    made = document(
        '<DicomAttribute Tag="00080016" VR="UI" Keyword="SOPClassUID"><Value number="1">1.2'
        '</Value></DicomAttribute><DicomAttribute Tag="7FE00010" VR="OW" Keyword="PixelData">'
        '<Value number="1">http://host/bulk</Value></DicomAttribute>'
    )

    assert from_xml(made) == {
        "00080016": {"vr": "UI", "Value": ["1.2"]},
        "7FE00010": {"vr": "OW", "BulkDataURI": "http://host/bulk"},
    }


def test_values_count_by_their_numbers_and_a_vr_may_be_left_to_the_dictionary() -> None:
    made = document(
        '<DicomAttribute tag="00080008"><Value number="2">B</Value><!-- . -->'
        '<Value number="1"><![CDATA[A]]></Value></DicomAttribute>'
    )

    assert from_xml(made) == {"00080008": {"vr": "CS", "Value": ["A", "B"]}}


LAUGHS = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]><x>&l9;</x>'.encode(), id="laughs"),
        pytest.param(
            b'<?xml version="1.0"?>\n<!-- a --><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hosts">]>'
            + document('<DicomAttribute tag="00104000"><Value>&e;</Value></DicomAttribute>'),
            id="external entity",
        ),
        pytest.param(b'\xef\xbb\xbf<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x"><x/>', id="remote"),
        pytest.param(f'<!DOCTYPE x [{LAUGHS}]><x/>'.encode("utf-16"), id="utf-16"),
        pytest.param(document("&undeclared;"), id="undeclared entity"),
        pytest.param(document("<DicomAttribute>" * 5000), id="deep"),
        pytest.param(b'<?xml version="1.0" encoding="ISO-8859-1"?>' + document(""), id="latin-1"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"<!-- never ends", id="comment"),
        pytest.param(b"<html/>", id="another document"),
        pytest.param(document("<Value>x</Value>"), id="value outside"),
        pytest.param(document('<DicomAttribute tag="xyz" vr="LO"/>'), id="tag"),
        pytest.param(document('<DicomAttribute tag="00100020" vr="XX"/>'), id="vr"),
        pytest.param(document('<DicomAttribute tag="00100020" vr="LO"/>' * 2), id="twice"),
        *(
            pytest.param(
                document(f'<DicomAttribute tag="00100020" vr="LO">{inside}</DicomAttribute>'), id=id
            )
            for id, inside in (
                ("gap", '<Value number="1">a</Value><Value number="3">b</Value>'),
                ("far", '<Value number="999999999">a</Value>'),
                ("same number", '<Value number="1">a</Value><Value number="1">b</Value>'),
                ("number", '<Value number="one">a</Value>'),
                ("children", "<Value><Value>a</Value></Value>"),
                ("two kinds", "<Value>a</Value><InlineBinary>AA==</InlineBinary>"),
                ("wrong kind", "<Item/>"),
            )
        ),
    ],
)  # fmt: skip
def test_what_is_no_native_dicom_model_is_refused(made: bytes) -> None:
    with pytest.raises(MalformedObject):
        from_xml(made)


@GENERATED
@given(
    st.recursive(
        st.just(""),
        lambda inside: st.builds(
            lambda name, tag, vr, number, content: (
                f'<{name} tag="{tag}" vr="{vr}" number="{number}">{content}</{name}>'
            ),
            st.sampled_from(["DicomAttribute", "Value", "Item", "PersonName", "BulkData", "x"]),
            st.sampled_from(["00100010", "00081140", "0009001", "00090001"]),
            st.sampled_from(["PN", "SQ", "LO", "OB", "US", "??"]),
            st.integers(0, 3),
            st.lists(inside | st.text("ab&<>\0 é", max_size=3), max_size=3).map("".join),
        ),
        max_leaves=8,
    )
)
def test_any_document_is_read_or_refused(inside: str) -> None:
    made = document(inside)

    try:
        found = from_xml(made)
    except MalformedObject:
        return
    assert from_xml(native_xml(found)).keys() == found.keys()

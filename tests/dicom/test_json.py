"""The traps of DICOM JSON (PS3.18 §F), each in a data set of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydicom.dataset import Dataset

from tests.dicom.objects import (
    EXPLICIT_BE,
    EXPLICIT_LE,
    IMPLICIT_LE,
    identified,
    image,
    to_bytes,
    written,
)
from vna.dicom.charset import DEFAULT, UTF_8
from vna.dicom.edit import Edit
from vna.dicom.json import bulk_range, to_dict, to_json
from vna.dicom.scan import scan
from vna.dicom.source import BytesSource
from vna.dicom.values import attribute, number
from vna.errors import NotFound

BASE = "https://archive.test/instances/1/bulk"


def tree(data: bytes) -> dict[str, Any]:
    return to_dict(scan(BytesSource(data)).header, BASE)


def with_element(tag: int, vr: str, value: Any, syntax: str = EXPLICIT_LE) -> dict[str, Any]:
    made = identified()
    made.add_new(tag, vr, value)
    found: dict[str, Any] = tree(to_bytes(made, syntax))[f"{tag:08X}"]
    return found


@pytest.mark.parametrize(
    ("vr", "value", "expected"),
    [
        ("PN", b"", {"vr": "PN"}),
        ("PN", b"A^B", {"vr": "PN", "Value": [{"Alphabetic": "A^B"}]}),
        ("PN", b"A^B==C ", {"vr": "PN", "Value": [{"Alphabetic": "A^B", "Phonetic": "C"}]}),
        ("PN", b"=\xe6\x9d\xb1", {"vr": "PN", "Value": [{"Ideographic": "東"}]}),
        ("PN", b"A\\\\B", {"vr": "PN", "Value": [{"Alphabetic": "A"}, None, {"Alphabetic": "B"}]}),
        ("LO", b"  ", {"vr": "LO"}),
        ("LO", b"a\\\\b ", {"vr": "LO", "Value": ["a", None, "b"]}),
        ("LO", b" a", {"vr": "LO", "Value": [" a"]}),
        ("LT", b"a\\b", {"vr": "LT", "Value": ["a\\b"]}),
        ("UR", b"http://a/\\b ", {"vr": "UR", "Value": ["http://a/\\b"]}),
        ("UI", b"1.2.3\0", {"vr": "UI", "Value": ["1.2.3"]}),
        ("DS", b"1.50\\2 \\3.25", {"vr": "DS", "Value": ["1.50", 2, 3.25]}),
        ("DS", b"1e5\\-0\\+1\\.5\\nan", {"vr": "DS", "Value": ["1e5", "-0", "+1", ".5", "nan"]}),
        ("DS", b"1\\\\2", {"vr": "DS", "Value": [1, None, 2]}),
        ("IS", b"007\\7\\x", {"vr": "IS", "Value": ["007", 7, "x"]}),
        ("AT", b"\x28\x00\xfe\x0a", {"vr": "AT", "Value": ["00280AFE"]}),
        ("US", b"\1\0\xff\xff", {"vr": "US", "Value": [1, 65535]}),
        ("SS", b"\xff\xff", {"vr": "SS", "Value": [-1]}),
        ("FD", b"\0\0\0\0\0\0\xf8\x3f", {"vr": "FD", "Value": [1.5]}),
        ("FD", b"\0\0\0\0\0\0\xf8\x7f", None),
        ("FL", b"\0\0\x80\x7f", None),
        ("UV", b"\0\0\0\0\0\0\x20\0", {"vr": "UV", "Value": [2**53]}),
        ("UV", b"\1\0\0\0\0\0\x20\0", {"vr": "UV", "Value": [str(2**53 + 1)]}),
        ("SV", b"\xff" * 7 + b"\x80", {"vr": "SV", "Value": [str(-(2**63) + 2**56 - 1)]}),
        ("US", b"\1\0\2", {"vr": "UN", "InlineBinary": "AQAC"}),
        ("OB", b"\1\2", {"vr": "OB", "InlineBinary": "AQI="}),
        ("OB", b"", {"vr": "OB"}),
    ],
)
def test_a_value_becomes_what_the_table_says(
    vr: str, value: bytes, expected: dict[str, Any] | None
) -> None:
    assert attribute(vr, value, False, UTF_8) == expected


def test_big_endian_values_are_turned_around() -> None:
    assert attribute("US", b"\0\1", True, DEFAULT) == {"vr": "US", "Value": [1]}
    assert attribute("AT", b"\0\x28\x0a\xfe", True, DEFAULT) == {"vr": "AT", "Value": ["00280AFE"]}
    assert attribute("OW", b"\0\1\0\2", True, DEFAULT) == {"vr": "OW", "InlineBinary": "AQACAA=="}
    assert attribute("OB", b"\0\1", True, DEFAULT) == {"vr": "OB", "InlineBinary": "AAE="}
    assert attribute("OD", bytes(range(8)), True, DEFAULT) == {
        "vr": "OD",
        "InlineBinary": "BwYFBAMCAQA=",
    }


@pytest.mark.parametrize("text", ["0", "-5", "12.25", "-0.5", "9007199254740992"])
def test_a_decimal_that_prints_the_same_is_a_number(text: str) -> None:
    assert json.dumps(number(text)) == text


@pytest.mark.parametrize("text", ["0.50", "1e3", "1E+2", "00", "9007199254740993", "1 2", "inf"])
def test_a_decimal_that_would_print_otherwise_stays_text(text: str) -> None:
    assert number(text) == text


def test_keys_ascend_and_group_lengths_and_file_meta_are_left_out() -> None:
    made = identified(PatientID="1", StudyDate="20200101")
    made.add_new(0x00080000, "UL", 100)
    keys = list(tree(to_bytes(made)))
    assert keys == sorted(keys)
    assert "00080000" not in keys
    assert not any(key.startswith("0002") for key in keys)


def test_elements_out_of_order_come_out_in_order_and_the_last_of_a_tag_counts() -> None:
    data = written(PatientID="1") + (
        b"\x08\x00\x30\x10LO\x02\x00ab" + b"\x10\x00\x20\x00LO\x02\x00zz"
    )
    found = tree(data)
    assert list(found) == sorted(found)
    assert found["00100020"]["Value"] == ["zz"]
    assert found["00081030"]["Value"] == ["ab"]


def test_text_is_utf_8_and_the_character_set_says_so() -> None:
    found = tree(written(SpecificCharacterSet="ISO_IR 144", PatientName="Люкceмбypг"))
    assert found["00080005"] == {"vr": "CS", "Value": ["ISO_IR 192"]}
    assert found["00100010"]["Value"] == [{"Alphabetic": "Люкceмбypг"}]


def test_an_item_may_have_its_own_character_set_or_its_parents() -> None:
    own, parents = Dataset(), Dataset()
    own.SpecificCharacterSet, own.CodeMeaning = "ISO_IR 126", "Διονυσιος"
    parents.CodeMeaning = "Люк"
    items = with_charset("ISO_IR 144", [own, parents])
    assert items[0]["00080104"]["Value"] == ["Διονυσιος"]
    assert items[0]["00080005"]["Value"] == ["ISO_IR 192"]
    assert items[1]["00080104"]["Value"] == ["Люк"]


def with_charset(terms: str, items: list[Dataset]) -> list[dict[str, Any]]:
    made = identified(SpecificCharacterSet=terms, ProcedureCodeSequence=items)
    values: list[dict[str, Any]] = tree(to_bytes(made))["00081032"]["Value"]
    return values


def test_an_empty_sequence_has_no_value_and_an_empty_item_is_an_empty_object() -> None:
    assert with_element(0x00081032, "SQ", []) == {"vr": "SQ"}
    assert with_element(0x00081032, "SQ", [Dataset()]) == {"vr": "SQ", "Value": [{}]}


def test_a_backslash_byte_inside_a_multi_byte_character_divides_nothing() -> None:
    data = written(SpecificCharacterSet="GB18030", StudyDescription="乗\\b")
    assert tree(data)["00081030"]["Value"] == ["乗", "b"]


def test_large_values_are_uris_inside_sequences_too() -> None:
    item = Dataset()
    item.add_new(0x54001010, "OW", b"\1\2" * 600)
    item.add_new(0x00080119, "UC", "x" * 1026)
    item.add_new(0x00100020, "LO", ["y" * 60] * 20)
    data = written(WaveformSequence=[Dataset(), item])
    found = scan(BytesSource(data))
    inside = to_dict(found.header, BASE)["54000100"]["Value"][1]
    assert inside["54001010"] == {"vr": "OW", "BulkDataURI": f"{BASE}/54000100/2/54001010"}
    assert inside["00080119"] == {"vr": "UC", "BulkDataURI": f"{BASE}/54000100/2/00080119"}
    assert inside["00100020"]["Value"] == ["y" * 60] * 20  # LO may not be a URI
    offset, length, vr = bulk_range(found.header, found.anatomy, "54000100/2/54001010")
    assert (data[offset : offset + length], vr) == (b"\1\2" * 600, "OW")


def test_pixel_data_are_a_uri_however_small_unless_empty() -> None:
    data = written(Rows=1, Columns=1, BitsAllocated=16, SamplesPerPixel=1, PixelData=b"\1\2")
    found = scan(BytesSource(data))
    assert to_dict(found.header, BASE)["7FE00010"] == {
        "vr": "OW",
        "BulkDataURI": f"{BASE}/7FE00010",
    }
    offset, length, _ = bulk_range(found.header, found.anatomy, "7FE00010")
    assert data[offset : offset + length] == b"\1\2"
    assert tree(written(PixelData=b""))["7FE00010"] == {"vr": "OW"}


def test_encapsulated_pixel_data_are_a_uri_of_their_fragments() -> None:
    pixels = b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0\x02\0\0\0ab"
    data = image("1.2.840.10008.1.2.4.50", pixels, frames=1)
    found = scan(BytesSource(data))
    offset, length, vr = bulk_range(found.header, found.anatomy, "7FE00010")
    assert data[offset : offset + length] == pixels + b"\xfe\xff\xdd\xe0\0\0\0\0"
    assert vr == "OB"


def test_numbers_that_are_not_finite_are_a_uri_that_can_be_fetched() -> None:
    data = written(RealWorldValueSlope=float("nan"))
    found = scan(BytesSource(data))
    assert to_dict(found.header, BASE)["00409225"] == {
        "vr": "FD",
        "BulkDataURI": f"{BASE}/00409225",
    }
    offset, length, vr = bulk_range(found.header, found.anatomy, "00409225")
    assert (length, vr) == (8, "FD")
    assert data[offset + 6 : offset + 8] == b"\xf8\x7f"


@pytest.mark.parametrize(
    "path",
    ["00100010", "7FE00011", "00081032/1/00080100", "0008", "", "../x", "00081032/0/00080100"],
)
def test_bulk_data_that_is_not_there_is_not_found(path: str) -> None:
    found = scan(BytesSource(written()))
    with pytest.raises(NotFound):
        bulk_range(found.header, found.anatomy, path)


def test_un_of_a_known_tag_is_read_as_what_it_is() -> None:
    made = identified()
    made.add_new(0x00100020, "UN", b"ID 7")
    assert tree(to_bytes(made))["00100020"] == {"vr": "LO", "Value": ["ID 7"]}
    items = b"\xfe\xff\x00\xe0\x0c\x00\x00\x00\x10\x00\x20\x00\x04\x00\x00\x00ID 7"
    expected = {"vr": "SQ", "Value": [{"00100020": {"vr": "LO", "Value": ["ID 7"]}}]}
    little = written() + b"\x10\x00\x02\x10UN\0\0\x14\0\0\0" + items
    big = written(EXPLICIT_BE) + b"\x00\x10\x10\x02UN\0\0\0\0\0\x14" + items
    assert tree(little)["00101002"] == expected
    assert tree(big)["00101002"] == expected


def test_un_of_undefined_length_holds_implicit_items() -> None:
    items = b"\xfe\xff\x00\xe0\xff\xff\xff\xff\x10\x00\x20\x00\x04\x00\x00\x00ID 7" + (
        b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    )
    head = b"\x41\x00\x01\x10UN\0\0\xff\xff\xff\xff"
    found = tree(written() + head + items)
    assert found["00411001"]["Value"] == [{"00100020": {"vr": "LO", "Value": ["ID 7"]}}]


def test_implicit_vr_takes_vrs_from_the_dictionary_and_the_pixel_representation() -> None:
    made = identified(PixelRepresentation=1, SmallestImagePixelValue=-5)
    made["SmallestImagePixelValue"].VR = "SS"
    found = tree(to_bytes(made, IMPLICIT_LE))
    assert found["00280106"] == {"vr": "SS", "Value": [-5]}


def test_private_elements_are_known_by_their_creator_else_un() -> None:
    made = identified()
    made.add_new(0x00090010, "LO", "ACME NOBODY KNOWS")
    made.add_new(0x00091001, "LO", "secret")
    found = tree(to_bytes(made, IMPLICIT_LE))
    assert found["00090010"]["Value"] == ["ACME NOBODY KNOWS"]
    assert found["00091001"] == {"vr": "UN", "InlineBinary": "c2VjcmV0"}
    made.add_new(0x00090010, "LO", "GEMS_IDEN_01")
    made.add_new(0x00091001, "LO", "GE_GENESIS_FF")
    assert tree(to_bytes(made, IMPLICIT_LE))["00091001"]["vr"] == "LO"


def test_an_overlay_is_in_the_json() -> None:
    header = scan(BytesSource(written(StudyDescription="old"))).header
    edits = [Edit("00081030", {"vr": "LO", "Value": ["new"]}), Edit("0020000D", None)]
    found = json.loads(to_json(header, BASE, edits))
    assert found["00081030"]["Value"] == ["new"]
    assert "0020000D" not in found

"""Corrections in DICOM JSON and in files, and what the Original Attributes Sequence says."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from tests.dicom.bundled import by_pydicom
from tests.dicom.objects import (
    DEFLATED,
    EXPLICIT_BE,
    EXPLICIT_LE,
    IMPLICIT_LE,
    NATIVE,
    identified,
    image,
    to_bytes,
    written,
)
from vna.dicom.convert import as_stored, explicit_le, stream
from vna.dicom.edit import Correction, Edit, apply_json
from vna.dicom.scan import scan
from vna.dicom.source import BytesSource
from vna.errors import InvalidValue

WHEN, SYSTEM = "20240102030405", "Regional VNA"


def corrected(data: bytes, *edits: Edit, stored: bool = False) -> tuple[Any, str]:
    """What pydicom reads of the corrected file; its transfer syntax."""
    source, found = BytesSource(data), scan(BytesSource(data))
    convert = as_stored if stored else explicit_le
    correction = Correction(edits, WHEN, SYSTEM, "Sender")
    made = convert(source, found.header, found.anatomy, found.transfer_syntax, correction)
    sent = b"".join(stream(source, found.anatomy, made))
    assert len(sent) == made.size
    assert scan(BytesSource(sent)).oddities == ()
    return by_pydicom(sent), made.transfer_syntax


def text(vr: str, *values: str) -> dict[str, Any]:
    return {"vr": vr, "Value": list(values)}


class TestJson:
    def test_sets_removes_and_keeps_keys_ascending(self) -> None:
        tree = {"00080020": text("DA", "20200101"), "00100020": text("LO", "1")}
        edits = [
            Edit("00081030", text("LO", "CT")),
            Edit("00100020", None),
            Edit("00100040", None),
        ]
        made = apply_json(edits, tree)
        assert made == {"00080020": text("DA", "20200101"), "00081030": text("LO", "CT")}
        assert list(made) == sorted(made)
        assert "00100020" in tree

    def test_makes_the_items_on_the_way(self) -> None:
        made = apply_json([Edit("00400275/2/00400009", text("SH", "P1"))], {})
        assert made["00400275"] == {"vr": "SQ", "Value": [{}, {"00400009": text("SH", "P1")}]}

    def test_removing_from_an_item_that_is_not_there_changes_nothing(self) -> None:
        tree = {"00400275": {"vr": "SQ", "Value": [{}]}}
        assert apply_json([Edit("00400275/2/00400009", None)], tree) == tree

    def test_later_edits_win(self) -> None:
        edits = [Edit("00081030", text("LO", "a")), Edit("00081030", text("LO", "b"))]
        assert apply_json(edits, {})["00081030"]["Value"] == ["b"]


@pytest.mark.parametrize("syntax", NATIVE)
def test_a_corrected_file_has_the_new_values_and_the_old_ones_aside(syntax: str) -> None:
    made = identified(
        PatientID="OLD",
        StudyDescription="old",
        Rows=2,
        Columns=2,
        BitsAllocated=16,
        SamplesPerPixel=1,
        PixelData=bytes(range(8)),
    )
    made["PixelData"].VR = "OW"
    sent, sent_syntax = corrected(
        to_bytes(made, syntax),
        Edit("00081030", text("LO", "new")),
        Edit("00080050", text("SH", "A1")),
        Edit("00100020", None),
    )
    assert sent_syntax == EXPLICIT_LE
    assert (sent.StudyDescription, sent.AccessionNumber) == ("new", "A1")
    assert "PatientID" not in sent
    order = b"\1\0\3\2\5\4\7\6" if syntax == EXPLICIT_BE else bytes(range(8))
    assert sent.PixelData == order
    [original] = sent.OriginalAttributesSequence
    [modified] = original.ModifiedAttributesSequence
    assert (modified.StudyDescription, modified.PatientID) == ("old", "OLD")
    assert modified.AccessionNumber in (None, "")
    assert original.AttributeModificationDateTime == WHEN
    assert original.ModifyingSystem == SYSTEM
    assert original.SourceOfPreviousValues == "Sender"
    assert original.ReasonForTheAttributeModification == "CORRECT"


@pytest.mark.parametrize(
    ("syntax", "expected"),
    [(IMPLICIT_LE, IMPLICIT_LE), (EXPLICIT_BE, EXPLICIT_LE), (DEFLATED, EXPLICIT_LE)],
)
def test_as_stored_keeps_implicit_vr_only(syntax: str, expected: str) -> None:
    data = written(syntax, StudyDescription="old")
    sent, sent_syntax = corrected(data, Edit("00081030", text("LO", "new")), stored=True)
    assert (sent.StudyDescription, sent_syntax) == ("new", expected)


def test_encapsulated_frames_stay_and_new_uids_are_in_the_file_meta() -> None:
    data = image("1.2.840.10008.1.2.4.50", encapsulate([b"\xff\xd8abcd\xff\xd9"]), frames=1)
    sent, syntax = corrected(data, Edit("00080018", text("UI", "9.8.7")))
    assert syntax == "1.2.840.10008.1.2.4.50"
    assert sent.file_meta.MediaStorageSOPInstanceUID == sent.SOPInstanceUID == "9.8.7"
    assert sent.PixelData == by_pydicom(data).PixelData


def test_original_attributes_of_before_are_kept() -> None:
    sent, _ = corrected(written(), Edit("00081030", text("LO", "a")))
    again, _ = corrected(to_bytes(sent), Edit("00081030", text("LO", "b")))
    items = again.OriginalAttributesSequence
    values = [item.ModifiedAttributesSequence[0].StudyDescription for item in items]
    assert values == ["", "a"]


def test_a_value_inside_an_item_keeps_the_whole_sequence_aside() -> None:
    item = Dataset()
    item.ScheduledProcedureStepID, item.RequestedProcedureID = "old", "R1"
    data = written(RequestAttributesSequence=[item])
    sent, _ = corrected(data, Edit("00400275/1/00400009", text("SH", "new")))
    [request] = sent.RequestAttributesSequence
    assert (request.ScheduledProcedureStepID, request.RequestedProcedureID) == ("new", "R1")
    [modified] = sent.OriginalAttributesSequence[0].ModifiedAttributesSequence
    assert modified.RequestAttributesSequence[0].ScheduledProcedureStepID == "old"


def test_what_the_character_set_cannot_say_makes_all_text_utf_8() -> None:
    item = Dataset()
    item.SpecificCharacterSet, item.CodeMeaning = "ISO_IR 126", "Διονυσιος"
    data = written(
        SpecificCharacterSet="ISO_IR 144",
        PatientName="Люк",
        ProcedureCodeSequence=[item],
        AdditionalPatientHistory="Люк " * 400,  # cut out of the header
        Rows=1,
        Columns=2,
        BitsAllocated=16,
        PixelData=b"\1\2\3\4",
    )
    sent, _ = corrected(data, Edit("00081030", text("LO", "東京")))
    assert sent.SpecificCharacterSet == "ISO_IR 192"
    assert (sent.PatientName, sent.StudyDescription) == ("Люк", "東京")
    assert sent.AdditionalPatientHistory == ("Люк " * 400).rstrip()
    assert sent.ProcedureCodeSequence[0].CodeMeaning == "Διονυσιος"
    assert "SpecificCharacterSet" not in sent.ProcedureCodeSequence[0]
    assert sent.PixelData == b"\1\2\3\4"


def test_what_the_character_set_can_say_leaves_it() -> None:
    data = written(SpecificCharacterSet="ISO_IR 100", PatientName="Muñoz")
    sent, _ = corrected(data, Edit("00081030", text("LO", "cráneo")))
    assert (sent.SpecificCharacterSet, sent.PatientName) == ("ISO_IR 100", "Muñoz")
    assert sent.StudyDescription == "cráneo"


@pytest.mark.parametrize(
    ("vr", "attribute", "expected"),
    [
        ("PN", {"Value": [{"Alphabetic": "A^B", "Ideographic": "C"}]}, "A^B=C"),
        ("DS", {"Value": [1.5, "2.50"]}, [1.5, 2.5]),
        ("IS", {"Value": [7]}, 7),
        ("US", {"Value": [1, 2]}, [1, 2]),
        ("FD", {"Value": [0.5]}, 0.5),
        ("AT", {"Value": ["00100020"]}, 0x00100020),
        ("OB", {"InlineBinary": "AQI="}, b"\1\2"),
        ("UI", {"Value": ["1.2"]}, "1.2"),
        ("SV", {"Value": ["-5"]}, -5),
        ("LO", {"Value": ["a", None]}, ["a", ""]),
        ("SQ", {"Value": [{"00100020": {"vr": "LO", "Value": ["x"]}}]}, None),
    ],
)
def test_every_kind_of_value_can_be_set(vr: str, attribute: dict[str, Any], expected: Any) -> None:
    sent, _ = corrected(written(), Edit("00091001", {"vr": vr, **attribute}))
    value = sent[0x00091001].value
    if vr == "SQ":
        assert value[0].PatientID == "x"
    else:
        assert value == expected


@pytest.mark.parametrize(
    "value",
    [
        {"vr": "US", "Value": ["x"]},
        {"vr": "US", "Value": [70000]},
        {"vr": "OB", "InlineBinary": "?"},
        {"vr": "XX", "Value": ["x"]},
        {"vr": "CS", "Value": ["é"]},
        {"vr": "OW", "BulkDataURI": "https://elsewhere"},
        {"Value": ["x"]},
    ],
)
def test_a_value_that_its_vr_cannot_hold_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        corrected(written(), Edit("00091001", value))

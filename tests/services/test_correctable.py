"""What may be corrected by hand, and with which values."""

from __future__ import annotations

import pytest

from vna.errors import Conflict, InvalidValue, UnknownName
from vna.services.correctable import path_of, value_of


@pytest.mark.parametrize(
    ("attribute", "path"),
    [
        ("StudyDescription", "00081030"),
        ("00081030", "00081030"),
        ("RequestAttributesSequence.00400009", "00400275/1/00400009"),
        ("RequestAttributesSequence[3].ScheduledProcedureStepID", "00400275/3/00400009"),
        ("WindowCenter", "00281050"),
    ],
)
def test_an_attribute_is_named_by_keyword_or_tag(attribute: str, path: str) -> None:
    assert path_of(attribute) == path


@pytest.mark.parametrize(
    "attribute",
    [
        "StudyInstanceUID",
        "SOPInstanceUID",
        "FrameOfReferenceUID",
        "TransferSyntaxUID",
        "Rows",
        "PixelData",
        "60003000",
        "BitsAllocated",
        "NumberOfFrames",
        "RedPaletteColorLookupTableData",
        "SpecificCharacterSet",
        "OriginalAttributesSequence",
        "00091001",
        "00080000",
        "PatientName",
        "ReferencedStudySequence.ReferencedSOPInstanceUID",
    ],
)
def test_what_nobody_corrects_by_hand_is_refused(attribute: str) -> None:
    with pytest.raises(Conflict):
        path_of(attribute)


@pytest.mark.parametrize("attribute", ["", ".", "StudyDate.Modality", "StudyDate[1]", "A[0].B"])
def test_a_path_that_leads_nowhere_is_refused(attribute: str) -> None:
    with pytest.raises((InvalidValue, UnknownName)):
        path_of(attribute)


def test_an_unknown_keyword_names_the_nearest() -> None:
    with pytest.raises(UnknownName) as refused:
        path_of("StudyDescripton")
    assert refused.value.nearest == "StudyDescription"


@pytest.mark.parametrize(
    ("attribute", "values", "expected"),
    [
        ("StudyDescription", ["CRÁNEO sin contraste "], ["CRÁNEO sin contraste"]),
        ("StudyDate", ["20240229"], ["20240229"]),
        ("StudyTime", ["1015"], ["1015"]),
        ("SeriesNumber", ["-3"], [-3]),
        ("PatientWeight", ["70.5"], [70.5]),
        ("PatientSize", ["1e0"], [1]),
        ("ImageType", ["DERIVED", "SECONDARY"], ["DERIVED", "SECONDARY"]),
        ("ImageType", ["DERIVED", ""], ["DERIVED", None]),
        (
            "ReferringPhysicianName",
            ["PÉREZ^ANA=山田"],
            [{"Alphabetic": "PÉREZ^ANA", "Ideographic": "山田"}],
        ),
        ("PatientAge", ["045Y"], ["045Y"]),
    ],
)
def test_values_become_dicom_json(
    attribute: str, values: list[str], expected: list[object]
) -> None:
    value = value_of(path_of(attribute), values)
    assert value is not None
    assert value["Value"] == expected


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("StudyDate", "20230229"),
        ("StudyDate", "2023.02.28"),
        ("StudyTime", "2515"),
        ("AccessionNumber", "0123456789ABCDEFG"),
        ("AccessionNumber", "A\\B"),
        ("SeriesNumber", "1.5"),
        ("SeriesNumber", "2147483648"),
        ("PatientWeight", "NaN"),
        ("PatientWeight", "heavy"),
        ("Modality", "ct"),
        ("PatientAge", "45"),
        ("StudyDescription", "two\nlines"),
        ("ReferringPhysicianName", "A=B=C=D"),
        ("ReferringPhysicianName", "A^B^C^D^E^F"),
        ("ReferencedStudySequence", "x"),
    ],
)
def test_a_value_that_its_vr_does_not_allow_is_refused(attribute: str, value: str) -> None:
    with pytest.raises(InvalidValue):
        value_of(path_of(attribute), [value])


def test_no_values_remove_or_empty_an_attribute() -> None:
    assert value_of("00081030", None) is None
    assert value_of("00081030", []) == {"vr": "LO"}

"""Keywords, tags and VRs."""

from __future__ import annotations

import pytest
from pydicom.datadict import dictionary_keyword, dictionary_VR
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, STANDARD_VR

from vna.dicom.dictionary import (
    LONG_VRS,
    SHORT_VRS,
    VRS,
    choose_vr,
    keyword_of,
    parse_path,
    private_vr_of,
    tag_of,
    vr_of,
    vrs_of,
)
from vna.errors import UnknownName


def test_vrs_are_those_of_pydicom() -> None:
    assert {str(vr) for vr in STANDARD_VR} == VRS
    assert {str(vr) for vr in EXPLICIT_VR_LENGTH_32} & VRS == LONG_VRS
    assert not SHORT_VRS & LONG_VRS


@pytest.mark.parametrize("keyword", ["PatientName", "PixelData", "StudyInstanceUID", "LUTData"])
def test_a_keyword_and_its_tag_lead_to_each_other(keyword: str) -> None:
    tag = tag_of(keyword)
    assert tag is not None
    assert keyword_of(tag) == dictionary_keyword(tag) == keyword
    assert vrs_of(tag) == dictionary_VR(tag)
    assert vr_of(tag) in VRS


def test_tags_that_no_table_lists_have_the_vr_that_the_standard_gives_them() -> None:
    assert vr_of(0x00090000) == "UL"
    assert vr_of(0x00090010) == "LO"
    assert vr_of(0x00091001) == "UN"
    assert vr_of(0x00089999) == "UN"
    assert vr_of(0x60023000) == vr_of(0x60003000) == "OW"
    assert keyword_of(0x60023000) == "OverlayData"
    assert keyword_of(0x00091001) == ""


def test_the_vr_that_implicit_leaves_open_depends_on_the_sign_of_the_pixels() -> None:
    assert choose_vr(0x00280106, signed=False) == "US"
    assert choose_vr(0x00280106, signed=True) == "SS"
    assert choose_vr(0x7FE00010, signed=True) == choose_vr(0x00283006, signed=False) == "OW"


def test_private_dictionaries_are_asked_by_creator() -> None:
    assert private_vr_of(0x00091001, "GEMS_IDEN_01") == "LO"
    assert private_vr_of(0x00091101, "GEMS_IDEN_01") == "LO"
    assert private_vr_of(0x00091001, "NOBODY") == "UN"


def test_a_path_mixes_keywords_and_tags() -> None:
    assert parse_path("OtherPatientIDsSequence.00100020") == (0x00101002, 0x00100020)
    assert parse_path("0020000d") == (0x0020000D,)
    assert parse_path("00091001") == (0x00091001,)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("PatientNam", "PatientName"),
        ("patientName", "PatientName"),
        ("StudyDate.PatientIDD", "PatientID"),
    ],
)
def test_an_unknown_name_gives_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(UnknownName) as refused:
        parse_path(name)
    assert refused.value.nearest == nearest

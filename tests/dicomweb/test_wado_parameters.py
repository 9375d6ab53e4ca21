"""The query of WADO-URI, read alone."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomweb.wado_parameters import OF_FILES, OF_PICTURES, PARAMETERS, Asked, Picture, asked_of
from tests.http.requests import get
from vna.errors import InvalidValue, NotAcceptable, UnknownName
from vna.wire.accept import parse_accept

ONE = "requestType=WADO&studyUID=1.2&seriesUID=1.3&objectUID=1.4"
DICOM = "&contentType=application/dicom"


def asked(query: str, accept: str = "*/*") -> Asked:
    return asked_of(get(query), parse_accept(accept))


def test_every_parameter_of_a_picture() -> None:
    found = asked(
        f"{ONE}&contentType=image/png,image/jpeg&rows=100&columns=200&region=0,.25,0.5,1"
        "&windowCenter=-40.5&windowWidth=4e2&frameNumber=3&imageQuality=75&annotation=patient"
        "&charset=UTF-8"
    )

    assert (found.study_uid, found.series_uid, found.sop_uid) == ("1.2", "1.3", "1.4")
    assert not found.file
    assert found.picture == Picture(
        3, 100, 200, (0, 0.25, 0.5, 1), (-40.5, 400), 75, "patient", None
    )


def test_every_parameter_of_a_file() -> None:
    found = asked(f"{ONE}{DICOM}&transferSyntax=1.2.840.10008.1.2.4.90&anonymize=no")

    assert found.file
    assert found.transfer_syntax == "1.2.840.10008.1.2.4.90"
    assert asked(f"{ONE}{DICOM}").transfer_syntax is None
    assert asked(f"{ONE}{DICOM}&transferSyntax=*").transfer_syntax == "*"


def test_a_presentation_state_is_named_by_both_its_uids() -> None:
    found = asked(f"{ONE}&presentationSeriesUID=1.5&presentationUID=1.6")

    assert found.picture.presentation == ("1.5", "1.6")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("", "requestType"),
        (ONE.replace("WADO", "wado"), "requestType"),
        (ONE.replace("studyUID=1.2", "studyUID="), "studyUID"),
        (ONE.replace("&seriesUID=1.3", ""), "seriesUID"),
        (ONE.replace("&objectUID=1.4", ""), "objectUID"),
        (f"{ONE}&objectUID=1.5", "objectUID"),
        (f"{ONE}&frameNumber=0", "frameNumber"),
        (f"{ONE}&frameNumber=1,2", "frameNumber"),
        (f"{ONE}&frameNumber=x", "frameNumber"),
        (f"{ONE}&rows=-1", "rows"),
        (f"{ONE}&columns=1.5", "columns"),
        (f"{ONE}&columns=", "columns"),
        (f"{ONE}&region=0,0,1", "region"),
        (f"{ONE}&region=0.5,0,0.5,1", "region"),
        (f"{ONE}&region=0,0,1,1.01", "region"),
        (f"{ONE}&region=0,0,nan,1", "region"),
        (f"{ONE}&region=-0.1,0,1,1", "region"),
        (f"{ONE}&windowCenter=40", "windowWidth"),
        (f"{ONE}&windowWidth=40", "windowCenter"),
        (f"{ONE}&windowCenter=40&windowWidth=0", "windowWidth"),
        (f"{ONE}&windowCenter=inf&windowWidth=1", "windowCenter"),
        (f"{ONE}&windowCenter=40&windowWidth=x", "windowWidth"),
        (f"{ONE}&imageQuality=0", "imageQuality"),
        (f"{ONE}&imageQuality=101", "imageQuality"),
        (f"{ONE}&presentationUID=1.6", "presentationSeriesUID"),
        (f"{ONE}&presentationSeriesUID=1.5", "presentationUID"),
        (
            f"{ONE}&presentationSeriesUID=1&presentationUID=2&windowCenter=1&windowWidth=2",
            "windowCenter",
        ),
        (f"{ONE}&contentType=image/*", "contentType"),
        (f"{ONE}&contentType=", "contentType"),
        (f"{ONE}&contentType=nonsense", "contentType"),
        (f"{ONE}&contentType=application/dicom,image/jpeg", "contentType"),
        (f"{ONE}&contentType=application/dicom%2Bjson", "contentType"),
        (f"{ONE}&contentType=multipart/related", "contentType"),
        (f"{ONE}{DICOM};transfer-syntax=1.2.840.10008.1.2.4.50", "contentType"),
        (f"{ONE}&contentType=text/html;charset=utf-8", "contentType"),
        (f"{ONE}{DICOM}&transferSyntax=**", "transferSyntax"),
        (f"{ONE}{DICOM}&transferSyntax=JPEG", "transferSyntax"),
        (f"{ONE}{DICOM}&anonymize=true", "anonymize"),
        *((f"{ONE}{DICOM}&{name}=1&windowWidth=1", None) for name in OF_PICTURES),
        *((f"{ONE}&contentType=image/jpeg&{name}=1.2", None) for name in OF_FILES),
    ],
)
def test_what_is_wrong_is_named(query: str, name: str | None) -> None:
    with pytest.raises(InvalidValue) as refused:
        asked(query)
    assert name in (None, refused.value.name)


def test_a_content_type_agrees_with_the_header() -> None:
    assert not asked(f"{ONE}&contentType=image/png", "image/*").file
    with pytest.raises(InvalidValue):
        asked(f"{ONE}&contentType=image/png", "image/jpeg")


@pytest.mark.parametrize(
    ("accept", "file"),
    [
        ("*/*", False),
        ("image/*", False),
        ("text/html,application/xhtml+xml,image/avif,*/*;q=0.8", False),
        ("application/dicom", True),
        ("application/dicom, */*;q=0.1", True),
    ],
)
def test_without_a_content_type_the_header_decides(accept: str, file: bool) -> None:
    """`*/*` is a picture, as it always was."""
    assert asked(ONE, accept).file is file
    with pytest.raises(InvalidValue):
        asked(ONE, "application/dicom, image/jpeg")


def test_an_unknown_parameter_is_refused_unless_it_is_to_be_ignored() -> None:
    with pytest.raises(UnknownName) as refused:
        asked(f"{ONE}&windowCentre=40")
    assert refused.value.nearest == "windowCenter"
    query = get(f"{ONE}&token=x")
    assert asked_of(query, parse_accept("*/*"), ignored=("token",)).sop_uid == "1.4"


@pytest.mark.parametrize(
    "query",
    ["anonymize=yes", "transferSyntax=1.2.840.10008.1.2", "transferSyntax=1.2.840.10008.1.2.2"],
)
def test_what_is_never_sent_is_not_acceptable(query: str) -> None:
    """De-identification is not done half; Implicit LE and Explicit BE are not for the web."""
    with pytest.raises(NotAcceptable):
        asked(f"{ONE}{DICOM}&{query}")


@given(st.lists(st.tuples(st.sampled_from(PARAMETERS), st.text(max_size=12)), max_size=8))
def test_any_query_is_read_or_refused(more: list[tuple[str, str]]) -> None:
    query = f"{ONE}&{urlencode(more, errors='surrogatepass')}"
    try:
        found = asked_of(get(query), parse_accept("*/*"))
    except (InvalidValue, NotAcceptable):
        return
    assert (found.study_uid, found.series_uid, found.sop_uid) == ("1.2", "1.3", "1.4")

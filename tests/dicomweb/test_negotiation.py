"""Acceptable media types (PS3.18 §8.7)."""

from __future__ import annotations

import pytest

from dicomweb.negotiation import Wanted, model_type, wanted
from tests.http.requests import get
from vna.errors import InvalidValue, NotAcceptable


def asked(accept: str, query: str = "") -> list[Wanted]:
    """What a client with that Accept header wants, best first."""
    return list(wanted(get(query, headers={"accept": accept}), strict=False))


@pytest.mark.parametrize(
    "accept",
    [
        'multipart/related; type="application/dicom"; transfer-syntax=*',
        "multipart/related; type=application/dicom; transfer-syntax=*",
        'multipart/related;type="application/dicom";transfer-syntax="*"',
        'Multipart/Related; Type="Application/DICOM"; transfer-syntax=*; boundary=x',
    ],
)
def test_quotes_and_case_do_not_matter_in_accept(accept: str) -> None:
    assert asked(accept) == [Wanted(True, "application/dicom", "*")]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*", [Wanted(True, "*/*", None)]),
        ("multipart/*", [Wanted(True, "*/*", None)]),
        ('multipart/related; type="*/*"', [Wanted(True, "*/*", None)]),
        ("application/dicom", [Wanted(False, "application/dicom", None)]),
        ("application/*", [Wanted(False, "application/*", None)]),
        ("image/x-jls", [Wanted(False, "image/jls", None)]),
        (
            "application/octet-stream;q=0.5, application/dicom;transfer-syntax=1.2.3",
            [
                Wanted(False, "application/dicom", "1.2.3"),
                Wanted(False, "application/octet-stream", None),
            ],
        ),
        ("application/dicom;q=0", []),
    ],
)
def test_ranges_become_shapes_and_media_types(accept: str, expected: list[Wanted]) -> None:
    assert asked(accept) == expected


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2,1.3", "x"])
def test_what_the_web_never_carries_cannot_be_named(syntax: str) -> None:
    """Implicit VR Little Endian and Explicit VR Big Endian shall not be used (§8.7.3.2)."""
    assert asked(f'application/dicom; transfer-syntax="{syntax}"') == []


def test_the_accept_parameter_comes_before_the_header() -> None:
    found = asked("*/*", "accept=application/dicom%3Btransfer-syntax%3D*")

    assert found == [Wanted(False, "application/dicom", "*"), Wanted(True, "*/*", None)]


def test_the_accept_parameter_must_agree_with_the_header() -> None:
    with pytest.raises(InvalidValue, match="agree"):
        asked("application/dicom", "accept=application/octet-stream")


@pytest.mark.parametrize("rendered", ["image/png", "text/html", "application/pdf"])
def test_dicom_and_rendered_media_types_do_not_mix(rendered: str) -> None:
    with pytest.raises(InvalidValue, match="mix"):
        asked(f"application/dicom, {rendered}")
    assert asked(f"{rendered}, */*")


def test_without_accept_anything_will_do_unless_the_server_is_strict() -> None:
    assert wanted(get(), strict=False) == (Wanted(True, "*/*", None),)
    with pytest.raises(NotAcceptable):
        wanted(get(), strict=True)


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/dicom+json", "application/dicom+json"),
        ("application/json", "application/json"),
        ("*/*", "application/dicom+json"),
        ("application/json, text/plain, */*", "application/json"),
        ("text/html, application/*;q=0.5", "application/dicom+json"),
        ('multipart/related; type="application/dicom+xml"', "application/dicom+xml"),
        ("multipart/related; type=application/dicom+xml, */*;q=0.1", "application/dicom+xml"),
        ('multipart/related; type="application/dicom+xml";q=0.1, */*', "application/dicom+json"),
    ],
)
def test_attributes_are_json_under_two_names_or_xml_in_parts(accept: str, media_type: str) -> None:
    assert model_type(get(headers={"accept": accept}), strict=False) == media_type


@pytest.mark.parametrize(
    "accept",
    ["text/html", 'multipart/related; type="application/dicom"', "application/dicom+xml", ""],
)
def test_attributes_are_sent_in_no_other_form(accept: str) -> None:
    with pytest.raises(NotAcceptable):
        model_type(get(headers={"accept": accept}), strict=False)

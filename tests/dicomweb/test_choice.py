"""Which representation is tried first: PS3.18 §8.7 and tables 8.7.3-2 and 8.7.3-5, as a table."""

from __future__ import annotations

import pytest

from dicomweb.choice import Choice, file_choices, pixel_choices
from dicomweb.negotiation import Wanted

LE = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
RLE = "1.2.840.10008.1.2.5"
BASELINE = "1.2.840.10008.1.2.4.50"
SV1 = "1.2.840.10008.1.2.4.70"
JPEG_LS = "1.2.840.10008.1.2.4.80"
J2K = "1.2.840.10008.1.2.4.90"
J2K_LOSSY = "1.2.840.10008.1.2.4.91"
H264 = "1.2.840.10008.1.2.4.102"
DICOM, OCTETS = "application/dicom", "application/octet-stream"


def ask(media_type: str, syntax: str | None = None) -> list[Wanted]:
    return [Wanted(True, media_type, syntax)]


@pytest.mark.parametrize(
    ("asked", "stored", "expected"),
    [
        (None, J2K, [Choice(DICOM, LE), Choice(DICOM, None, instead=True)]),
        ("*", J2K, [Choice(DICOM, None)]),
        (J2K, J2K, [Choice(DICOM, None)]),
        (J2K_LOSSY, J2K_LOSSY, [Choice(DICOM, None)]),
        (LE, J2K, [Choice(DICOM, LE)]),
        (RLE, J2K, [Choice(DICOM, RLE)]),
        (J2K_LOSSY, J2K, []),
        (H264, LE, []),
        ("1.2.3.4", LE, []),
        ("1.2.3.4", "1.2.3.4", [Choice(DICOM, None)]),
        (DEFLATED, DEFLATED, [Choice(DICOM, None)]),
    ],
)
def test_a_file(asked: str | None, stored: str, expected: list[Choice]) -> None:
    assert list(file_choices(ask(DICOM, asked), stored)) == expected


@pytest.mark.parametrize(
    ("media_type", "asked", "stored", "lenient", "strict"),
    [
        # uncompressed is what octets mean
        (OCTETS, None, LE, [Choice(OCTETS, LE)], None),
        (OCTETS, None, J2K, [Choice(OCTETS, LE), Choice(OCTETS, None, instead=True)], None),
        (OCTETS, LE, J2K, [Choice(OCTETS, LE)], None),
        (OCTETS, "*", J2K, [Choice(OCTETS, None)], None),
        ("*/*", None, J2K, [Choice(OCTETS, LE), Choice("image/jp2", None, instead=True)], None),
        ("*/*", "*", J2K, [Choice("image/jp2", None)], None),
        # each compressed media type has a default
        ("image/jp2", None, J2K, [Choice("image/jp2", None), Choice("image/jp2", J2K)], None),
        ("image/jp2", None, LE, [Choice("image/jp2", J2K)], None),
        ("image/jls", None, BASELINE, [Choice("image/jls", JPEG_LS)], None),
        (
            "image/jpeg",
            None,
            BASELINE,
            [Choice("image/jpeg", None, instead=True), Choice("image/jpeg", SV1)],
            [Choice("image/jpeg", SV1)],
        ),
        ("image/jpeg", BASELINE, BASELINE, [Choice("image/jpeg", None)], None),
        ("image/jpeg", BASELINE, LE, [], None),
        ("image/jpeg", SV1, BASELINE, [Choice("image/jpeg", SV1)], None),
        ("image/jpeg", J2K, LE, [], None),
        ("image/jpeg", "*", J2K, [], None),
        ("image/dicom-rle", None, LE, [Choice("image/dicom-rle", RLE)], None),
        ("video/mp4", None, H264, [Choice("video/mp4", None)], None),
        ("video/mp4", None, LE, [], None),
        ("text/plain", None, LE, [], None),
    ],
)
def test_pixel_data(
    media_type: str,
    asked: str | None,
    stored: str,
    lenient: list[Choice],
    strict: list[Choice] | None,
) -> None:
    candidates = ask(media_type, asked)

    assert list(pixel_choices(candidates, stored, strict=False)) == lenient
    assert list(pixel_choices(candidates, stored, strict=True)) == (strict or lenient)


def test_the_first_that_is_accepted_comes_first() -> None:
    candidates = [*ask("image/jls"), *ask(OCTETS)]

    first, *_ = pixel_choices(candidates, LE, strict=True)

    assert first == Choice("image/jls", JPEG_LS)

"""Thumbnails over HTTP: of everything, small, and without a word on them (PS3.18 §10.4.1.1.5)."""

from __future__ import annotations

import io
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset

from tests.dicomweb.pictures import RAMP, Kept, image, keep, picture, put
from tests.render.waveform.recorded import bundled_ecg
from vna.cli.region.media import pdf

FLAT = np.full((64, 64), 200, np.uint8)


def thumbnail(client: httpx.Client, path: str, **query: str) -> np.ndarray:
    return picture(client, f"{path}/thumbnail", "image/png", **query)


def document() -> Dataset:
    made = Dataset()
    made.SOPClassUID, made.Modality = "1.2.840.10008.5.1.4.1.1.104.1", "DOC"
    made.PatientName = "DOE^JANE"
    made.MIMETypeOfEncapsulatedDocument = "application/pdf"
    made.EncapsulatedDocument = pdf("Report", "DOE JANE")
    return made


@pytest.fixture
def flat(client: httpx.Client) -> Kept:
    return keep(client, image(FLAT, PatientName="DOE^JANE"))


def test_every_level_has_one_of_at_most_128_pixels(client: httpx.Client, flat: Kept) -> None:
    for path in (f"/studies/{flat.study_uid}", flat.series, flat.path, f"{flat.path}/frames/1"):
        answer = client.get(f"{path}/thumbnail")
        assert answer.headers["content-type"] == "image/jpeg"
        shown = np.asarray(Image.open(io.BytesIO(answer.content)))
        assert shown.shape == (128, 128)
        assert (np.abs(shown.astype(int) - 200) <= 1).all()
        assert answer.headers["content-location"].startswith(str(client.base_url))


def test_a_viewport_says_another_size(client: httpx.Client, flat: Kept) -> None:
    assert thumbnail(client, flat.path, viewport="32,20").shape == (20, 20)
    for wrong in ("32", "32,20,1,1", "0,1", "5000,1", "a,b", ""):
        answer = client.get(f"{flat.path}/thumbnail", params={"viewport": wrong})
        assert answer.status_code == 400


@pytest.mark.parametrize("query", ["window=1,2,linear", "annotation=patient", "quality=5"])
def test_nothing_else_can_be_asked(client: httpx.Client, flat: Kept, query: str) -> None:
    assert client.get(f"{flat.path}/thumbnail?{query}").status_code == 400


def test_the_middle_image_stands_for_a_series(client: httpx.Client) -> None:
    first = keep(client, image(np.full_like(FLAT, 0)))
    for number, level in ((2, 90), (3, 180)):
        kept = Kept(first.study_uid, first.series_uid, f"{first.series_uid}.{number}")
        put(client, image(np.full_like(FLAT, level)), kept, number)
    assert (thumbnail(client, first.series) == 90).all()


def test_the_middle_frame_stands_for_a_loop_unless_it_names_another(client: httpx.Client) -> None:
    frames = np.stack([np.full((8, 8), level, np.uint8) for level in (0, 100, 200)])
    assert (thumbnail(client, keep(client, image(frames)).path) == 100).all()
    named = keep(client, image(frames, RepresentativeFrameNumber=3))
    assert (thumbnail(client, named.path) == 200).all()
    assert (thumbnail(client, f"{named.path}/frames/1") == 0).all()
    assert client.get(f"{named.path}/frames/4/thumbnail").status_code == 404
    assert client.get(f"{named.path}/frames/1,2/thumbnail").status_code == 400


def test_words_over_the_image_are_left_out(client: httpx.Client) -> None:
    made = image(np.zeros((16, 16), np.uint8))
    for element, vr, value in (
        (0x10, "US", 16), (0x11, "US", 16), (0x40, "CS", "G"), (0x50, "SS", [1, 1]),
        (0x100, "US", 1), (0x102, "US", 0), (0x3000, "OW", b"\xff" * 32),
    ):  # fmt: skip
        made.add_new(0x60000000 | element, vr, value)
    assert not thumbnail(client, keep(client, made).path).any()


def test_words_in_the_pixels_cannot_be_read(client: httpx.Client) -> None:
    kept = keep(client, image(FLAT, BurnedInAnnotation="YES"))
    assert thumbnail(client, kept.path, viewport="1000,1000").shape == (96, 96)


def test_the_label_of_a_slide_is_not_shown(client: httpx.Client) -> None:
    made = image(np.full((64, 64, 3), 255, np.uint8))
    made.ImageType = ["ORIGINAL", "PRIMARY", "LABEL", "NONE"]
    neutral = thumbnail(client, keep(client, made).path)
    assert not (neutral == 255).all()
    assert neutral.shape == (128, 128, 3)


def test_a_document_and_what_nobody_shows_have_a_neutral_picture(
    client: httpx.Client, flat: Kept
) -> None:
    other = Dataset()
    other.SOPClassUID, other.Modality = "1.2.840.10008.5.1.4.1.1.66.1", "REG"
    shown = []
    for made in (document(), other):
        kept = keep(client, made)
        found = thumbnail(client, kept.path)
        assert found.shape == (128, 128, 3)
        assert np.array_equal(found, thumbnail(client, f"/studies/{kept.study_uid}"))
        shown.append(found)
    assert not np.array_equal(shown[0], shown[1])


def test_an_image_stands_for_a_study_that_has_a_document_too(
    client: httpx.Client, flat: Kept
) -> None:
    keep(client, document(), flat)
    assert (thumbnail(client, f"/studies/{flat.study_uid}") == 200).all()


def test_an_ecg_is_drawn_small_and_does_not_say_whose_it_is(client: httpx.Client) -> None:
    import pydicom

    def drawn(**attributes: Any) -> np.ndarray:
        made = pydicom.dcmread(io.BytesIO(bundled_ecg()))
        for keyword, value in attributes.items():
            setattr(made, keyword, value)
        kept = keep(client, made)
        return thumbnail(client, kept.path, viewport="600,400")

    one, another = drawn(PatientName="DOE^JANE"), drawn(PatientName="ROE^RICHARD")
    assert np.array_equal(one, another)
    assert len(np.unique(one.reshape(-1, one.shape[-1]), axis=0)) > 2


def test_pixels_that_no_codec_reads_have_a_neutral_picture(client: httpx.Client) -> None:
    made = image(RAMP)
    made.BitsAllocated = 12
    assert thumbnail(client, keep(client, made).path).shape == (128, 128, 3)


def test_the_media_type_is_one_of_a_picture(client: httpx.Client, flat: Kept) -> None:
    for kind in ("jpeg", "png", "gif"):
        answer = client.get(f"{flat.path}/thumbnail", headers={"Accept": f"image/{kind}"})
        assert answer.headers["content-type"] == f"image/{kind}"
    for wrong in ("text/html", "application/dicom", "multipart/related; type=image/jpeg"):
        answer = client.get(f"{flat.path}/thumbnail", headers={"Accept": wrong})
        assert answer.status_code == 406

"""Images as a presentation state shows them (PS3.4 §N.2, PS3.18 §10.4.1.1.3)."""

from __future__ import annotations

import io
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset

from tests.dicomweb.pictures import GRAYSCALE_STATE, SECONDARY, Kept, image, keep, picture, put
from tests.dicomweb.wire import parts

PNG_PARTS = {"Accept": 'multipart/related; type="image/png"'}
SAMPLES = np.arange(12 * 16, dtype=np.uint8).reshape(12, 16)


def item(**attributes: Any) -> Dataset:
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def state(*images: Kept, frames: list[int] | None = None, **attributes: Any) -> Dataset:
    """A presentation state of images of one series."""
    references = [
        item(ReferencedSOPClassUID=SECONDARY, ReferencedSOPInstanceUID=each.sop_uid)
        for each in images
    ]
    if frames:
        references[0].ReferencedFrameNumber = frames
    made = item(SOPClassUID=GRAYSCALE_STATE, Modality="PR", **attributes)
    made.ReferencedSeriesSequence = [
        item(SeriesInstanceUID=images[0].series_uid, ReferencedImageSequence=references)
    ]
    return made


def presented(client: httpx.Client, kept: Kept, **attributes: Any) -> np.ndarray:
    """The image as a state with these attributes shows it."""
    made = keep(client, state(kept, **attributes), kept)
    return picture(client, f"{made.path}/rendered")


@pytest.fixture
def kept(client: httpx.Client) -> Kept:
    return keep(client, image(SAMPLES, WindowCenter="20", WindowWidth="10", BitsStored=8))


def test_what_a_state_leaves_out_is_no_step_and_the_images_own_is_not_used(
    client: httpx.Client, kept: Kept
) -> None:
    assert not np.array_equal(picture(client, f"{kept.path}/rendered"), SAMPLES)
    assert np.array_equal(presented(client, kept), SAMPLES)


def test_its_window_counts_for_the_images_that_it_names(client: httpx.Client, kept: Kept) -> None:
    def window(of: str, center: str) -> Dataset:
        reference = item(ReferencedSOPClassUID=SECONDARY, ReferencedSOPInstanceUID=of)
        return item(ReferencedImageSequence=[reference], WindowCenter=center, WindowWidth="101")

    windows = [window("1.2.3", "10"), window(kept.sop_uid, "100")]
    shown = presented(client, kept, SoftcopyVOILUTSequence=windows)
    expected = np.clip(((SAMPLES - 99.5) / 100 + 0.5) * 255, 0, 255)
    assert np.abs(shown - expected).max() <= 0.5


def test_an_inverse_shape_turns_black_and_white(client: httpx.Client, kept: Kept) -> None:
    shown = presented(client, kept, PresentationLUTShape="INVERSE")
    assert np.array_equal(shown, 255 - SAMPLES)


@pytest.mark.parametrize(
    ("rotation", "flip", "expected"),
    [
        (0, "Y", SAMPLES[:, ::-1]),
        (90, "N", np.rot90(SAMPLES, -1)),
        (180, "N", SAMPLES[::-1, ::-1]),
        (270, "N", np.rot90(SAMPLES)),
        (90, "Y", np.rot90(SAMPLES, -1)[:, ::-1]),
    ],
)
def test_it_turns_clockwise_and_then_mirrors(
    client: httpx.Client, kept: Kept, rotation: int, flip: str, expected: np.ndarray
) -> None:
    shown = presented(client, kept, ImageRotation=rotation, ImageHorizontalFlip=flip)
    assert np.array_equal(shown, expected)


def test_it_shows_the_displayed_area_which_may_reach_beyond_the_image(
    client: httpx.Client, kept: Kept
) -> None:
    def area(first: list[int], last: list[int]) -> list[Dataset]:
        return [
            item(
                DisplayedAreaTopLeftHandCorner=first,
                DisplayedAreaBottomRightHandCorner=last,
                PresentationSizeMode="SCALE TO FIT",
                PresentationPixelAspectRatio=[1, 1],
            )
        ]

    inside = presented(client, kept, DisplayedAreaSelectionSequence=area([3, 2], [10, 7]))
    assert np.array_equal(inside, SAMPLES[1:7, 2:10])
    beyond = presented(client, kept, DisplayedAreaSelectionSequence=area([-1, 1], [16, 12]))
    assert np.array_equal(beyond[:, 2:], SAMPLES)
    assert not beyond[:, :2].any()


def test_its_graphics_and_texts_are_drawn(client: httpx.Client) -> None:
    black = keep(client, image(np.zeros((64, 64), np.uint8)))
    square = item(
        GraphicAnnotationUnits="PIXEL",
        GraphicDimensions=2,
        NumberOfGraphicPoints=5,
        GraphicData=[10, 10, 50, 10, 50, 30, 10, 30, 10, 10],
        GraphicType="POLYLINE",
        GraphicFilled="N",
    )
    circle = item(
        GraphicAnnotationUnits="DISPLAY",
        GraphicDimensions=2,
        NumberOfGraphicPoints=2,
        GraphicData=[0.5, 0.75, 0.6, 0.75],
        GraphicType="CIRCLE",
        GraphicFilled="Y",
    )
    text = item(
        UnformattedTextValue="L",
        AnchorPointAnnotationUnits="PIXEL",
        AnchorPoint=[54, 2],
        AnchorPointVisibility="N",
    )
    shown = presented(
        client,
        black,
        GraphicLayerSequence=[
            item(
                GraphicLayer="A",
                GraphicLayerOrder=1,
                GraphicLayerRecommendedDisplayGrayscaleValue=0x8000,
            )
        ],
        GraphicAnnotationSequence=[
            item(
                GraphicLayer="A",
                GraphicObjectSequence=[square, circle],
                TextObjectSequence=[text],
            )
        ],
    )
    assert (shown[10, 10:51] == 0x80).all()
    assert (shown[10:31, 50] == 0x80).all()
    assert shown[20, 30] == 0
    assert shown[48, 32] == 0x80
    assert shown[:16, 52:].any()


def test_its_shutter_covers_what_lies_outside(client: httpx.Client, kept: Kept) -> None:
    shown = presented(
        client,
        kept,
        ShutterShape="CIRCULAR",
        CenterOfCircularShutter=[6, 8],
        RadiusOfCircularShutter="3",
        ShutterPresentationValue=0xFFFF,
    )
    assert shown[0, 0] == 255
    assert shown[5, 7] == SAMPLES[5, 7]


def test_every_image_that_it_names_is_shown_in_its_order(client: httpx.Client, kept: Kept) -> None:
    second = Kept(kept.study_uid, kept.series_uid, f"{kept.series_uid}.2")
    put(client, image(255 - SAMPLES), second, 2)
    made = keep(client, state(second, kept), kept)
    found = parts(client.get(f"{made.path}/rendered", headers=PNG_PARTS))
    shown = [np.asarray(Image.open(io.BytesIO(part.data))) for part in found]
    assert np.array_equal(shown[0], 255 - SAMPLES)
    assert np.array_equal(shown[1], SAMPLES)


def test_only_the_frames_that_it_names_are_shown(client: httpx.Client) -> None:
    frames = np.stack([np.full((8, 8), level, np.uint8) for level in (10, 20, 30)])
    loop = keep(client, image(frames))
    made = keep(client, state(loop, frames=[3, 1]), loop)
    found = parts(client.get(f"{made.path}/rendered", headers=PNG_PARTS))
    shown = [np.asarray(Image.open(io.BytesIO(part.data))).max() for part in found]
    assert shown == [30, 10]


def test_an_image_may_be_asked_with_a_state(client: httpx.Client, kept: Kept) -> None:
    made = keep(client, state(kept, PresentationLUTShape="INVERSE"), kept)
    query = {"presentationSeriesUID": made.series_uid, "presentationUID": made.sop_uid}
    for path in (f"{kept.path}/rendered", f"{kept.path}/frames/1/rendered"):
        assert np.array_equal(picture(client, path, **query), 255 - SAMPLES)
    wado = {
        "requestType": "WADO",
        "studyUID": kept.study_uid,
        "seriesUID": kept.series_uid,
        "objectUID": kept.sop_uid,
        "contentType": "image/png",
    }
    assert np.array_equal(picture(client, "/wado", **wado, **query), 255 - SAMPLES)


def test_a_window_a_part_or_half_a_name_beside_a_state_are_400(
    client: httpx.Client, kept: Kept
) -> None:
    made = keep(client, state(kept), kept)
    for query in ("window=1,2,linear", "viewport=8,8,1,1"):
        answer = client.get(f"{made.path}/rendered?{query}", headers={"Accept": "image/png"})
        assert answer.status_code == 400
    assert picture(client, f"{made.path}/rendered", viewport="8,8").shape == (6, 8)
    answer = client.get(f"{kept.path}/rendered?presentationUID={made.sop_uid}")
    assert answer.status_code == 400


def test_a_state_of_another_image_is_refused(client: httpx.Client, kept: Kept) -> None:
    other = Kept(kept.study_uid, kept.series_uid, f"{kept.series_uid}.2")
    put(client, image(SAMPLES), other, 2)
    made = keep(client, state(other), kept)
    query = {"presentationSeriesUID": made.series_uid, "presentationUID": made.sop_uid}
    assert client.get(f"{kept.path}/rendered", params=query).status_code == 400


def test_an_image_that_is_not_there_makes_it_404(client: httpx.Client, kept: Kept) -> None:
    missing = Kept(kept.study_uid, kept.series_uid, "1.2.3.4.5.6")
    made = keep(client, state(kept, missing), kept)
    answer = client.get(f"{made.path}/rendered", headers=PNG_PARTS)
    assert answer.status_code == 404
    assert "1.2.3.4.5.6" in answer.text

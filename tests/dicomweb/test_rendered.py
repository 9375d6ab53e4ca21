"""Rendered images over HTTP: levels, media types and parameters of PS3.18 §8.3.5 and §10.4."""

from __future__ import annotations

import io

import httpx
import numpy as np
import pytest
from PIL import Image, ImageCms
from pydicom.dataset import Dataset

from tests.dicomweb.pictures import CT, RAMP, Kept, image, keep, picture, put
from tests.dicomweb.wire import parts

JPEG = {"Accept": "image/jpeg"}
COLOURS = np.dstack([RAMP, RAMP[::-1], RAMP.T])
WIDE = np.arange(1000, 1000 + 400, dtype=np.uint16).reshape(20, 20)


@pytest.fixture
def ramp(client: httpx.Client) -> Kept:
    return keep(client, image(RAMP))


@pytest.fixture
def colours(client: httpx.Client) -> Kept:
    return keep(client, image(COLOURS))


@pytest.fixture
def wide(client: httpx.Client) -> Kept:
    made = image(WIDE, RescaleIntercept="-1000", RescaleSlope="1")
    made.SOPClassUID, made.WindowCenter, made.WindowWidth = CT, "200", "400"
    return keep(client, made)


@pytest.fixture
def loop(client: httpx.Client) -> Kept:
    frames = np.stack([np.full((8, 8), level, np.uint8) for level in (0, 100, 200)])
    return keep(client, image(frames, FrameTime="40"))


class TestMediaTypes:
    def test_an_image_is_a_jpeg_unless_something_else_is_asked(
        self, client: httpx.Client, ramp: Kept
    ) -> None:
        for accept in ("image/jpeg", "*/*", "image/*", "image/webp, image/*;q=0.1"):
            answer = client.get(f"{ramp.path}/rendered", headers={"Accept": accept})
            assert answer.headers["content-type"] == "image/jpeg"
            assert answer.headers["content-location"].endswith(f"{ramp.path}/rendered")

    @pytest.mark.parametrize("kind", ["png", "gif", "jp2"])
    def test_lossless_media_types_have_every_level(
        self, client: httpx.Client, ramp: Kept, kind: str
    ) -> None:
        assert np.array_equal(picture(client, f"{ramp.path}/rendered", f"image/{kind}"), RAMP)

    def test_colours_stay_what_they_are(self, client: httpx.Client, colours: Kept) -> None:
        assert np.array_equal(picture(client, f"{colours.path}/rendered"), COLOURS)

    def test_a_jpeg_is_8_bit_baseline_with_one_component_for_gray(
        self, client: httpx.Client, wide: Kept
    ) -> None:
        body = client.get(f"{wide.path}/rendered", headers=JPEG).content
        start = body.index(b"\xff\xc0")
        assert body[start + 4] == 8
        assert body[start + 9] == 1

    @pytest.mark.parametrize(
        "accept", ["text/html", "video/mp4", "image/webp", "multipart/related; type=text/plain"]
    )
    def test_what_cannot_be_is_406(self, client: httpx.Client, ramp: Kept, accept: str) -> None:
        answer = client.get(f"{ramp.path}/rendered", headers={"Accept": accept})
        assert answer.status_code == 406
        assert "image/jpeg" in answer.text

    def test_dicom_and_rendered_media_types_are_not_mixed(
        self, client: httpx.Client, ramp: Kept
    ) -> None:
        accept = {"Accept": "image/jpeg, application/dicom"}
        assert client.get(f"{ramp.path}/rendered", headers=accept).status_code == 400

    def test_it_has_an_entity_tag_and_ranges(self, client: httpx.Client, ramp: Kept) -> None:
        url = f"{ramp.path}/rendered"
        whole = client.get(url, headers=JPEG)
        tag = {"If-None-Match": whole.headers["etag"]}
        assert client.get(url, headers=JPEG | tag).status_code == 304
        part = client.get(url, headers=JPEG | {"Range": "bytes=0-1"})
        assert (part.status_code, part.content) == (206, b"\xff\xd8")
        assert client.get(url, params={"quality": "10"}, headers=JPEG | tag).status_code == 200
        assert client.head(url, headers=JPEG).headers["content-length"] == str(len(whole.content))


class TestLevels:
    def test_a_study_and_a_series_come_in_parts_with_their_places(
        self, client: httpx.Client, ramp: Kept
    ) -> None:
        second = Kept(ramp.study_uid, ramp.series_uid, f"{ramp.series_uid}.2")
        put(client, image(255 - RAMP), second, 2)
        for level in (ramp.series, f"/studies/{ramp.study_uid}"):
            answer = client.get(
                f"{level}/rendered", headers={"Accept": 'multipart/related; type="image/png"'}
            )
            found = parts(answer)
            assert [part.headers["content-location"] for part in found] == [
                f"{str(client.base_url).rstrip('/')}{each.path}/rendered" for each in (ramp, second)
            ]
            shown = [np.asarray(Image.open(io.BytesIO(part.data))) for part in found]
            assert np.array_equal(shown[0], RAMP)
            assert np.array_equal(shown[1], 255 - RAMP)

    def test_what_a_study_cannot_show_under_the_media_type_is_told(
        self, client: httpx.Client, ramp: Kept
    ) -> None:
        text = Dataset()
        text.SOPClassUID, text.Modality = "1.2.840.10008.5.1.4.1.1.104.1", "DOC"
        text.MIMETypeOfEncapsulatedDocument, text.EncapsulatedDocument = "application/pdf", b"%PDF"
        keep(client, text, ramp)
        accept = {"Accept": 'multipart/related; type="image/gif"'}
        answer = client.get(f"/studies/{ramp.study_uid}/rendered", headers=accept)
        assert len(parts(answer)) == 1
        assert "1 more cannot be sent" in answer.headers["warning"]

    def test_a_parameter_concerns_what_knows_it_and_one_that_nothing_knows_is_400(
        self, client: httpx.Client, ramp: Kept
    ) -> None:
        text = Dataset()
        text.SOPClassUID, text.Modality = "1.2.840.10008.5.1.4.1.1.104.1", "DOC"
        text.MIMETypeOfEncapsulatedDocument, text.EncapsulatedDocument = "application/pdf", b"%PDF"
        keep(client, text, ramp)
        url, accept = f"/studies/{ramp.study_uid}/rendered", {"Accept": "multipart/related"}
        answer = client.get(url, params={"window": "0,1,linear-exact"}, headers=accept)
        (shown, document) = parts(answer)
        assert shown.headers["content-type"] == "image/jpeg"
        assert document.headers["content-type"] == "application/pdf"
        assert client.get(url, params={"speed": "25"}, headers=accept).status_code == 400

    def test_frames_are_had_one_by_one_and_several_in_parts(
        self, client: httpx.Client, loop: Kept
    ) -> None:
        for number, level in ((1, 0), (2, 100), (3, 200)):
            one = picture(client, f"{loop.path}/frames/{number}/rendered")
            assert (one == level).all()
        accept = {"Accept": 'multipart/related; type="image/png"'}
        found = parts(client.get(f"{loop.path}/frames/3,1/rendered", headers=accept))
        assert [np.asarray(Image.open(io.BytesIO(each.data))).max() for each in found] == [
            200,
            0,
        ]
        assert client.get(f"{loop.path}/frames/4/rendered", headers=JPEG).status_code == 404
        assert client.get(f"{loop.path}/frames/0/rendered", headers=JPEG).status_code == 400
        assert client.get(f"{loop.path}/frames/1,2/rendered", headers=JPEG).status_code == 406

    def test_a_multi_frame_image_moves_as_gif(self, client: httpx.Client, loop: Kept) -> None:
        answer = client.get(f"{loop.path}/rendered", headers={"Accept": "image/gif"})
        shown = Image.open(io.BytesIO(answer.content))
        assert getattr(shown, "n_frames", 1) == 3
        assert shown.info["duration"] == 40
        for number, level in enumerate((0, 100, 200)):
            shown.seek(number)
            assert np.asarray(shown.convert("L")).max() == level

    def test_a_still_of_a_multi_frame_image_says_which_frame_it_is(
        self, client: httpx.Client, loop: Kept
    ) -> None:
        answer = client.get(f"{loop.path}/rendered", headers={"Accept": "image/png"})
        assert np.asarray(Image.open(io.BytesIO(answer.content))).max() == 100
        assert "frame 2 of 3" in answer.headers["warning"]


class TestWindow:
    def test_the_images_own_window_counts(self, client: httpx.Client, wide: Kept) -> None:
        expected = np.clip(((WIDE.astype(float) - 1000 - 199.5) / 399 + 0.5) * 255, 0, 255)
        shown = picture(client, f"{wide.path}/rendered")
        assert np.abs(shown - expected).max() <= 0.5 + 1e-6

    @pytest.mark.parametrize("function", ["linear", "linear-exact", "sigmoid"])
    def test_an_asked_window_counts_in_its_place(
        self, client: httpx.Client, wide: Kept, function: str
    ) -> None:
        values = WIDE.astype(float) - 1000
        center, width = 150.5, 100.0
        expected = {
            "linear": np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1),
            "linear-exact": np.clip((values - center) / width + 0.5, 0, 1),
            "sigmoid": 1 / (1 + np.exp(-4 * (values - center) / width)),
        }[function]
        window = f"150.5,100,{function}"
        shown = picture(client, f"{wide.path}/rendered", window=window)
        assert np.abs(shown - expected * 255).max() <= 0.5 + 1e-6

    @pytest.mark.parametrize(
        "window",
        ["", "40", "40,400", "40,400,", "40,400,cubic", "a,400,linear", "40,0.5,linear",
         "40,0,sigmoid", "40,-1,linear-exact", "nan,400,linear", "1,2,3,linear", "1e999,4,linear"],
    )  # fmt: skip
    def test_an_ill_formed_window_is_400(
        self, client: httpx.Client, wide: Kept, window: str
    ) -> None:
        answer = client.get(f"{wide.path}/rendered", params={"window": window}, headers=JPEG)
        assert answer.status_code == 400
        assert "window" in answer.text

    def test_colours_have_no_window_and_the_client_is_told(
        self, client: httpx.Client, colours: Kept
    ) -> None:
        url, window = f"{colours.path}/rendered", {"window": "40,400,linear"}
        answer = client.get(url, params=window, headers={"Accept": "image/png"})
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(answer.content))), COLOURS)
        assert "no window was applied" in answer.headers["warning"]

    def test_monochrome1_is_dark_where_values_are_high(self, client: httpx.Client) -> None:
        kept = keep(client, image(RAMP, PhotometricInterpretation="MONOCHROME1"))
        assert np.array_equal(picture(client, f"{kept.path}/rendered"), 255 - RAMP)


class TestViewport:
    @pytest.mark.parametrize(
        ("viewport", "size"),
        [("8,8", (8, 8)), ("64,32", (32, 32)), ("5,1000", (5, 5)), ("10,10,4,4,8,4", (5, 10))],
    )
    def test_the_picture_fits_without_being_distorted(
        self, client: httpx.Client, ramp: Kept, viewport: str, size: tuple[int, int]
    ) -> None:
        assert picture(client, f"{ramp.path}/rendered", viewport=viewport).shape == size

    @pytest.mark.parametrize(
        ("viewport", "part"),
        [
            ("8,8,4,6,8,8", RAMP[6:14, 4:12]),
            ("16,16,,,-16", RAMP[:, ::-1]),
            ("16,16,,,,-16", RAMP[::-1]),
            ("8,8,8,8", RAMP[8:, 8:]),
            ("4,4,12,,4,4", RAMP[:4, 12:]),
        ],
    )
    def test_a_part_is_cut_out_and_mirrored(
        self, client: httpx.Client, ramp: Kept, viewport: str, part: np.ndarray
    ) -> None:
        shown = picture(client, f"{ramp.path}/rendered", viewport=viewport)
        assert np.array_equal(shown, part)

    @pytest.mark.parametrize(
        "viewport",
        ["", "8", "0,8", "8,-8", "8,8,", "8.5,8", "8,8,-1", "8,8,1,2,3,4,5", "8,8,a", "8,8,,,0",
         "x,y", "8,8,nan"],
    )  # fmt: skip
    def test_an_ill_formed_viewport_is_400(
        self, client: httpx.Client, ramp: Kept, viewport: str
    ) -> None:
        answer = client.get(f"{ramp.path}/rendered", params={"viewport": viewport}, headers=JPEG)
        assert answer.status_code == 400
        assert "viewport" in answer.text

    def test_pixels_that_are_not_square_are_shown_as_square_ones(
        self, client: httpx.Client
    ) -> None:
        kept = keep(client, image(RAMP, PixelAspectRatio=[2, 1]))
        assert picture(client, f"{kept.path}/rendered").shape == (32, 16)


class TestOtherParameters:
    def test_quality_makes_a_jpeg_smaller(self, client: httpx.Client) -> None:
        noise = np.random.default_rng(1).integers(0, 256, (64, 64), np.uint8)
        kept = keep(client, image(noise))
        sizes = [
            len(client.get(f"{kept.path}/rendered", params={"quality": q}, headers=JPEG).content)
            for q in ("5", "50", "100")
        ]
        assert sizes == sorted(set(sizes))

    @pytest.mark.parametrize(
        "query",
        ["quality=0", "quality=101", "quality=high", "annotation=", "annotation=name",
         "iccprofile=maybe", "overlays=1", "windw=1,2,linear", "quality=1&quality=2"],
    )  # fmt: skip
    def test_what_is_not_understood_is_400(
        self, client: httpx.Client, ramp: Kept, query: str
    ) -> None:
        assert client.get(f"{ramp.path}/rendered?{query}", headers=JPEG).status_code == 400

    def test_patient_and_technique_are_written_on_the_picture(self, client: httpx.Client) -> None:
        made = image(np.zeros((200, 200), np.uint8), PatientName="DOE^JANE", PatientSex="F")
        kept = keep(client, made)
        url = f"{kept.path}/rendered"
        assert not picture(client, url).any()
        shown = picture(client, url, annotation="patient")
        assert shown[:60].any()
        assert not shown[100:].any()
        both = picture(client, url, annotation="patient,technique")
        assert both[:60].any()
        assert both[150:].any()
        answer = client.get(url, params={"annotation": "patient,height"}, headers=JPEG)
        assert "height" in answer.headers["warning"]

    def test_overlays_are_drawn_unless_they_are_not_wanted(self, client: httpx.Client) -> None:
        made = image(np.zeros((16, 16), np.uint8))
        made.add_new(0x60000010, "US", 16)
        made.add_new(0x60000011, "US", 16)
        made.add_new(0x60000040, "CS", "G")
        made.add_new(0x60000050, "SS", [1, 1])
        made.add_new(0x60000100, "US", 1)
        made.add_new(0x60000102, "US", 0)
        bits = np.zeros((16, 16), np.uint8)
        bits[3, 5] = bits[10, :] = 1
        made.add_new(0x60003000, "OW", np.packbits(bits, bitorder="little").tobytes())
        kept = keep(client, made)
        assert np.array_equal(picture(client, f"{kept.path}/rendered"), bits * 255)
        assert not picture(client, f"{kept.path}/rendered", overlays="no").any()

    def test_a_shutter_covers_what_lies_outside_it(self, client: httpx.Client) -> None:
        made = image(
            np.full((20, 20), 200, np.uint8),
            ShutterShape="RECTANGULAR",
            ShutterLeftVerticalEdge="5",
            ShutterRightVerticalEdge="8",
            ShutterUpperHorizontalEdge="3",
            ShutterLowerHorizontalEdge="20",
            ShutterPresentationValue=0x4000,
        )
        shown = picture(client, f"{keep(client, made).path}/rendered")
        assert (shown[2:, 4:8] == 200).all()
        shown = shown.copy()
        shown[2:, 4:8] = 0x40
        assert (shown == 0x40).all()

    @pytest.mark.parametrize("space", ["yes", "srgb", "adobergb", "rommrgb"])
    @pytest.mark.parametrize("kind", ["jpeg", "png"])
    def test_a_profile_is_embedded_where_it_is_asked(
        self, client: httpx.Client, colours: Kept, kind: str, space: str
    ) -> None:
        answer = client.get(
            f"{colours.path}/rendered",
            params={"iccprofile": space},
            headers={"Accept": f"image/{kind}"},
        )
        profile = Image.open(io.BytesIO(answer.content)).info["icc_profile"]
        assert ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space.strip() == "RGB"

    def test_gif_has_no_profile(self, client: httpx.Client, colours: Kept) -> None:
        answer = client.get(
            f"{colours.path}/rendered",
            params={"iccprofile": "yes"},
            headers={"Accept": "image/gif"},
        )
        assert answer.status_code == 400


def test_wado_uri_gives_the_same_picture(client: httpx.Client, wide: Kept) -> None:
    query = {
        "requestType": "WADO",
        "studyUID": wide.study_uid,
        "seriesUID": wide.series_uid,
        "objectUID": wide.sop_uid,
        "contentType": "image/png",
        "windowCenter": "100",
        "windowWidth": "50",
        "rows": "10",
        "columns": "10",
        "region": "0.5,0,1,0.5",
    }
    shown = picture(client, "/wado", **query)
    expected = picture(
        client,
        f"{wide.path}/frames/1/rendered",
        window="100,50,linear",
        viewport="10,10,10,0,10,10",
    )
    assert np.array_equal(shown, expected)
    del query["contentType"]
    assert client.get("/wado", params=query).headers["content-type"] == "image/jpeg"


def test_pixels_that_no_codec_reads_are_406_with_a_reason(client: httpx.Client) -> None:
    made = image(RAMP)
    made.BitsAllocated = 12
    kept = keep(client, made)
    answer = client.get(f"{kept.path}/rendered", headers=JPEG)
    assert answer.status_code == 406
    assert answer.json()["code"] == "undecodable"

"""A slide of many tiles is one picture: every region, at every size, from the right level."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.dataset import Dataset

from tests.render.slide.synthetic import (
    Pixels,
    Slide,
    after_loss,
    cut,
    instance,
    levels,
    position,
    smaller,
    tissue,
)
from vna.errors import InvalidValue
from vna.render.slide.compose import shown_by_browsers
from vna.render.slide.iiif import info, parse, scale_factors
from vna.render.slide.pyramid import pyramid

WIDTH, HEIGHT = 800, 560
TISSUE = tissue(WIDTH, HEIGHT)
SLIDE = Slide(levels(TISSUE))
STORED = {factor: after_loss(smaller(TISSUE, factor), 64) for factor in (1, 4, 16)}


def pixels(data: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def far(a: Pixels, b: Pixels) -> int:
    """The largest difference of two pictures that were compressed with loss."""
    assert a.shape == b.shape
    return int(np.abs(a.astype(int) - b.astype(int)).max())


CLOSE = 3  # two decoders differ by so much in what they round


def test_three_instances_are_three_levels() -> None:
    assert [(each.columns, each.rows) for each in SLIDE.pyramid.levels] == [
        (800, 560), (200, 140), (50, 35)
    ]  # fmt: skip
    assert [SLIDE.pyramid.factor(each) for each in SLIDE.pyramid.levels] == [1, 4, 16]
    assert [len(each.frames) for each in SLIDE.pyramid.levels] == [13 * 9, 4 * 3, 1]


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_region_at_full_size_is_the_tissue_there(data: st.DataObject) -> None:
    left, top = data.draw(st.integers(0, WIDTH - 1)), data.draw(st.integers(0, HEIGHT - 1))
    columns, rows = data.draw(st.integers(1, 300)), data.draw(st.integers(1, 300))
    _, found, picture = SLIDE.ask(f"{left},{top},{columns},{rows}")
    expected = STORED[1][top : top + rows, left : left + columns]
    assert found.exact
    assert far(pixels(picture), expected) <= CLOSE


@pytest.mark.parametrize(("factor", "level"), [(1, 1), (2, 1), (4, 4), (8, 4), (16, 16)])
def test_the_whole_slide_comes_from_the_smallest_level_that_is_sharp_enough(
    factor: int, level: int
) -> None:
    _, found, picture = SLIDE.ask(size=f"{WIDTH // factor},{HEIGHT // factor}")
    assert found.box[2] == WIDTH // level
    assert far(pixels(picture), smaller(STORED[level], factor // level)) <= CLOSE


def test_a_stored_tile_is_passed_as_it_is_where_it_is_what_is_asked() -> None:
    _, found, _ = SLIDE.ask("256,128,64,64", "64,64", format="jpg")
    assert found.alone
    (piece,) = found.pieces
    frame = SLIDE.frame(piece.part, piece.frame)
    assert far(pixels(frame), STORED[1][128:192, 256:320]) <= CLOSE
    assert shown_by_browsers(frame, "YBR_FULL_422", (64, 64))
    # of another level: 64 of its pixels are 256 of the slide's
    _, found, _ = SLIDE.ask("256,256,256,256", "64,64", format="jpg")
    assert found.alone
    frame = SLIDE.frame(found.pieces[0].part, found.pieces[0].frame)
    assert far(pixels(frame), STORED[4][64:128, 64:128]) <= CLOSE


@pytest.mark.parametrize(
    "asked",
    [
        {"region": "257,128,64,64", "size": "64,64"},
        {"region": "768,512,64,64", "size": "max"},  # a tile at the edge is not whole
        {"region": "256,128,64,64", "size": "32,32"},
        {"region": "256,128,64,64", "size": "max", "rotation": "90"},
        {"region": "256,128,64,64", "size": "max", "quality": "gray"},
    ],
)
def test_anything_else_is_put_together(asked: dict[str, str]) -> None:
    _, found, picture = SLIDE.ask(**asked, format="jpg")
    assert not found.alone
    assert Image.open(io.BytesIO(picture)).format == "JPEG"


def test_a_jpeg_whose_colours_browsers_would_guess_wrong_is_not_passed() -> None:
    frame = SLIDE.frame(2, 1)
    assert shown_by_browsers(frame, "RGB", (64, 64))  # it says that it is YCbCr
    at = frame.index(b"\xff\xe0")
    silent = frame[:at] + frame[at + 2 + int.from_bytes(frame[at + 2 : at + 4], "big") :]
    assert shown_by_browsers(silent, "YBR_FULL_422", (64, 64))
    assert not shown_by_browsers(silent, "RGB", (64, 64))
    assert not shown_by_browsers(frame, "YBR_FULL_422", (64, 65))
    assert not shown_by_browsers(b"\xff\xd8", "YBR_FULL_422", (64, 64))
    assert not shown_by_browsers(b"", "RGB", (64, 64))


def test_what_tiles_are_filled_up_with_is_not_shown() -> None:
    bright = np.full((300, 500, 3), 200, np.uint8)
    slide = Slide(levels(bright))
    _, found, picture = slide.ask(size="32,19")  # 500 / 16 and 300 / 16, rounded up
    assert found.exact
    assert pixels(picture).min() > 180


def test_turned_and_mirrored() -> None:
    plain = pixels(SLIDE.ask("100,100,90,60")[2])
    turned = pixels(SLIDE.ask("100,100,90,60", rotation="90")[2])
    assert np.array_equal(turned, np.rot90(plain, -1))
    mirrored = pixels(SLIDE.ask("100,100,90,60", rotation="!270")[2])
    assert np.array_equal(mirrored, np.rot90(plain[:, ::-1], 1))


def test_gray_and_black_and_white() -> None:
    gray = Image.open(io.BytesIO(SLIDE.ask("0,0,64,64", quality="gray")[2]))
    assert gray.mode == "L"
    bitonal = np.asarray(Image.open(io.BytesIO(SLIDE.ask("0,0,64,64", quality="bitonal")[2])))
    assert set(np.unique(bitonal)) <= {0, 255}


def test_native_tiles_come_without_any_loss() -> None:
    picture = tissue(150, 100)
    slide = Slide([instance(picture, 32, 1, native=True)])
    assert np.array_equal(pixels(slide.ask("7,5,100,90")[2]), picture[5:95, 7:107])


def test_sparse_tiles_lie_where_each_says_and_the_rest_is_white() -> None:
    picture = tissue(160, 96)
    tiles = cut(picture, 32)
    kept = [9, 0, 7, 12]
    places = [position(at % 5 * 32, at // 5 * 32) for at in kept]
    file = instance(picture, 32, 1, native=True, tiles=[tiles[at] for at in kept],
                    DimensionOrganizationType="TILED_SPARSE",
                    PerFrameFunctionalGroupsSequence=places)  # fmt: skip
    found = pixels(Slide([file]).ask()[2])
    expected = np.full_like(picture, 255)
    for at in kept:
        x, y = at % 5 * 32, at // 5 * 32
        expected[y : y + 32, x : x + 32] = picture[y : y + 32, x : x + 32]
    assert np.array_equal(found, expected)


def test_of_several_paths_and_planes_one_is_shown() -> None:
    picture = tissue(64, 64)
    other = 255 - picture
    layers = [other, picture, other]  # three focal planes, the middle one sharp
    full = instance(picture, 64, 1, native=True, tiles=[*layers, *([other] * 3)],
                    TotalPixelMatrixFocalPlanes=3, NumberOfOpticalPaths=2)  # fmt: skip
    assert np.array_equal(pixels(Slide([full]).ask()[2]), picture)
    paths = [Dataset(), Dataset()]
    paths[0].OpticalPathIdentifier, paths[1].OpticalPathIdentifier = "B", "A"
    places = [position(0, 0, "A"), position(0, 0, "B", 1), position(0, 0, "B", 2),
              position(0, 0, "B", 3)]  # fmt: skip
    sparse = instance(picture, 64, 1, native=True, tiles=[other, *layers],
                      DimensionOrganizationType="TILED_SPARSE", OpticalPathSequence=paths,
                      PerFrameFunctionalGroupsSequence=places)  # fmt: skip
    assert np.array_equal(pixels(Slide([sparse]).ask()[2]), picture)


def test_a_concatenation_is_one_level() -> None:
    picture = tissue(160, 96)
    tiles = cut(picture, 32)
    parts = [
        instance(picture, 32, number, native=True, tiles=tiles[begin:end],
                 ConcatenationUID="1.9", InConcatenationNumber=number,
                 ConcatenationFrameOffsetNumber=begin)
        for number, (begin, end) in enumerate([(0, 7), (7, 12), (12, 15)], start=1)
    ]  # fmt: skip
    slide = Slide([parts[1], parts[2], parts[0]])
    assert len(slide.pyramid.levels) == 1
    assert np.array_equal(pixels(slide.ask()[2]), picture)


def test_the_label_and_the_overview_are_no_part_of_the_picture() -> None:
    label = instance(tissue(900, 600), 300, 9, flavour="LABEL")
    overview = instance(tissue(400, 280), 400, 8, flavour="OVERVIEW")
    thumbnail = instance(smaller(TISSUE, 10), 80, 7, flavour="THUMBNAIL")
    slide = Slide([label, overview, thumbnail, *levels(TISSUE)])
    assert [each.columns for each in slide.pyramid.levels] == [800, 200, 80, 50]
    assert pyramid([None]) is None


def test_the_description_names_levels_tiles_and_what_is_possible() -> None:
    found = info(SLIDE.pyramid, "http://x/iiif")
    assert (found["width"], found["height"], found["profile"]) == (WIDTH, HEIGHT, "level0")
    assert found["tiles"] == [{"width": 64, "scaleFactors": [1, 2, 4, 8, 16]}]
    assert found["sizes"][0] == {"width": 50, "height": 35}
    # each tile that a viewer derives from it can be had
    for factor in found["tiles"][0]["scaleFactors"]:
        side = 64 * factor
        for x in range(0, WIDTH, side):
            for y in range(0, HEIGHT, side):
                wide, high = min(side, WIDTH - x), min(side, HEIGHT - y)
                size = f"{-(-wide // factor)},{-(-high // factor)}"
                _, made, _ = SLIDE.ask(f"{x},{y},{wide},{high}", size)
                assert len(made.pieces) <= 9


def test_a_slide_without_small_levels_offers_only_what_it_can_show() -> None:
    large = tissue(64 * 40, 64 * 40)
    slide = Slide([instance(large, 64, 1, tiles=[np.zeros((64, 64, 3), np.uint8)] * 1600)])
    assert max(scale_factors(slide.pyramid)) == 16
    slide.ask("0,0,1024,1024", "64,64")
    with pytest.raises(InvalidValue, match="stored tiles"):
        slide.ask(size="64,64")


@pytest.mark.parametrize(
    ("region", "size", "expected"),
    [
        ("full", "max", (0, 0, 800, 560, 800, 560)),
        ("square", "100,", (120, 0, 560, 560, 100, 100)),
        ("pct:50,50,25,25", "pct:50", (400, 280, 200, 140, 100, 70)),
        ("790,550,100,100", "max", (790, 550, 10, 10, 10, 10)),
        ("full", ",56", (0, 0, 800, 560, 80, 56)),
        ("full", "!100,100", (0, 0, 800, 560, 100, 70)),
        ("full", "!5000,5000", (0, 0, 800, 560, 800, 560)),
        ("0,0,10,10", "3,7", (0, 0, 10, 10, 3, 7)),
    ],
)
def test_regions_and_sizes(region: str, size: str, expected: tuple[int, ...]) -> None:
    asked = parse(SLIDE.pyramid, region, size, "0", "default", "jpg")
    found = (asked.left, asked.top, asked.columns, asked.rows, asked.width, asked.height)
    assert found == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("region", "800,0,10,10"), ("region", "0,0,0,10"), ("region", "1,2,3"), ("region", "pct:1"),
        ("region", "-1,0,5,5"), ("region", "١,0,5,5"), ("size", "0,"), ("size", "^max"),
        ("size", "900,"), ("size", ","), ("size", "!5,"), ("size", "pct:101"), ("size", "10"),
        ("size", "!0,0"), ("rotation", "45"), ("rotation", "x"), ("quality", "best"),
        ("format", "tif"),
    ],
)  # fmt: skip
def test_what_is_not_possible_is_said_by_name(name: str, value: str) -> None:
    usual: dict[str, Any] = {
        "region": "full", "size": "max", "rotation": "0", "quality": "default", "format": "jpg",
    }  # fmt: skip
    with pytest.raises(InvalidValue) as refused:
        parse(SLIDE.pyramid, **usual | {name: value})
    assert refused.value.name == name

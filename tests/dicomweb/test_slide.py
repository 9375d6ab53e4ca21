"""A whole slide over HTTP: described, and shown in any region at any size."""

from __future__ import annotations

import io

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.dicomweb.wire import store
from tests.faults.synthetic import small
from tests.render.slide.synthetic import Slide, after_loss, instance, levels, smaller, tissue

ROOT = "1.2.826.78"
TISSUE = tissue(500, 300)
SERIES = f"/studies/{ROOT}/series/{ROOT}.4"
FILES = levels(TISSUE, root=ROOT)


@pytest.fixture(scope="module", autouse=True)
def slide(url: str) -> None:
    with httpx.Client(base_url=f"{url}/dicomweb") as client:
        label = instance(tissue(90, 60), 90, 9, root=ROOT, flavour="LABEL")
        assert store(client, *FILES, label).status_code == 200


def pixels(answer: httpx.Response) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB")).astype(int)


def test_it_is_described_where_its_base_points(client: httpx.Client) -> None:
    base = client.get(f"{SERIES}/iiif")
    assert base.status_code == 303
    described = client.get(base.headers["location"]).json()
    assert described["id"] == base.headers["location"].removesuffix("/info.json")
    assert (described["width"], described["height"]) == (500, 300)
    assert described["tiles"][0]["width"] == 64
    linked = client.get(f"{SERIES}/iiif/info.json", headers={"Accept": "application/ld+json"})
    assert linked.headers["content-type"].startswith("application/ld+json; profile=")
    assert (
        client.get(f"{SERIES}/iiif/info.json", headers={"Accept": "image/png"}).status_code == 406
    )


def test_a_viewer_puts_the_slide_together_from_its_tiles(client: httpx.Client) -> None:
    described = client.get(f"{SERIES}/iiif/info.json").json()
    side = described["tiles"][0]["width"]
    for factor in described["tiles"][0]["scaleFactors"]:
        wide, high = -(-500 // factor), -(-300 // factor)
        whole = np.zeros((high, wide, 3), int)
        for x in range(0, 500, side * factor):
            for y in range(0, 300, side * factor):
                columns, rows = min(side * factor, 500 - x), min(side * factor, 300 - y)
                size = f"{-(-columns // factor)},{-(-rows // factor)}"
                url = f"{SERIES}/iiif/{x},{y},{columns},{rows}/{size}/0/default.jpg"
                tile = pixels(client.get(url))
                at = y // factor, x // factor
                whole[at[0] : at[0] + tile.shape[0], at[1] : at[1] + tile.shape[1]] = tile
        level = max(each for each in (1, 4, 16) if each <= factor)
        stored = after_loss(smaller(TISSUE, level), 64)
        expected = smaller(stored, factor // level).astype(int)
        rows, columns = expected.shape[:2]
        # JPEG twice; a tile in a wrong place differs by more than 10
        assert np.abs(whole[:rows, :columns] - expected).mean() < 5


def test_a_stored_tile_is_sent_byte_for_byte(client: httpx.Client) -> None:
    answer = client.get(f"{SERIES}/iiif/128,64,64,64/64,64/0/default.jpg")
    stored = Slide(FILES)
    assert answer.content == stored.frame(2, 1 * 8 + 2 + 1)
    again = client.get(
        f"{SERIES}/iiif/128,64,64,64/64,64/0/default.jpg",
        headers={"If-None-Match": answer.headers["etag"]},
    )
    assert again.status_code == 304


def test_any_region_is_exact_as_png(client: httpx.Client) -> None:
    found = pixels(client.get(f"{SERIES}/iiif/33,21,200,150/max/0/default.png"))
    expected = after_loss(TISSUE, 64)[21:171, 33:233].astype(int)
    assert np.abs(found - expected).max() <= 3
    turned = pixels(client.get(f"{SERIES}/iiif/33,21,200,150/max/90/default.png"))
    assert np.array_equal(turned, np.rot90(found, -1))


def test_levels_and_tiles_are_frames_as_well(client: httpx.Client) -> None:
    path = f"{SERIES}/instances/{ROOT}.4.3/frames/11"
    frame = client.get(path, headers={"Accept": "image/jpeg; transfer-syntax=*"})
    assert frame.content == Slide(FILES).frame(2, 11)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("501,0,5,5/max/0/default.jpg", "region"), ("full/^max/0/default.jpg", "size"),
        ("full/max/7/default.jpg", "rotation"), ("full/max/0/bright.jpg", "quality"),
        ("full/max/0/default.tif", "format"), ("full/max/0/default", "format"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_by_name(client: httpx.Client, path: str, name: str) -> None:
    answer = client.get(f"{SERIES}/iiif/{path}")
    assert (answer.status_code, answer.json()["name"]) == (400, name)


def test_a_series_that_is_no_slide_has_none(client: httpx.Client) -> None:
    sent = small(71, 1)
    store(client, sent.data)
    base = f"/studies/{sent.study_uid}/series/{sent.series_uid}/iiif"
    for path in ("", "/info.json", "/full/max/0/default.jpg"):
        assert client.get(base + path).status_code == 404

"""OHIF in a browser opens what the archive holds, and shows what the archive renders."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.clients import ohif, patient, site
from tests.clients.ohif import Viewer
from tests.dicomweb.wire import store
from tests.peers import chromium, npm
from tests.peers.require import require
from vna.cli.region.objects import Study

# What OHIF 3.13.2 does wrong by itself, whatever the server: none that these studies meet.
KNOWN_BUGS: tuple[str, ...] = ()
LEADS = 12
# The element that the viewer plays beside the page and draws into its canvas.
VIDEO = "window.cornerstone.getRenderingEngines()[0].getViewports()[0].videoElement"

# How many colours a frame of the video has.
COLOURS = f"""(() => {{
  const canvas = document.createElement('canvas');
  canvas.width = {VIDEO}.videoWidth; canvas.height = {VIDEO}.videoHeight;
  const pen = canvas.getContext('2d');
  pen.drawImage({VIDEO}, 0, 0);
  const all = pen.getImageData(0, 0, canvas.width, canvas.height).data.buffer;
  return new Set(new Uint32Array(all)).size;
}})()"""


@dataclass(frozen=True)
class Opened:
    """The site with everything in it, and a tab of the viewer."""

    site: site.Site
    viewer: Viewer
    client: httpx.Client

    def rendered(self, study: Study, number: int = 0, frame: int = 0) -> NDArray[np.int16]:
        """The picture that the archive makes of the image of that InstanceNumber, 0: the only one,
        or of one frame of it, from 1."""
        asked = {"InstanceNumber": str(number)} if number else {}
        (found,) = self.client.get(f"/studies/{study.uid}/instances", params=asked).json()
        series, sop = (found[tag]["Value"][0] for tag in ("0020000E", "00080018"))
        path = f"/studies/{study.uid}/series/{series}/instances/{sop}"
        path += "/rendered" if not frame else f"/frames/{frame}/rendered"
        answer = self.client.get(path, headers={"Accept": "image/png"})
        assert answer.status_code == 200, answer.text
        picture = Image.open(io.BytesIO(answer.content)).convert("RGB")
        return np.asarray(picture).astype(np.int16)

    def nothing_went_wrong(self) -> None:
        """No failed request, and nothing on the console but what is listed."""
        assert self.viewer.page.failures() == []
        assert [
            each
            for each in self.viewer.page.complaints()
            if not any(known in each for known in KNOWN_BUGS)
        ] == []


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[site.Site]:
    """The archive with one patient's studies, behind the viewer's own origin."""
    require(npm.missing(ohif.PACKAGE))
    with site.serving(
        tmp_path_factory.mktemp("ohif") / "data", ohif.files(), ohif.configuration()
    ) as served:
        with httpx.Client(base_url=served.dicomweb, timeout=60) as client:
            assert store(client, *patient.everything()).status_code == 200
        yield served


@pytest.fixture(scope="module")
def browser() -> Iterator[chromium.Browser]:
    require(chromium.missing())
    with chromium.running() as running:
        yield running


@pytest.fixture
def opened(archive: site.Site, browser: chromium.Browser) -> Iterator[Opened]:
    archive.requests.clear()
    page = browser.page()
    with httpx.Client(base_url=archive.dicomweb, timeout=60) as client:
        yield Opened(archive, Viewer(page, archive.url), client)
    page.close()


def test_the_list_of_studies_shows_each_study_once(opened: Opened) -> None:
    opened.viewer.list_studies()

    for study in (*patient.MINE, patient.NOT_MINE):
        opened.viewer.page.until(f"document.body.innerText.includes('{study.description}')")
    text = opened.viewer.page.evaluate("document.body.innerText")
    assert text.count(patient.CHEST.description) == 1
    opened.nothing_went_wrong()


def test_a_ct_is_a_stack_that_looks_as_the_archive_renders_it(opened: Opened) -> None:
    opened.viewer.open(patient.CHEST.uid)

    first = opened.viewer.position()
    seen = opened.viewer.image(patient.SIDE, patient.SIDE)
    assert close(seen, opened.rendered(patient.CHEST, first[0]))
    opened.viewer.next_image()
    then = opened.viewer.position()
    assert then[0] != first[0]
    seen = opened.viewer.image(patient.SIDE, patient.SIDE)
    assert close(seen, opened.rendered(patient.CHEST, then[0]))
    opened.nothing_went_wrong()


def test_an_echocardiogram_is_a_loop_of_its_frames(opened: Opened) -> None:
    opened.viewer.open(patient.HEART_ECHO.uid)

    _, place = opened.viewer.position()
    seen = opened.viewer.image(240, 320)
    assert close(seen, opened.rendered(patient.HEART_ECHO, frame=place))
    opened.viewer.next_image()
    seen = opened.viewer.image(240, 320)
    assert close(seen, opened.rendered(patient.HEART_ECHO, frame=place + 1))
    opened.nothing_went_wrong()


def test_a_photograph_is_shown_in_its_colours(opened: Opened) -> None:
    opened.viewer.open(patient.FOREARM.uid)

    wanted = opened.rendered(patient.FOREARM)
    assert close(opened.viewer.image(*wanted.shape[:2]), wanted)
    opened.nothing_went_wrong()


def test_a_video_plays(opened: Opened) -> None:
    opened.viewer.open(patient.COLON_VIDEO.uid)

    page = opened.viewer.page
    page.until(f"{VIDEO}.readyState >= 2")
    assert page.evaluate(f"[{VIDEO}.videoWidth, {VIDEO}.videoHeight]") == [
        patient.MOVING_COLUMNS,
        patient.MOVING_ROWS,
    ]
    page.evaluate(f"{VIDEO}.play()")
    page.until(f"{VIDEO}.currentTime > 0.5")
    assert page.evaluate(COLOURS) > 100
    answers = {status for status, _, url in page.responses() if "/rendered" in url}
    assert answers == {206}
    opened.nothing_went_wrong()


def test_a_letter_is_shown_as_pdf(opened: Opened) -> None:
    opened.viewer.open(patient.LETTER.uid)

    place = opened.viewer.page.until("document.querySelector('object[type*=pdf]').data")
    begins = f"fetch({place!r}).then(got => got.text()).then(text => text.slice(0, 5))"
    assert opened.viewer.page.evaluate(begins) == "%PDF-"
    opened.nothing_went_wrong()


def test_beside_a_study_stand_those_of_the_same_patient_only(opened: Opened) -> None:
    opened.viewer.open(patient.CHEST.uid)

    by_date = sorted(patient.MINE, key=lambda study: study.date, reverse=True)
    assert [line.split(" ", 1)[1] for line in opened.viewer.sidebar()] == [
        study.description for study in by_date
    ]
    opened.nothing_went_wrong()


def test_an_ecg_is_drawn_with_twelve_traces(opened: Opened) -> None:
    opened.viewer.open(patient.HEART_ECG.uid)

    canvas = opened.viewer.drawn()
    white = canvas.min(axis=2) > 200
    beside_the_names = white[:, int(white.shape[1] * 0.25) : int(white.shape[1] * 0.5)]
    assert traces(beside_the_names) == LEADS
    opened.nothing_went_wrong()


def traces(white: NDArray[np.bool_]) -> int:
    """How many separate lines cross most columns of a picture."""
    starts = np.diff(white.astype(np.int8), axis=0, prepend=0) == 1
    return int(np.median(starts.sum(axis=0)))


def close(seen: NDArray[np.int16], wanted: NDArray[np.int16]) -> bool:
    """Whether a canvas shows a picture: it is drawn between its pixels, which blurs edges."""
    difference = np.abs(seen - wanted)
    print("difference", difference.mean(), np.percentile(difference, 99))
    return bool(difference.mean() < 4)

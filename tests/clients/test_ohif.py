"""OHIF in a browser opens what the archive holds, and shows what the archive renders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.clients import ohif, patient, site
from tests.clients.ohif import Viewer
from tests.dicomweb.wire import store
from tests.peers import chromium, npm
from tests.peers.require import require

# What OHIF 3.13.2 does wrong by itself, whatever the server: none that these studies meet.
KNOWN_BUGS: tuple[str, ...] = ()
LEADS = 12


@dataclass(frozen=True)
class Opened:
    """The site with everything in it, and a tab of the viewer."""

    site: site.Site
    viewer: Viewer
    client: httpx.Client

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

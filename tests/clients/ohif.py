"""OHIF as npm has it: its built files, with another configuration only."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.peers import npm
from tests.peers.chromium import Page

PACKAGE = "@ohif/app"
DOCUMENTED = npm.ROOT / "docs" / "viewers.md"
VIEWPORT = "[data-cy=viewport-pane]"
# "I:8 (1/8)"; a stack that is still loading has no length
SHOWN = (
    "document.querySelector('[data-cy=viewport-overlay-bottom-right]')"
    ".innerText.match(/\\d+\\s*\\(\\d+\\/[1-9]\\d*\\)/)"
)
DATE = re.compile(r"\d\d-[A-Z][a-z]{2}-\d{4}")


def files() -> Path:
    """The folder of the built viewer."""
    return npm.folder(PACKAGE) / "dist"


def configuration() -> dict[str, str | bytes]:
    """What docs/viewers.md tells the viewer, by the path it asks for."""
    (written,) = re.findall(r"^```js\n(.*?)^```", DOCUMENTED.read_text(), re.DOTALL | re.MULTILINE)
    return {"/app-config.js": written}


class Viewer:
    """A tab with the viewer in it. `url`: of the site that serves it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self._url = page, url
        page.call(
            "Page.addScriptToEvaluateOnNewDocument",
            source="localStorage.setItem('shownTours', '[\"basicViewerTour\"]')",
        )

    def list_studies(self) -> None:
        """Open the list of studies."""
        self.page.open(f"{self._url}/")

    def open(self, study_uid: str) -> None:
        """Open a study and wait until its first series stands in the viewport."""
        self.page.open(f"{self._url}/viewer?StudyInstanceUIDs={study_uid}")
        self.page.until(f"document.querySelector({json.dumps(VIEWPORT)}).innerText.trim()")

    def sidebar(self) -> list[str]:
        """What the list of the patient's studies says, in order: date and description of each."""
        lines = self.page.until(
            "document.querySelector('[data-cy=studyBrowser-panel]').innerText"
        ).split("\n")
        return [
            f"{line} {lines[number + 1]}"
            for number, line in enumerate(lines[:-1])
            if DATE.fullmatch(line)
        ]

    def drawn(self) -> NDArray[np.int16]:
        """The canvas as RGB, once there is more than one colour on it."""
        url = self.page.until(
            """(() => {
              const canvas = document.querySelector('canvas.cornerstone-canvas');
              const pen = canvas.getContext('2d', { willReadFrequently: true });
              const all = new Uint32Array(
                pen.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
              return all.some(each => each !== all[0]) && canvas.toDataURL('image/png');
            })()"""
        )
        return _rgb(base64.b64decode(url.partition(",")[2]))

    def image(self, rows: int, columns: int) -> NDArray[np.int16]:
        """The canvas at the middle of every pixel of an image that is fitted into it."""
        canvas = self.drawn()
        height, width = canvas.shape[:2]
        scale = min(height / rows, width / columns)
        y = (height - scale * rows) / 2 + scale * (np.arange(rows) + 0.5)
        x = (width - scale * columns) / 2 + scale * (np.arange(columns) + 0.5)
        return canvas[np.ix_(y.astype(int), x.astype(int))]

    def position(self) -> tuple[int, int]:
        """InstanceNumber of the image that is shown, and its place in the stack from 1."""
        text = self.page.until(f"{SHOWN} && {SHOWN}[0]")
        number, place = re.findall(r"\d+", text)[:2]
        return int(number), int(place)

    def next_image(self) -> None:
        """Turn the wheel by one image and wait until the viewer says that it shows the next."""
        _, place = self.position()
        x, y = self.page.evaluate(
            f"""(() => {{
              const box = document.querySelector({json.dumps(VIEWPORT)}).getBoundingClientRect();
              return [box.x + box.width / 2, box.y + box.height / 2];
            }})()"""
        )
        self.page.call(
            "Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=100
        )
        self.page.until(f"{SHOWN}[0].includes('({place + 1}/')")


def _rgb(png: bytes) -> NDArray[np.int16]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(np.int16)

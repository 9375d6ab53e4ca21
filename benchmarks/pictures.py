"""The questions about single images: rendered, decoded, as stored; and what is a right answer."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.ct import Slice
from benchmarks.questions import ask, fetched, once
from benchmarks.servers import Server

RENDERED = {"Accept": "image/jpeg"}
# Named in the request, as Orthanc renders in the image's own window only when it is told.
WINDOW = "window=40,400,linear"
# Octets without a transfer syntax are native (PS3.18 §8.7.3.5.2).
NATIVE = {"Accept": 'multipart/related; type="application/octet-stream"'}
AS_STORED = {"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'}
JPEG_LEVELS = 4.0  # of 256 on average: two encoders at different quality, on noise

Figures = dict[str, float]


def rendered_and_stored(server: Server, slices: Sequence[Slice]) -> Figures:
    """Answers per second to each question, after the answers are known to be right.

    "first": every image once, none of them asked for before; "again": a few images in turn.
    """
    rendered = [f"{each.path}/frames/1/rendered?{WINDOW}" for each in slices]
    stored = [each.path for each in slices]
    _right(server, rendered[0], RENDERED, lambda body: _shows(body, slices[0]))
    _right(server, stored[0], AS_STORED, lambda body: slices[0].pixels in body)
    return {
        "rendered CT frame, first": once(server, rendered[1:], RENDERED),
        "rendered CT frame, again": ask(server, rendered[1:9], RENDERED),
        "instance as stored": ask(server, stored, AS_STORED),
    }


def decoded(server: Server, slices: Sequence[Slice]) -> Figures:
    """The same of JPEG 2000 frames that are wanted native."""
    frames = [f"{each.path}/frames/1" for each in slices]
    figures = {
        "JPEG 2000 to native frame, first": once(server, frames[1:], NATIVE),
        "JPEG 2000 to native frame, again": ask(server, frames[1:9], NATIVE),
    }
    _right(server, frames[0], NATIVE, lambda body: slices[0].pixels in body)
    return figures


def _right(
    server: Server, path: str, headers: dict[str, str], right: Callable[[bytes], bool]
) -> None:
    if not right(fetched(server, path, headers)):
        raise RuntimeError(f"{server.name} answers {path} with something else")


def _shows(body: bytes, one: Slice) -> bool:
    """Whether a JPEG is the slice in the window: centre 40, width 400 (PS3.3 §C.11.2.1.2.1)."""
    shown = np.asarray(Image.open(io.BytesIO(body)).convert("L")).astype(float)
    stored = np.frombuffer(one.pixels, "<u2").reshape(512, 512).astype(float) - 1024
    wanted: NDArray[np.float64] = (((stored - 39.5) / 399 + 0.5) * 255).clip(0, 255)
    return shown.shape == wanted.shape and bool(np.abs(shown - wanted).mean() < JPEG_LEVELS)

"""Neutral pictures that stand for what is not shown small: a video, a document, a report.

They say what kind of thing it is and nothing of what is in it: no thumbnail names a patient.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from PIL import Image, ImageDraw

Size = tuple[int, int]
_GROUND, _PAPER, _INK = (38, 50, 56), (236, 239, 241), (120, 144, 156)
_SIDE = 512  # drawn at this size, then made smaller: smooth lines
LARGEST_SIDE = 2048
KINDS = ("image", "presentation", "video", "document", "report", "waveform", "other")


def poster(facts: dict[str, Any], blobs: list[bytes]) -> tuple[dict[str, Any], bytes]:
    """The task. `facts`: `kind` (of `KINDS`), `size` (width, height) in pixels, `media_type` of
    JPEG, PNG or GIF."""
    width, height = (max(1, min(LARGEST_SIDE, each)) for each in facts["size"])
    side = min(width, height)
    drawn = Image.new("RGB", (_SIDE, _SIDE), _GROUND)
    _DRAWN[facts["kind"]](ImageDraw.Draw(drawn))
    image = Image.new("RGB", (width, height), _GROUND)
    small = drawn.resize((side, side), Image.Resampling.LANCZOS)
    image.paste(small, ((width - side) // 2, (height - side) // 2))
    file = io.BytesIO()
    format = {"image/png": "PNG", "image/gif": "GIF"}.get(facts["media_type"], "JPEG")
    image.save(file, format, **({"quality": 90} if format == "JPEG" else {}))
    return {"columns": width, "rows": height}, file.getvalue()


def _video(pen: ImageDraw.ImageDraw) -> None:
    pen.ellipse((96, 96, 416, 416), outline=_PAPER, width=20)
    pen.polygon([(212, 172), (212, 340), (356, 256)], fill=_PAPER)


def _page(pen: ImageDraw.ImageDraw) -> None:
    pen.polygon([(128, 64), (320, 64), (384, 128), (384, 448), (128, 448)], fill=_PAPER)
    pen.polygon([(320, 64), (320, 128), (384, 128)], fill=_INK)


def _document(pen: ImageDraw.ImageDraw) -> None:
    _page(pen)
    for row in range(5):
        y = 184 + row * 48
        pen.rectangle((168, y, 344 if row < 4 else 264, y + 14), fill=_INK)


def _report(pen: ImageDraw.ImageDraw) -> None:
    _page(pen)
    for row in range(5):
        y, indent = 184 + row * 48, (0, 32, 64, 32, 0)[row]
        pen.ellipse((168 + indent, y, 184 + indent, y + 16), fill=_INK)
        pen.rectangle((200 + indent, y + 1, 344, y + 15), fill=_INK)


def _waveform(pen: ImageDraw.ImageDraw) -> None:
    points = [(32, 272), (152, 272), (176, 240), (200, 272), (224, 272), (240, 304), (264, 112),
              (288, 352), (304, 272), (344, 272), (376, 232), (408, 272), (480, 272)]  # fmt: skip
    pen.line(points, fill=_PAPER, width=14, joint="curve")


def _image(pen: ImageDraw.ImageDraw) -> None:
    pen.rounded_rectangle((80, 96, 432, 416), 24, outline=_PAPER, width=16)
    pen.polygon([(112, 384), (216, 232), (288, 328), (336, 272), (400, 384)], fill=_PAPER)
    pen.ellipse((304, 152, 360, 208), fill=_INK)


def _other(pen: ImageDraw.ImageDraw) -> None:
    pen.rounded_rectangle((112, 112, 400, 400), 24, outline=_PAPER, width=16)
    for at in (192, 256, 320):
        pen.ellipse((at - 16, 240, at + 16, 272), fill=_PAPER)


_DRAWN: dict[str, Callable[[ImageDraw.ImageDraw], None]] = {
    "image": _image,
    "presentation": _image,
    "video": _video,
    "document": _document,
    "report": _report,
    "waveform": _waveform,
    "other": _other,
}

"""Who and what a picture shows, written on it (PS3.18 §8.3.5.1.1)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw

from vna.dicom.item import Item
from vna.render.image.asked import PATIENT, TECHNIQUE
from vna.render.image.gray import Levels
from vna.render.image.voi import Window
from vna.render.waveform.lettering import font, legible

_PATIENT = (0x00100010, 0x00100020, 0x00100030, 0x00100040)  # name, ID, birth date, sex
_TECHNIQUE = (
    ("", 0x00080060),  # Modality
    ("", 0x00081030),  # Study Description
    ("", 0x0008103E),  # Series Description
    ("", 0x00080020),  # Study Date
    ("Image ", 0x00200013),
    ("", 0x00200062),  # Image Laterality
    ("View ", 0x00185101),
    ("Slice mm ", 0x00180050),
    ("kVp ", 0x00180060),
    ("mAs ", 0x00181152),
    ("TR ms ", 0x00180080),
    ("TE ms ", 0x00180081),
)
_LINES = 48  # that would fill the height of the picture
_SMALLEST, _LARGEST = 9.0, 28.0  # pixels


def annotated(
    levels: Levels, item: Item, words: tuple[str, ...], *, number: int, window: Window | None
) -> Levels:
    """The picture with patient data in its upper left and technical data in its lower left corner.

    Raises `NotAcceptable` where they cannot be written with the letters that there are.
    """
    image = Image.fromarray(levels)
    pen = ImageDraw.Draw(image)
    height = min(_LARGEST, max(_SMALLEST, image.height / _LINES))
    if PATIENT in words:
        _write(pen, "\n".join(_of_patient(item)), height, 0)
    if TECHNIQUE in words:
        text = "\n".join(_of_technique(item, number, window))
        _write(pen, text, height, image.height)
    return np.asarray(image)


def _of_patient(item: Item) -> Iterator[str]:
    for tag in _PATIENT:
        if text := item.text(tag):
            name = text.split("=")[0].replace("^", " ").strip() or text.split("=")[-1]
            yield legible(name if tag == _PATIENT[0] else text)


def _of_technique(item: Item, number: int, window: Window | None) -> Iterator[str]:
    for said, tag in _TECHNIQUE:
        if text := item.text(tag):
            yield legible(said + text)
    if item.has(0x00280008):
        yield f"Frame {number}"
    if window is not None:
        yield f"Window {window.center:g} / {window.width:g}"


def _write(pen: ImageDraw.ImageDraw, text: str, height: float, bottom: int) -> None:
    white, black = ((255,) * 3, (0,) * 3) if pen.mode == "RGB" else (255, 0)
    edge = max(1, round(height / 10))
    y = 4.0
    if bottom:
        y = bottom - 4 - pen.multiline_textbbox((0, 0), text, font=font(height))[3]
    pen.multiline_text(
        (4, y), text, fill=white, font=font(height), stroke_width=edge, stroke_fill=black
    )

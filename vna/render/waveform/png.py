"""A sheet as a picture at a stated resolution, which the picture says (PNG by its pHYs chunk)."""

from __future__ import annotations

import io
import math

from PIL import Image, ImageDraw

from vna.render.waveform.lettering import font, legible
from vna.render.waveform.sheet import COARSE, COARSE_MM, FINE, FINE_MM, INK, TRACE_MM, Grid, Sheet

DPI = 150
FINER = 3  # traces are drawn this much larger and made smaller again: smooth lines


def png(sheet: Sheet, dpi: int = DPI) -> bytes:
    """RGB; 1 mm is dpi / 25.4 pixels."""
    file = io.BytesIO()
    _image(sheet, dpi).save(file, "PNG", dpi=(dpi, dpi), compress_level=6)
    return file.getvalue()


def jpeg(sheet: Sheet, dpi: int = DPI, quality: int = 90) -> bytes:
    """As `png`, for those who take nothing else; its JFIF header says the resolution."""
    file = io.BytesIO()
    _image(sheet, dpi).save(file, "JPEG", dpi=(dpi, dpi), quality=quality, subsampling=0)
    return file.getvalue()


def _image(sheet: Sheet, dpi: int) -> Image.Image:
    unit = dpi / 25.4
    size = (round(sheet.width * unit), round(sheet.height * unit))
    image = Image.new("RGB", size, (255, 255, 255))
    pen = ImageDraw.Draw(image)
    _lines(pen, sheet.grid, 1, unit, FINE, FINE_MM)
    _lines(pen, sheet.grid, 5, unit, COARSE, COARSE_MM)
    grid = sheet.grid
    box = (round(grid.left * unit), round(grid.top * unit),
           round(grid.right * unit), round(grid.bottom * unit))  # fmt: skip
    image.paste(INK, box, _traces(sheet, unit, box))
    for text in sheet.texts:
        pen.text(
            (text.x * unit, text.y * unit), legible(text.text), INK, font(text.size * unit), "ls"
        )
    return image


def _traces(sheet: Sheet, unit: float, box: tuple[int, int, int, int]) -> Image.Image:
    """How much ink is on each pixel of the grid."""
    left, top, right, bottom = box
    mask = Image.new("L", ((right - left) * FINER, (bottom - top) * FINER))
    pen = ImageDraw.Draw(mask)
    width = max(1, round(TRACE_MM * unit * FINER))
    for stroke in sheet.strokes:
        for run in stroke.runs:
            points = ((run * unit - (left, top)) * FINER).tolist()
            pen.line([(x, y) for x, y in points], 255, width, "curve" if width > 3 else None)
    return mask.reduce(FINER)


def _lines(
    pen: ImageDraw.ImageDraw,
    grid: Grid,
    step: int,
    unit: float,
    color: tuple[int, int, int],
    width: float,
) -> None:
    pixels = max(1, math.floor(width * unit + 0.5))
    for x in range(grid.left, grid.right + 1, step):
        at = round(x * unit)
        pen.line((at, round(grid.top * unit), at, round(grid.bottom * unit)), color, pixels)
    for y in range(grid.top, grid.bottom + 1, step):
        at = round(y * unit)
        pen.line((round(grid.left * unit), at, round(grid.right * unit), at), color, pixels)

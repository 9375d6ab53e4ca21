"""Sheets as a PDF at true scale: 72 points are 25.4 mm."""

from __future__ import annotations

import io
from collections.abc import Iterable

from reportlab.pdfgen.canvas import Canvas

from vna.render.waveform.lettering import PDF_FONT, legible, register
from vna.render.waveform.sheet import (
    COARSE,
    COARSE_MM,
    FINE,
    FINE_MM,
    INK,
    TRACE_MM,
    Grid,
    Sheet,
)

POINT = 72 / 25.4  # points in a millimetre


def pdf(sheets: Iterable[Sheet]) -> bytes:
    """One page for each sheet; the same bytes for the same sheets."""
    register()
    file = io.BytesIO()
    canvas = Canvas(file, invariant=1, pageCompression=1)
    canvas.setTitle("Waveform")
    for sheet in sheets:
        canvas.setPageSize((sheet.width * POINT, sheet.height * POINT))
        canvas.saveState()
        # millimetres from the upper left corner
        canvas.transform(POINT, 0, 0, -POINT, 0, sheet.height * POINT)
        _page(canvas, sheet)
        canvas.restoreState()
        _texts(canvas, sheet)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def _page(canvas: Canvas, sheet: Sheet) -> None:
    grid = sheet.grid
    _lines(canvas, grid, 1, FINE, FINE_MM)
    _lines(canvas, grid, 5, COARSE, COARSE_MM)
    clip = canvas.beginPath()
    clip.rect(grid.left, grid.top, grid.right - grid.left, grid.bottom - grid.top)
    canvas.clipPath(clip, stroke=0, fill=0)
    _pen(canvas, INK, TRACE_MM)
    canvas.setLineJoin(1)
    for stroke in sheet.strokes:
        path = canvas.beginPath()
        for run in stroke.runs:
            first, *rest = run.tolist()
            path.moveTo(*first)
            for point in rest or [first]:  # a lone sample is a dot
                path.lineTo(*point)
        canvas.drawPath(path, stroke=1, fill=0)


def _texts(canvas: Canvas, sheet: Sheet) -> None:
    for text in sheet.texts:
        canvas.setFont(PDF_FONT, text.size * POINT)
        y = (sheet.height - text.y) * POINT
        canvas.drawString(text.x * POINT, y, legible(text.text))


def _lines(
    canvas: Canvas, grid: Grid, step: int, color: tuple[int, int, int], width: float
) -> None:
    _pen(canvas, color, width)
    path = canvas.beginPath()
    for x in range(grid.left, grid.right + 1, step):
        path.moveTo(x, grid.top)
        path.lineTo(x, grid.bottom)
    for y in range(grid.top, grid.bottom + 1, step):
        path.moveTo(grid.left, y)
        path.lineTo(grid.right, y)
    canvas.drawPath(path, stroke=1, fill=0)


def _pen(canvas: Canvas, color: tuple[int, int, int], width: float) -> None:
    canvas.setStrokeColorRGB(*(each / 255 for each in color))
    canvas.setLineWidth(width)

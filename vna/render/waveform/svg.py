"""A sheet as SVG: one user unit is one millimetre."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from vna.render.waveform.sheet import (
    COARSE,
    COARSE_MM,
    FINE,
    FINE_MM,
    INK,
    TRACE_MM,
    Grid,
    Points,
    Sheet,
)

# Characters that no XML document may hold (XML 1.0 §2.2).
_NOT_XML: Mapping[int, str] = dict.fromkeys(
    [*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF, *range(0xD800, 0xE000)], "\ufffd"
)


def svg(sheet: Sheet) -> bytes:
    """UTF-8; every stroke is one path whose `data-` attributes say what it shows."""
    return "".join(_document(sheet)).encode()


def _document(sheet: Sheet) -> Iterator[str]:
    width, height, grid = sheet.width, sheet.height, sheet.grid
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{height}mm" '
        f'viewBox="0 0 {width} {height}">\n'
        f'<rect width="{width}" height="{height}" fill="#fff"/>\n'
    )
    yield _lines(grid, 1, FINE, FINE_MM)
    yield _lines(grid, 5, COARSE, COARSE_MM)
    yield (
        f'<clipPath id="grid"><rect x="{grid.left}" y="{grid.top}" '
        f'width="{grid.right - grid.left}" height="{grid.bottom - grid.top}"/></clipPath>\n'
        f'<g clip-path="url(#grid)" fill="none" stroke="{_color(INK)}" '
        f'stroke-width="{TRACE_MM}" stroke-linejoin="round">\n'
    )
    for stroke in sheet.strokes:
        facts = "".join(f' data-{name}="{_text(value)}"' for name, value in stroke.facts)
        yield f'<path{facts} d="{"".join(map(_run, stroke.runs))}"/>\n'
    yield f'</g>\n<g fill="{_color(INK)}" font-family="sans-serif" xml:space="preserve">\n'
    for text in sheet.texts:
        yield (
            f'<text x="{text.x:g}" y="{text.y:g}" font-size="{text.size:g}">{_text(text.text)}'
            "</text>\n"
        )
    yield "</g>\n</svg>\n"


def _lines(grid: Grid, step: int, color: tuple[int, int, int], width: float) -> str:
    down = (f"M{x} {grid.top}V{grid.bottom}" for x in range(grid.left, grid.right + 1, step))
    across = (f"M{grid.left} {y}H{grid.right}" for y in range(grid.top, grid.bottom + 1, step))
    path = "".join((*down, *across))
    return f'<path fill="none" stroke="{_color(color)}" stroke-width="{width}" d="{path}"/>\n'


def _run(points: Points) -> str:
    pairs = [f"{x:.3f} {y:.3f}" for x, y in points.tolist()]
    if len(pairs) == 1:
        pairs *= 2  # a lone sample is a dot
    return "M" + "L".join(pairs)


def _text(text: str) -> str:
    return escape(text.translate(_NOT_XML))


def _color(color: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)

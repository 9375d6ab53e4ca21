"""The one font of paper and pictures: Bitstream Vera, which comes with reportlab.

It has the Latin alphabets of western Europe. What it lacks is not drawn as something else.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import reportlab
from PIL import ImageFont
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from vna.errors import NotAcceptable

PDF_FONT = "Vera"
_FILE = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"
_INSTEAD = str.maketrans({"μ": "µ", "\u00a0": " ", "\t": " "})


def legible(text: str) -> str:
    """`text` as the font can write it. Raises `NotAcceptable` (PS3.18 §8.7.4: where not all of it
    can be shown) with what has every letter."""
    text = "".join(each for each in text.translate(_INSTEAD) if each.isprintable())
    if not all(ord(each) in _letters() for each in text):
        raise NotAcceptable(
            "the text has letters that PNG and PDF lack here; image/svg+xml has all of them"
        )
    return text


def register() -> None:
    """Make the font known to reportlab."""
    if PDF_FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont(PDF_FONT, str(_FILE)))


@lru_cache(maxsize=16)
def font(pixels: float) -> ImageFont.FreeTypeFont:
    """The font for Pillow, `pixels` high."""
    return ImageFont.truetype(str(_FILE), pixels)


@lru_cache(maxsize=1)
def _letters() -> frozenset[int]:
    return frozenset(TTFont(PDF_FONT, str(_FILE)).face.charToGlyph)

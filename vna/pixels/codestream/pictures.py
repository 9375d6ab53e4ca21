"""PNG and GIF: the first chunk and the screen descriptor (ISO/IEC 15948 §11.2.2, GIF89a)."""

from __future__ import annotations

from struct import unpack_from

from vna.errors import MalformedObject
from vna.pixels.codestream.info import CodestreamInfo, Colour, Format

PNG = b"\x89PNG\r\n\x1a\n"
GIF = b"GIF8"

_PNG_COLOURS = {
    0: (1, Colour.GRAY),
    2: (3, Colour.RGB),
    3: (1, Colour.PALETTE),
    4: (2, Colour.GRAY),
    6: (4, Colour.RGB),
}


def read_png(data: bytes) -> CodestreamInfo:
    """Of an animated PNG, its first picture."""
    kind, columns, rows, bits, colour = unpack_from(">4sIIBB", data, 12)
    if kind != b"IHDR" or colour not in _PNG_COLOURS or not rows or not columns:
        raise MalformedObject("the PNG has no image header")
    samples, meaning = _PNG_COLOURS[colour]
    return CodestreamInfo(
        Format.PNG, rows, columns, samples, bits, lossless=True, colour=meaning, length=len(data)
    )


def read_gif(data: bytes) -> CodestreamInfo:
    """The logical screen; how many pictures follow is not counted."""
    columns, rows, flags = unpack_from("<HHB", data, 6)
    if not rows or not columns:
        raise MalformedObject("the GIF has no area")
    return CodestreamInfo(
        Format.GIF,
        rows,
        columns,
        1,
        (flags >> 4 & 7) + 1,
        lossless=True,
        colour=Colour.PALETTE,
        frames=0,
        length=len(data),
    )

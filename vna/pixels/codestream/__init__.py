"""What a compressed image says of itself, read from its first bytes; nothing is decoded.

Formats: JPEG (ISO/IEC 10918-1), JPEG-LS (14495-1), JPEG 2000 and HTJ2K (15444-1, -15), JPEG XL
(18181-1), PNG and GIF.
"""

from __future__ import annotations

from struct import error as out_of_data

from vna.errors import MalformedObject
from vna.pixels.codestream import boxes, jpeg, jpeg_2000, jpeg_xl, pictures
from vna.pixels.codestream.info import CodestreamInfo, Colour, Format

__all__ = ["CodestreamInfo", "Colour", "Format", "read_codestream"]

_READERS = (
    (jpeg.START, jpeg.read),
    (jpeg_2000.START, jpeg_2000.read),
    (boxes.JP2, jpeg_2000.read_boxes),
    (jpeg_xl.START, jpeg_xl.read),
    (boxes.JXL, jpeg_xl.read_boxes),
    (pictures.PNG, pictures.read_png),
    (pictures.GIF, pictures.read_gif),
)


def read_codestream(data: bytes) -> CodestreamInfo:
    """The facts of the image that `data` are; its format is told by how they begin.

    The header must be in `data`, the rest need not.  Raises `MalformedObject` where they begin as
    no known format, or where the header breaks off or contradicts itself.
    """
    for start, read in _READERS:
        if data.startswith(start):
            try:
                return read(data)
            except (IndexError, out_of_data) as error:
                raise MalformedObject("the codestream breaks off in its header") from error
    raise MalformedObject("the bytes begin as no codestream that is known")

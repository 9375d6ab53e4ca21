"""A picture put together from stored tiles: what the decoders' pool does for a slide."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from PIL import Image

from vna.errors import MalformedObject, Undecodable
from vna.pixels.codestream import Colour, Format, read_codestream
from vna.pixels.decode import decode
from vna.pixels.description import PixelDescription

LARGEST_CANVAS = 40_000_000  # pixels
JPEG_QUALITY = 85
GROUND = (255, 255, 255)  # where no tile was scanned


def compose(facts: dict[str, Any], blobs: list[bytes]) -> tuple[dict[str, Any], bytes]:
    """The task. `facts`: those of the view, and `sources`: transfer syntax and description of each
    tile; `blobs`: the tiles. Raises `Undecodable`."""
    shrink = _shrink(facts)
    left, top, right, bottom = (each / shrink for each in facts["box"])
    begin = math.floor(left), math.floor(top)
    columns, rows = math.ceil(right) - begin[0], math.ceil(bottom) - begin[1]
    if columns * rows > LARGEST_CANVAS:
        raise Undecodable("the picture would need too many pixels of the slide")
    canvas = Image.new("RGB", (columns, rows), GROUND)
    for blob, (x, y), source in zip(blobs, facts["places"], facts["sources"], strict=True):
        tile = picture(blob, *source)
        if shrink > 1:
            tile = tile.reduce(shrink)
        canvas.paste(tile, (x // shrink - begin[0], y // shrink - begin[1]))
    _stretch_edges(
        canvas,
        *(limit // shrink - first for limit, first in zip(facts["limit"], begin, strict=True)),
    )
    size = tuple(facts["size"])
    if canvas.size != size or not facts["exact"]:
        box = (left - begin[0], top - begin[1],
               min(right - begin[0], columns), min(bottom - begin[1], rows))  # fmt: skip
        canvas = canvas.resize(size, Image.Resampling.BOX, box)
    return {}, _written(_turned(canvas, facts), facts["quality"], facts["format"])


def shown_by_browsers(frame: bytes, photometric: str, size: tuple[int, int]) -> bool:
    """Whether a stored frame is a JPEG of (columns, rows) that every browser shows in the right
    colours: what it says of its components, or what is believed where it says nothing, is so."""
    try:
        info = read_codestream(frame)
    except MalformedObject:
        return False
    baseline = info.format is Format.JPEG and info.bits == 8 and info.process in (0, 1, 2)
    if (info.columns, info.rows) != size:
        return False
    if info.samples == 1:
        return baseline and photometric == "MONOCHROME2"
    known = info.colour is not Colour.UNKNOWN or photometric.startswith("YBR_FULL")
    return baseline and info.samples == 3 and known


def picture(frame: bytes, syntax: str, facts: dict[str, Any]) -> Image.Image:
    """A frame as RGB. Gray of more than 8 bits is given by its highest 8."""
    description = PixelDescription.from_facts(facts)
    found = decode(frame, syntax, description)
    pixels, photometric = found.pixels, found.photometric
    if photometric in ("MONOCHROME1", "MONOCHROME2"):
        if description.signed or description.floating:
            raise Undecodable("a slide of signed samples is not shown")
        gray = (pixels >> max(0, description.stored - 8)).astype(np.uint8)
        if photometric == "MONOCHROME1":
            gray = 255 - gray
        return Image.fromarray(gray).convert("RGB")
    if pixels.dtype != np.uint8 or photometric not in ("RGB", "YBR_FULL"):
        raise Undecodable(f"a slide in {photometric} is not shown")
    if photometric == "RGB":
        return Image.fromarray(np.ascontiguousarray(pixels))
    size = (description.columns, description.rows)
    return Image.frombytes("YCbCr", size, np.ascontiguousarray(pixels).tobytes()).convert("RGB")


def _shrink(facts: dict[str, Any]) -> int:
    """How many times smaller each tile is made before they are put together: less than the picture
    is, and so that tiles still meet."""
    left, top, right, bottom = facts["box"]
    width, height = facts["size"]
    most = int(min((right - left) / width, (bottom - top) / height))
    places = [number for place in facts["places"] for number in place]
    shrink = 1
    while shrink * 2 <= most and not any(
        number % (shrink * 2) for number in (*places, *facts["tile"])
    ):
        shrink *= 2
    return shrink


def _stretch_edges(canvas: Image.Image, columns: int, rows: int) -> None:
    """Repeat the last column and row of the slide where the picture was rounded up beyond it: what
    a tile is filled up with is nothing to see."""
    if 0 < columns < canvas.width:
        last = canvas.crop((columns - 1, 0, columns, canvas.height))
        canvas.paste(last.resize((canvas.width - columns, canvas.height)), (columns, 0))
    if 0 < rows < canvas.height:
        last = canvas.crop((0, rows - 1, canvas.width, rows))
        canvas.paste(last.resize((canvas.width, canvas.height - rows)), (0, rows))


def _turned(image: Image.Image, facts: dict[str, Any]) -> Image.Image:
    if facts["mirrored"]:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    turn = {
        90: Image.Transpose.ROTATE_270,  # Pillow turns the other way
        180: Image.Transpose.ROTATE_180,
        270: Image.Transpose.ROTATE_90,
    }.get(facts["rotation"])
    return image if turn is None else image.transpose(turn)


def _written(image: Image.Image, quality: str, format: str) -> bytes:
    if quality == "gray":
        image = image.convert("L")
    elif quality == "bitonal":
        image = image.convert("L").point(lambda level: 255 if level > 127 else 0)
    file = io.BytesIO()
    if format == "png":
        image.save(file, "PNG", compress_level=3)
    else:
        image.save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return file.getvalue()

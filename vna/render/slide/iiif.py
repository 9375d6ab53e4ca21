"""The IIIF Image API 3.0: what a URL asks of a slide, and the document that describes it.

The slide claims level 0 and names what it does beyond: that is all of level 2 but for the CORS
header, which would show patients' slides to pages of any origin.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from vna.errors import InvalidValue
from vna.render.slide.pyramid import Pyramid

CONTEXT = "http://iiif.io/api/image/3/context.json"
MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png"}
QUALITIES = ("default", "color", "gray", "bitonal")
LARGEST_SIDE = 2048  # pixels of a picture
TILES_MOST = 400  # of the source that one picture may need
_FEATURES = [
    "baseUriRedirect", "jsonldMediaType", "mirroring", "regionByPct", "regionByPx",
    "regionSquare", "rotationBy90s", "sizeByConfinedWh", "sizeByH", "sizeByPct", "sizeByW",
    "sizeByWh",
]  # fmt: skip
_NUMBER = r"(\d{1,9}(?:\.\d{1,10})?)"
_PIXELS = re.compile(r"(?a)(\d{1,9}),(\d{1,9}),(\d{1,9}),(\d{1,9})")
_PERCENT = re.compile(rf"(?a)pct:{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}")
_SIZE = re.compile(rf"(?a)(?:max|pct:(?P<pct>{_NUMBER})|(?P<fit>!)?(?P<w>\d{{1,9}})?,"
                   rf"(?P<h>\d{{1,9}})?)")  # fmt: skip
_ROTATION = re.compile(r"(?a)(!)?(\d{1,3})(?:\.0*)?")


@dataclass(frozen=True, slots=True)
class Asked:
    """A picture. The region is in pixels of the largest level; the size is before rotation.
    `mirrored` before `rotation`, which is clockwise by 0, 90, 180 or 270 degrees."""

    left: int
    top: int
    columns: int
    rows: int
    width: int
    height: int
    mirrored: bool = False
    rotation: int = 0
    quality: str = "default"
    format: str = "jpg"


def parse(
    slide: Pyramid, region: str, size: str, rotation: str, quality: str, format: str
) -> Asked:
    """What the segments of a URL ask; raises `InvalidValue` for what is not possible."""
    left, top, columns, rows = _region(slide, region)
    width, height = _size(size, columns, rows)
    turn = _ROTATION.fullmatch(rotation)
    if turn is None or int(turn[2]) not in (0, 90, 180, 270, 360):
        raise InvalidValue("rotation", rotation, "be 0, 90, 180 or 270, with ! before for mirrored")
    if quality not in QUALITIES:
        raise InvalidValue("quality", quality, f"be one of {', '.join(QUALITIES)}")
    if format not in MEDIA_TYPES:
        raise InvalidValue("format", format, "be jpg or png")
    return Asked(left, top, columns, rows, width, height, turn[1] is not None,
                 int(turn[2]) % 360, quality, format)  # fmt: skip


def _region(slide: Pyramid, region: str) -> tuple[int, int, int, int]:
    if region == "full":
        return 0, 0, slide.columns, slide.rows
    if region == "square":
        side = min(slide.columns, slide.rows)
        return (slide.columns - side) // 2, (slide.rows - side) // 2, side, side
    pixels, percent = _PIXELS.fullmatch(region), _PERCENT.fullmatch(region)
    if pixels is not None:
        left, top, columns, rows = map(int, pixels.groups())
    elif percent is not None:
        parts = [float(each) / 100 for each in percent.groups()]
        whole = (slide.columns, slide.rows) * 2
        left, top, columns, rows = (round(a * b) for a, b in zip(parts, whole, strict=True))
    else:
        raise InvalidValue("region", region, "be full, square, x,y,w,h or pct:x,y,w,h")
    columns, rows = min(columns, slide.columns - left), min(rows, slide.rows - top)
    if columns <= 0 or rows <= 0:
        raise InvalidValue("region", region, "lie in the picture and have a size")
    return left, top, columns, rows


def _size(size: str, columns: int, rows: int) -> tuple[int, int]:
    if size.startswith("^"):
        raise InvalidValue("size", size, "not be larger than the region: ^ is not supported")
    found = _SIZE.fullmatch(size)
    if found is None or size in (",", "!,") or (found["fit"] and not (found["w"] and found["h"])):
        raise InvalidValue("size", size, "be max, w, or ,h or pct:n or w,h or !w,h")
    if size == "max":
        width, height = _fitting(columns, rows, LARGEST_SIDE, LARGEST_SIDE)
    elif found["fit"]:
        width, height = _fitting(columns, rows, int(found["w"]), int(found["h"]))
    elif found["pct"]:
        width, height = (_side(each * float(found["pct"]) / 100) for each in (columns, rows))
    elif found["h"] is None:
        width = int(found["w"])
        height = _side(rows * width / columns)
    elif found["w"] is None:
        height = int(found["h"])
        width = _side(columns * height / rows)
    else:
        width, height = int(found["w"]), int(found["h"])
    if not (0 < width <= columns and 0 < height <= rows):
        raise InvalidValue("size", size, "have pixels, and not more than the region")
    if max(width, height) > LARGEST_SIDE:
        raise InvalidValue("size", size, f"be at most {LARGEST_SIDE} pixels on either side")
    return width, height


def _fitting(columns: int, rows: int, width: int, height: int) -> tuple[int, int]:
    """As large as may be, but for what the region has and the server makes."""
    width, height = min(width, LARGEST_SIDE), min(height, LARGEST_SIDE)
    shrink = min(1.0, width / columns, height / rows)
    return (0, 0) if shrink == 0 else (_side(columns * shrink), _side(rows * shrink))


def _side(pixels: float) -> int:
    return max(1, round(pixels))


def tile_side(slide: Pyramid) -> tuple[int, int]:
    """Width and height of the tiles that viewers should ask for: the stored ones of the largest
    level, where they are of a useful size."""
    base = slide.levels[0]
    return min(base.tile_columns, LARGEST_SIDE), min(base.tile_rows, LARGEST_SIDE)


def scale_factors(slide: Pyramid) -> list[int]:
    """1, 2, 4 … until the whole slide is one tile, and the factors of its own levels; none at which
    a tile would need more than `TILES_MOST` stored ones."""
    width, height = tile_side(slide)
    factors = {1} | {factor for level in slide.levels if (factor := slide.factor(level))}
    factor = 1
    while width * factor < slide.columns or height * factor < slide.rows:
        factor *= 2
        factors.add(factor)
    smallest = slide.levels[-1]
    across = width / smallest.tile_columns * smallest.columns / slide.columns
    down = height / smallest.tile_rows * smallest.rows / slide.rows
    return sorted(
        each
        for each in factors
        if min(across * each + 1, -(-smallest.columns // smallest.tile_columns))
        * min(down * each + 1, -(-smallest.rows // smallest.tile_rows))
        <= TILES_MOST
    )


def info(slide: Pyramid, identifier: str) -> dict[str, Any]:
    """`info.json`. `identifier`: the URL of the slide."""
    width, height = tile_side(slide)
    tile: dict[str, Any] = {"width": width, "scaleFactors": scale_factors(slide)}
    if height != width:
        tile["height"] = height
    sizes = [
        {"width": level.columns, "height": level.rows}
        for level in reversed(slide.levels)
        if max(level.columns, level.rows) <= LARGEST_SIDE
    ]
    return {
        "@context": CONTEXT,
        "id": identifier,
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level0",
        "width": slide.columns,
        "height": slide.rows,
        "maxWidth": LARGEST_SIDE,
        "maxHeight": LARGEST_SIDE,
        **({"sizes": sizes} if sizes else {}),
        "tiles": [tile],
        "extraFeatures": _FEATURES,
        "extraFormats": ["png"],
        "extraQualities": ["color", "gray", "bitonal"],
        "preferredFormats": ["jpg"],
    }

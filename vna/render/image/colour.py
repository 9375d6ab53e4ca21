"""Three components as red, green and blue of 8 bits (PS3.3 §C.7.6.3.1.2)."""

from __future__ import annotations

import numpy as np
from PIL import Image

from vna.errors import Undecodable
from vna.pixels.description import PixelDescription
from vna.pixels.native import Decoded
from vna.render.image.gray import Levels

# ITU-R BT.601-5: luma takes 16 to 235 of 255, chroma 16 to 240.
_LUMA, _CHROMA = 255 / 219, 255 / 224


def red_green_blue(decoded: Decoded, description: PixelDescription) -> Levels:
    """(rows, columns, 3). Raises `Undecodable` for a colour space that is not known."""
    if decoded.pixels.ndim != 3 or decoded.pixels.shape[2] != 3:
        raise Undecodable(f"{decoded.photometric} with {description.samples} samples is not shown")
    pixels = _eight_bits(decoded, description)
    match decoded.photometric:
        case "RGB":
            return pixels
        case "YBR_FULL" | "YBR_FULL_422":
            return _from_full(pixels)
        case "YBR_PARTIAL" | "YBR_PARTIAL_420" | "YBR_PARTIAL_422":
            return _from_partial(pixels)
    raise Undecodable(f"photometric interpretation {decoded.photometric[:16]} is not shown")


def _eight_bits(decoded: Decoded, description: PixelDescription) -> Levels:
    pixels, stored = decoded.pixels, description.stored
    if pixels.dtype.kind not in "iu":
        raise Undecodable("colours of floating point numbers are not shown")
    if pixels.dtype == np.uint8 and stored == 8:
        return np.ascontiguousarray(pixels)
    if stored > 8:
        return (pixels >> stored - 8).astype(np.uint8)
    return (pixels.astype(np.uint16) * 255 // ((1 << stored) - 1)).astype(np.uint8)


def _from_full(pixels: Levels) -> Levels:
    size = (pixels.shape[1], pixels.shape[0])
    image = Image.frombytes("YCbCr", size, np.ascontiguousarray(pixels).tobytes())
    return np.asarray(image.convert("RGB"))


def _from_partial(pixels: Levels) -> Levels:
    wide = pixels.astype(np.float32)
    wide[..., 0] = (wide[..., 0] - 16) * _LUMA
    wide[..., 1:] = (wide[..., 1:] - 128) * _CHROMA + 128
    return _from_full(np.clip(wide + 0.5, 0, 255).astype(np.uint8))

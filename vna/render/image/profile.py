"""ICC profiles: which one an image has, and colours in another space (PS3.18 §8.3.5.1.5)."""

from __future__ import annotations

import io
import struct
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from vna.dicom.item import Item
from vna.errors import Undecodable
from vna.render.image.gray import Levels

SPACES = ("srgb", "adobergb", "rommrgb")
_PROFILE, _OPTICAL_PATHS = 0x00282000, 0x00480105
_LARGEST = 16 << 20

# Gamma, and the primaries in the profile connection space (D50): Adobe RGB (1998) §4.3.
# ROMM RGB: ISO 22028-2.
_ADOBE = (2.19921875, ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087),
                       (0.14919, 0.06322, 0.74457)))  # fmt: skip
_ROMM = (1.8, ((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03134, 0.00009, 0.82491)))
_D50 = (0.9642, 1.0, 0.8249)


def profile_of(item: Item, codestream: bytes) -> bytes:
    """The profile of an image: its data set's, its codestream's, else sRGB (§8.3.5.1.5)."""
    holders = [item, *item.items(_OPTICAL_PATHS)]
    for holder in holders:
        element = holder.element(_PROFILE)
        if element is not None and element.value:
            return element.value.rstrip(b"\0") if len(element.value) % 2 else element.value
    return _embedded(codestream) or named("srgb")


@lru_cache(maxsize=len(SPACES))
def named(space: str) -> bytes:
    """The profile of a space of `SPACES`."""
    if space == "srgb":
        return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return _matrix_profile(*(_ADOBE if space == "adobergb" else _ROMM), name=space)


def converted(levels: Levels, source: bytes, target: bytes) -> Levels:
    """(rows, columns, 3) from one space into another. Raises `Undecodable`."""
    if source == target:
        return levels
    try:
        transform = _transform(source, target)
        image = ImageCms.applyTransform(Image.fromarray(levels), transform)
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        raise Undecodable("the ICC profile of the image cannot be used") from error
    assert image is not None
    return np.asarray(image)


@lru_cache(maxsize=8)
def _transform(source: bytes, target: bytes) -> Any:
    return ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(source)),
        ImageCms.ImageCmsProfile(io.BytesIO(target)),
        "RGB",
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def _embedded(codestream: bytes) -> bytes | None:
    """APP2 of a JPEG (ICC.1 §B.4)."""
    if not codestream.startswith(b"\xff\xd8"):
        return None
    try:
        with Image.open(io.BytesIO(codestream), formats=("JPEG",)) as image:
            found = image.info.get("icc_profile")
    except (OSError, ValueError, SyntaxError):
        return None
    return found if isinstance(found, bytes) and 128 < len(found) <= _LARGEST else None


def _matrix_profile(
    gamma: float, primaries: tuple[tuple[float, float, float], ...], name: str
) -> bytes:
    """A version 2 display profile of three primaries and one gamma (ICC.1:2001-04)."""

    def xyz(values: tuple[float, float, float]) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(each * 65536) for each in values))

    text = name.encode("ascii") + b"\0"
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    description = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(4 + 4 + 2 + 1 + 67)
    tags: list[tuple[bytes, bytes]] = [
        (b"desc", description),
        (b"cprt", b"text\0\0\0\0" + b"No copyright, use freely\0"),
        (b"wtpt", xyz(_D50)),
        *zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(xyz, primaries), strict=True),
        *((each, curve) for each in (b"rTRC", b"gTRC", b"bTRC")),
    ]
    at = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for signature, data in tags:
        data += bytes(-len(data) % 4)
        table += signature + struct.pack(">II", at + len(body), len(data))
        body += data
    size = at + len(body)
    head = struct.pack(">I4xI4s4s4s12x4s4x", size, 0x02100000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    head = head.ljust(68, b"\0") + struct.pack(">3i", *(round(each * 65536) for each in _D50))
    return head.ljust(128, b"\0") + table + body

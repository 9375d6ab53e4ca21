"""Pictures as files: JPEG, PNG, GIF and JPEG 2000 (PS3.18 table 8.7.4-1)."""

from __future__ import annotations

import io
import struct

import imagecodecs
import numpy as np
import simplejpeg
from PIL import Image

from vna.errors import NotAcceptable
from vna.render.image.gray import Levels

JPEG, PNG, GIF, JP2 = "image/jpeg", "image/png", "image/gif", "image/jp2"
MEDIA_TYPES = (JPEG, PNG, GIF, JP2)
LOSSY = frozenset((JPEG, JP2))  # those that `quality` says something to
WITH_PROFILE = frozenset((JPEG, PNG, JP2))
QUALITY = 90

_JPEG_SIDE, _GIF_SIDE = 65500, 65535
_APP2_BYTES = 65519  # of a profile in one segment (ICC.1 §B.4)
_PNG_LEVEL = 1  # 2 ms for 512 x 512; more costs twice that and saves nothing on noise


def encode(levels: Levels, media_type: str, quality: int | None, profile: bytes | None) -> bytes:
    """A picture of gray or of RGB as a file. `quality`: 1 to 100, None for what is good enough to
    look at, of JPEG 2000 for no loss at all. `profile`: ICC, to be embedded.

    Raises `NotAcceptable` where the picture is too large for the format.
    """
    match media_type:
        case "image/png":
            return _pillow(levels, "PNG", compress_level=_PNG_LEVEL, icc_profile=profile)
        case "image/gif":
            return _gif(levels)
        case "image/jp2":
            return _jp2(levels, quality, profile)
    return _jpeg(levels, QUALITY if quality is None else quality, profile)


def _jpeg(levels: Levels, quality: int, profile: bytes | None) -> bytes:
    _check(levels, _JPEG_SIDE, "JPEG")
    if levels.ndim == 2:
        data = simplejpeg.encode_jpeg(levels[:, :, None], quality, "GRAY")
    else:
        subsampling = "444" if quality >= QUALITY else "420"
        data = simplejpeg.encode_jpeg(levels, quality, "RGB", subsampling)
    return bytes(data) if profile is None else _with_app2(bytes(data), profile)


def _with_app2(data: bytes, profile: bytes) -> bytes:
    """The profile behind the JFIF segment, in as many segments as it needs."""
    parts = [profile[at : at + _APP2_BYTES] for at in range(0, len(profile), _APP2_BYTES)]
    if len(parts) > 255:
        raise NotAcceptable("the ICC profile of the image is too large for JPEG")
    segments = b"".join(
        b"\xff\xe2" + struct.pack(">H", 16 + len(part)) + b"ICC_PROFILE\0" + bytes((at, len(parts)))
        + part
        for at, part in enumerate(parts, 1)
    )  # fmt: skip
    begin = 2
    if data[2:4] == b"\xff\xe0":
        begin = 4 + int.from_bytes(data[4:6], "big")
    return data[:begin] + segments + data[begin:]


def _gif(levels: Levels) -> bytes:
    _check(levels, _GIF_SIDE, "GIF")
    image = Image.fromarray(levels)
    if levels.ndim == 3:
        image = image.quantize(256, Image.Quantize.MEDIANCUT)
    file = io.BytesIO()
    image.save(file, "GIF")
    return file.getvalue()


def _jp2(levels: Levels, quality: int | None, profile: bytes | None) -> bytes:
    # PSNR in dB; 0 is lossless. 1 to 100 becomes 30 (coarse) to 60 (no difference to be seen).
    level = 0 if quality is None else 30 + round(quality * 0.3)
    data = bytes(imagecodecs.jpeg2k_encode(levels, level=level, codecformat="JP2", resolutions=5))
    return data if profile is None else _with_colour_box(data, profile)


def _with_colour_box(data: bytes, profile: bytes) -> bytes:
    """The `colr` box of a JP2 file replaced by one with a profile (ISO/IEC 15444-1 §I.5.3.3)."""
    begin = data.index(b"jp2h") - 4
    end = begin + int.from_bytes(data[begin : begin + 4], "big")
    at = begin + 8
    boxes = b""
    while at < end:
        size = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"colr":
            boxes += struct.pack(">I4s3B", 11 + len(profile), b"colr", 2, 0, 0) + profile
        else:
            boxes += data[at : at + size]
        at += size
    return data[:begin] + struct.pack(">I4s", 8 + len(boxes), b"jp2h") + boxes + data[end:]


def _pillow(levels: Levels, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(levels).save(file, format, **options)
    return file.getvalue()


def _check(levels: Levels, most: int, format: str) -> None:
    if max(levels.shape[:2]) > most:
        raise NotAcceptable(f"the picture is too large for {format}: ask for a part with viewport")


def as_colour(levels: Levels) -> Levels:
    """Gray as red, green and blue; colours as they are."""
    return np.repeat(levels[:, :, None], 3, axis=2) if levels.ndim == 2 else levels

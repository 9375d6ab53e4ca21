"""The samples of a picture file, as a task of the decoders: what cannot be stored as it is becomes
native pixel data (PS3.18 table 10.5.2-1, "Transform")."""

from __future__ import annotations

import io
from base64 import b64encode
from typing import Any

import imagecodecs
import numpy as np
from PIL import Image, ImageSequence

from vna.errors import MalformedObject, Undecodable
from vna.pixels.codestream import CodestreamInfo, Format, read_codestream
from vna.pixels.decode import CODEC_ERRORS
from vna.pixels.native import Samples


def picture_file(facts: dict[str, Any], blobs: list[bytes]) -> tuple[dict[str, Any], bytes]:
    """All frames of the PNG, GIF or JPEG file `blobs[0]`, little endian, colour by pixel.

    `facts`: `largest`: bytes that they may have together. Returned facts: `rows`, `columns`,
    `samples` (1 or 3: transparency is dropped, a palette is looked up), `bits` of a sample (8 or
    16), `frames`, and `profile`: an ICC profile in base 64, "" where there is none.
    Raises `Undecodable`.
    """
    data, largest = blobs[0], facts["largest"]
    try:
        info = read_codestream(data)
    except MalformedObject as error:
        raise Undecodable(str(error)) from error
    _check(info.rows * info.columns * (2 if info.bits > 8 else 1), largest)
    profile = b""
    try:
        frames = _frames(data, info, largest)
        if info.format is Format.PNG:
            profile = _profile(data)
    except (*CODEC_ERRORS, SyntaxError) as error:
        reason = f"the {info.format.value} file cannot be read ({type(error).__name__})"
        raise Undecodable(reason) from error
    rows, columns, samples = frames.shape[1:]
    said = {
        "rows": rows,
        "columns": columns,
        "samples": samples,
        "bits": frames.dtype.itemsize * 8,
        "frames": len(frames),
        "profile": b64encode(profile).decode() if samples == 3 else "",
    }
    little = frames.astype(frames.dtype.newbyteorder("<"), copy=False)
    return said, little.tobytes()


def _frames(data: bytes, info: CodestreamInfo, largest: int) -> Samples:
    """(frames, rows, columns, samples)."""
    if info.format is Format.GIF:
        return _animation(data, largest)
    decode = imagecodecs.png_decode if info.format is Format.PNG else imagecodecs.jpeg8_decode
    found: Samples = decode(data)
    _check(found.nbytes, largest)
    if found.dtype not in (np.uint8, np.uint16):
        raise Undecodable(f"samples of {found.dtype} are not taken")
    if found.ndim == 2:
        found = found[:, :, None]
    colours = found.shape[2]
    if info.format is Format.JPEG and colours not in (1, 3):
        raise Undecodable(f"a JPEG of {colours} components is not taken")
    return np.ascontiguousarray(found[None, :, :, : 1 if colours < 3 else 3])


def _animation(data: bytes, largest: int) -> Samples:
    """Frames as they are seen, each drawn over what it leaves of the one before."""
    found: list[Samples] = []
    with Image.open(io.BytesIO(data), formats=("GIF",)) as file:
        for frame in ImageSequence.Iterator(file):
            found.append(np.asarray(frame.convert("RGB")))
            _check(found[-1].nbytes * len(found), largest)
    return np.stack(found)


def _profile(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data), formats=("PNG",)) as file:
        profile = file.info.get("icc_profile")
    return profile if isinstance(profile, bytes) else b""


def _check(size: int, largest: int) -> None:
    if size > largest:
        raise Undecodable(f"the picture takes {size} bytes; at most {largest} are taken")

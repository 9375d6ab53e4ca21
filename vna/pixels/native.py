"""Native frames: samples one after another, little endian (PS3.5 §8.1, §8.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vna.errors import Undecodable
from vna.pixels.description import PixelDescription

Samples = npt.NDArray[Any]

_HALVED = ("YBR_FULL_422", "YBR_PARTIAL_422")


@dataclass(frozen=True, slots=True)
class Decoded:
    """The samples of one frame.

    `pixels`: (rows, columns) or (rows, columns, samples), native byte order, of the sign of the
    description; 1-bit samples as bytes 0 and 1. It may be a read-only view. `photometric`: what the
    samples are now, which is not always what the header says of the encoded ones.
    """

    pixels: Samples
    photometric: str


def from_native(frame: bytes, description: PixelDescription, first_bit: int = 0) -> Decoded:
    """The samples of a little endian native frame; `first_bit` as `Anatomy.first_bit` gives it.

    Bits above High Bit and below the lowest stored bit are no part of a sample (PS3.5 §8.1.1).
    Chrominance that is halved is repeated, so that YBR_FULL_422 becomes YBR_FULL. Raises
    `Undecodable` for a frame that is too short; bytes beyond its end are padding.
    """
    if description.allocated == 1:
        return Decoded(_bits(frame, description, first_bit), description.photometric)
    halved = description.samples == 3 and description.photometric in _HALVED
    count = description.frame_bits // description.allocated
    dtype = description.dtype.newbyteorder("<")
    if len(frame) < count * dtype.itemsize:
        raise Undecodable(
            f"a native frame has {len(frame)} bytes; its header says {count * dtype.itemsize}"
        )
    flat = np.frombuffer(frame, dtype, count)
    if not dtype.isnative:
        flat = flat.astype(description.dtype)
    flat = fit_bits(flat, description)
    if halved:
        photometric = description.photometric.removesuffix("_422")
        return Decoded(_doubled(flat, description), photometric)
    if description.samples > 1 and description.planar == 1:
        planes = flat.reshape(description.samples, description.rows, description.columns)
        return Decoded(np.ascontiguousarray(planes.transpose(1, 2, 0)), description.photometric)
    return Decoded(flat.reshape(description.shape), description.photometric)


def to_native(pixels: Samples, description: PixelDescription) -> bytes:
    """The samples as a native frame, colour by pixel, little endian; 1-bit samples packed from the
    least significant bit.  No padding: only the last frame of an element has it."""
    if description.allocated == 1:
        return np.packbits(pixels.reshape(-1), bitorder="little").tobytes()
    return pixels.astype(description.dtype.newbyteorder("<"), copy=False).tobytes()


def fit_bits(samples: Samples, description: PixelDescription) -> Samples:
    """The stored bits of each sample, extended by its sign."""
    allocated, stored = description.allocated, description.stored
    if description.floating or stored == allocated:
        return samples
    out = np.left_shift(samples, allocated - 1 - description.high_bit)
    return np.right_shift(out, allocated - stored, out=out)


def _bits(frame: bytes, description: PixelDescription, first_bit: int) -> Samples:
    count = description.frame_samples
    packed = np.frombuffer(frame, np.uint8)
    if packed.size * 8 < first_bit + count:
        raise Undecodable(f"a native frame has {len(frame)} bytes for {count} bits")
    packed = packed[: -(-(first_bit + count) // 8)]
    bits = np.unpackbits(packed, bitorder="little")[first_bit : first_bit + count]
    if description.samples > 1 and description.planar == 1:
        planes = bits.reshape(description.samples, description.rows, description.columns)
        return np.ascontiguousarray(planes.transpose(1, 2, 0))
    return bits.reshape(description.shape)


def _doubled(flat: Samples, description: PixelDescription) -> Samples:
    """Y Y Cb Cr for two pixels becomes Y Cb Cr for each (PS3.3 §C.7.6.3.1.2)."""
    if description.columns % 2:
        raise Undecodable(f"{description.photometric} with an odd number of columns")
    pairs = flat.reshape(-1, 4)
    out = np.empty((len(pairs), 2, 3), flat.dtype)
    out[:, :, 0] = pairs[:, :2]
    out[:, :, 1:] = pairs[:, None, 2:]
    return out.reshape(description.shape)

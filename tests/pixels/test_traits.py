"""Every trait that pixel data may have, with a frame that has it: bundled files where there are
any, else a frame made here by an encoder that is not ours."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import imagecodecs
import numpy as np
import pytest

from tests.pixels.corpus import Frame, by_pydicom, frames
from vna.errors import Undecodable
from vna.pixels.codestream import Format, read_codestream
from vna.pixels.decode import decode
from vna.pixels.description import PixelDescription

Samples = np.ndarray[Any, np.dtype[Any]]
ROOT = "1.2.840.10008.1.2."
MADE = PixelDescription(37, 41, 1, "MONOCHROME2", 0, 16, 16, 15, False)
COLOUR = replace(MADE, samples=3, photometric="RGB", allocated=8, stored=8, high_bit=7)


def syntax(suffix: str) -> Callable[[Frame], bool]:
    return lambda frame: frame.syntax == ROOT + suffix


BUNDLED: dict[str, Callable[[Frame], bool]] = {
    "signed": lambda frame: frame.description.signed,
    "12 of 16 bits": lambda frame: frame.description.stored == 12,
    "10 of 16 bits, inverted": lambda frame: frame.description.stored == 10,
    "32 bits": lambda frame: frame.description.allocated == 32,
    "one bit": lambda frame: frame.description.allocated == 1,
    "colour by plane": lambda frame: frame.description.planar == 1,
    "16 bits of colour": lambda frame: (
        frame.description.samples == 3 and frame.description.allocated == 16
    ),
    "palette": lambda frame: frame.description.photometric == "PALETTE COLOR",
    "YBR_FULL": lambda frame: frame.description.photometric == "YBR_FULL",
    "native YBR_FULL_422": lambda frame: (
        frame.description.photometric == "YBR_FULL_422" and frame.syntax == ROOT + "1"
    ),
    "YBR_RCT": lambda frame: frame.description.photometric == "YBR_RCT",
    "YBR_ICT": lambda frame: frame.description.photometric == "YBR_ICT",
    "odd length": lambda frame: len(frame.data) % 2 == 1,
    "many frames": lambda frame: frame.frames > 1,
    "JPEG Baseline, chroma at half resolution": lambda frame: (
        frame.syntax == ROOT + "4.50" and read_codestream(frame.data).subsampled
    ),
    "JPEG of 12 bits": lambda frame: (
        frame.syntax == ROOT + "4.51" and read_codestream(frame.data).bits == 12
    ),
    "JPEG Lossless": syntax("4.70"),
    "JPEG Lossless in colour": lambda frame: (
        frame.syntax == ROOT + "4.70" and frame.description.samples == 3
    ),
    "JPEG-LS": syntax("4.80"),
    "JPEG 2000": syntax("4.90"),
    "JPEG 2000 with loss": syntax("4.91"),
    "RLE": syntax("5"),
    "RLE of 32 bits": lambda frame: (
        frame.syntax == ROOT + "5" and frame.description.allocated == 32
    ),
    "sign that the codestream contradicts": lambda frame: (
        frame.syntax == ROOT + "4.90"
        and read_codestream(frame.data).signed != frame.description.signed
    ),
}


@functools.cache
def corpus() -> tuple[Frame, ...]:
    return tuple(frames(1))


def by_another(frame: Frame) -> Samples | None:
    """The samples by pydicom, or by a codec for what it has no plug-in for."""
    codec = {"4.51": imagecodecs.jpeg8_decode, "4.70": imagecodecs.jpegsof3_decode}
    found = by_pydicom(frame)
    if found is None and (decoder := codec.get(frame.syntax.removeprefix(ROOT))):
        samples = np.asarray(decoder(frame.data))
        found = samples.view(frame.description.dtype).reshape(frame.description.shape)
    return found


@pytest.mark.parametrize("trait", BUNDLED)
def test_a_bundled_frame_is_read_as_others_read_it(trait: str) -> None:
    compared = 0
    for frame in corpus():
        if BUNDLED[trait](frame) and (expected := by_another(frame)) is not None:
            found = decode(
                frame.data, frame.syntax, frame.description, first_bit=frame.first_bit
            ).pixels
            assert np.array_equal(found, expected), frame.name
            compared += 1
    assert compared


def drawn(description: PixelDescription) -> Samples:
    """A smooth picture with some noise, within the stored bits."""
    y, x = np.mgrid[0 : description.rows, 0 : description.columns]
    top = (1 << description.stored) - 1
    plane = (np.sin(x / 9) * np.cos(y / 7) + 1) / 2 * top * 0.9
    noise = np.random.default_rng(5).integers(0, max(2, top // 16), plane.shape)
    planes = [np.minimum(plane * (1 - n / 8) + noise, top) for n in range(description.samples)]
    whole = np.stack(planes, axis=-1).astype(description.dtype)
    if description.signed:
        whole = (whole.astype(np.int64) - (1 << description.stored - 1)).astype(description.dtype)
    return whole if description.samples > 1 else whole[:, :, 0]


def deflated(pixels: Samples) -> bytes:
    made = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return made.compress(pixels.tobytes()) + made.flush()


SIGNED_12 = replace(MADE, stored=12, high_bit=11, signed=True)
EIGHT = replace(MADE, allocated=8, stored=8, high_bit=7)
LOSSLESS: dict[str, tuple[str, PixelDescription, Callable[[Samples], Any]]] = {
    "JPEG Lossless, any predictor": ("4.57", MADE, imagecodecs.ljpeg_encode),
    "JPEG Lossless of 12 bits": (
        "4.57", replace(MADE, stored=12, high_bit=11),
        lambda pixels: imagecodecs.ljpeg_encode(pixels, bitspersample=12),
    ),
    "JPEG-LS in colour": ("4.80", COLOUR, imagecodecs.jpegls_encode),
    "JPEG 2000 multi-component": (
        "4.92", COLOUR,
        lambda pixels: imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="J2K"),
    ),
    "JPEG 2000, signed": (
        "4.90", SIGNED_12,
        lambda pixels: imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="J2K"),
    ),
    "HTJ2K": ("4.201", MADE, imagecodecs.htj2k_encode),
    "HTJ2K, signed": ("4.201", SIGNED_12, imagecodecs.htj2k_encode),
    "HTJ2K RPCL": ("4.202", MADE, lambda pixels: imagecodecs.htj2k_encode(pixels, tlm=True)),
    "HTJ2K in colour": ("4.201", COLOUR, imagecodecs.htj2k_encode),
    "JPEG XL": ("4.110", MADE, lambda pixels: imagecodecs.jpegxl_encode(pixels, lossless=True)),
    "JPEG XL in colour": (
        "4.110", COLOUR, lambda pixels: imagecodecs.jpegxl_encode(pixels, lossless=True),
    ),
    "encapsulated uncompressed": ("1.98", MADE, lambda pixels: pixels.tobytes()),
    "deflated image frame": ("8.1", MADE, deflated),
    "one row": (
        "4.90", replace(MADE, rows=1),
        lambda pixels: imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="J2K"),
    ),
    "one column": ("4.80", replace(MADE, columns=1), imagecodecs.jpegls_encode),
}  # fmt: skip
LOSSY: dict[str, tuple[str, PixelDescription, Callable[[Samples], Any], Callable[[bytes], Any]]] = {
    "JPEG-LS near lossless": (
        "4.81", EIGHT, lambda pixels: imagecodecs.jpegls_encode(pixels, level=2),
        imagecodecs.jpegls_decode,
    ),
    "JPEG 2000 multi-component with loss": (
        "4.93", COLOUR,
        lambda pixels: imagecodecs.jpeg2k_encode(pixels, level=40, codecformat="J2K"),
        imagecodecs.jpeg2k_decode,
    ),
    "HTJ2K with loss": (
        "4.203", EIGHT, lambda pixels: imagecodecs.htj2k_encode(pixels, level=0.01),
        imagecodecs.htj2k_decode,
    ),
    "JPEG XL with loss": (
        "4.112", EIGHT,
        lambda pixels: imagecodecs.jpegxl_encode(pixels, level=90, lossless=False),
        imagecodecs.jpegxl_decode,
    ),
    "JPEG XL of a JPEG": (
        "4.111", EIGHT,
        lambda pixels: imagecodecs.jpegxl_encode_jpeg(imagecodecs.jpeg8_encode(pixels)),
        imagecodecs.jpegxl_decode,
    ),
    "JPEG Baseline, gray": ("4.50", EIGHT, imagecodecs.jpeg8_encode, imagecodecs.jpeg8_decode),
}  # fmt: skip


@pytest.mark.parametrize("trait", LOSSLESS)
def test_a_frame_without_loss_is_what_was_encoded(trait: str) -> None:
    suffix, description, encode = LOSSLESS[trait]
    pixels = drawn(description)
    found = decode(bytes(encode(pixels)), ROOT + suffix, description).pixels
    assert found.dtype == description.dtype
    assert np.array_equal(found, pixels)


@pytest.mark.parametrize("trait", LOSSY)
def test_a_frame_with_loss_is_what_its_codec_makes_of_it(trait: str) -> None:
    suffix, description, encode, by_codec = LOSSY[trait]
    frame = bytes(encode(drawn(description)))
    found = decode(frame, ROOT + suffix, description).pixels
    expected = np.asarray(by_codec(frame)).reshape(description.shape)
    assert np.abs(found.astype(int) - expected.astype(int)).max() <= 2


@pytest.mark.parametrize("first_bit", range(8))
def test_frames_of_single_bits_begin_anywhere_in_a_byte(first_bit: int) -> None:
    """PS3.5 §8.1.1: frames of one bit follow each other without padding."""
    description = replace(MADE, rows=3, columns=5, allocated=1, stored=1, high_bit=0)
    bits = np.random.default_rng(first_bit).integers(0, 2, first_bit + 15, np.uint8)
    packed = np.packbits(bits, bitorder="little").tobytes()
    found = decode(packed, ROOT + "1", description, first_bit=first_bit).pixels
    assert np.array_equal(found.ravel(), bits[first_bit:])


def test_a_frame_of_another_size_than_its_data_set_says_is_not_decoded() -> None:
    """A few bytes cannot ask for gigabytes."""
    frame = bytes(imagecodecs.jpegls_encode(drawn(EIGHT)))
    assert read_codestream(frame).format is Format.JPEG_LS
    with pytest.raises(Undecodable):
        decode(frame, ROOT + "4.80", replace(EIGHT, rows=60000, columns=60000))
    with pytest.raises(Undecodable):
        decode(frame, ROOT + "4.80", replace(EIGHT, rows=36))

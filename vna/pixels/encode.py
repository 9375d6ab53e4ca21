"""One frame into a lossless transfer syntax.

Lossy ones are never made: an archive that has no lossy form of an image does not invent one.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import imagecodecs
import numpy as np
import rle

from vna.dicom.transfer_syntax import EXPLICIT_LE, RLE_LOSSLESS
from vna.errors import Unencodable
from vna.pixels.codestream import read_codestream
from vna.pixels.description import PIXEL_DATA, PixelDescription
from vna.pixels.native import Decoded, Samples, to_native

_ROOT = "1.2.840.10008.1.2."
ENCAPSULATED_UNCOMPRESSED = _ROOT + "1.98"
JPEG_LOSSLESS = _ROOT + "4.57"
JPEG_LOSSLESS_SV1 = _ROOT + "4.70"
JPEG_LS_LOSSLESS = _ROOT + "4.80"
JPEG_2000_LOSSLESS = _ROOT + "4.90"
JPEG_XL_LOSSLESS = _ROOT + "4.110"
HTJ2K_LOSSLESS = _ROOT + "4.201"
HTJ2K_RPCL_LOSSLESS = _ROOT + "4.202"
DEFLATED_IMAGE_FRAME = _ROOT + "8.1"


@dataclass(frozen=True, slots=True)
class Target:
    """What a lossless transfer syntax holds.

    `bits`: least and most Bits Stored; `samples`: of a pixel; `colour_transform`: RGB is written as
    this photometric interpretation; `planar`: Planar Configuration of what is written.
    """

    encode: Callable[[Samples, PixelDescription, str], bytes]
    bits: tuple[int, int]
    samples: tuple[int, ...] = (1, 3)
    colour_transform: str = "RGB"
    planar: int = 0


def encode(decoded: Decoded, syntax: str, description: PixelDescription) -> bytes:
    """`decoded` as one frame of the transfer syntax, without loss; not padded to even length.

    `description`: of the samples as `decode` took it.  `written` says what then describes the
    frame.  Raises `Unencodable` where the syntax cannot hold them.
    """
    target = _target(syntax, description)
    pixels = np.ascontiguousarray(decoded.pixels)
    if pixels.shape != description.shape:
        raise Unencodable("the samples are not of the size that their description says")
    if target.bits != _ANY and description.stored < description.allocated:
        _no_stray_bits(pixels, description)
    return target.encode(pixels, description, decoded.photometric)


def written(description: PixelDescription, photometric: str, syntax: str) -> PixelDescription:
    """What describes the frame that `encode` makes of samples that are `photometric`."""
    target = _target(syntax, description)
    if photometric == "RGB":
        photometric = target.colour_transform
    planar = target.planar if description.samples > 1 else 0
    return replace(description, photometric=photometric, planar=planar)


def encodable(syntax: str, description: PixelDescription) -> bool:
    """Whether the syntax holds such samples; single images may still have stray bits."""
    try:
        _target(syntax, description)
    except Unencodable:
        return False
    return True


def _target(syntax: str, description: PixelDescription) -> Target:
    target = LOSSLESS_TARGETS.get(syntax)
    if target is None:
        raise Unencodable(f"nothing is encoded as transfer syntax {syntax}")
    if syntax != EXPLICIT_LE and description.pixel_tag != PIXEL_DATA:
        raise Unencodable("floating point samples are not encapsulated (PS3.5 §A.4)")
    if target.samples and description.samples not in target.samples:
        raise Unencodable(f"{syntax} does not hold {description.samples} samples per pixel")
    least, most = target.bits
    if not least <= description.stored <= most or (
        description.allocated == 1 and target.bits != _ANY
    ):
        raise Unencodable(f"{syntax} does not hold samples of {description.stored} bits")
    return target


def _no_stray_bits(pixels: Samples, description: PixelDescription) -> None:
    """Raise where a sample is beyond its stored bits: a codestream of that precision loses it."""
    low, high = int(pixels.min()), int(pixels.max())
    stored = description.stored
    least, most = (
        (-(1 << stored - 1), (1 << stored - 1) - 1)
        if description.signed
        else (0, (1 << stored) - 1)
    )
    if low < least or high > most:
        raise Unencodable(f"a sample is beyond its {stored} stored bits")


def _native(pixels: Samples, description: PixelDescription, photometric: str) -> bytes:
    return to_native(pixels, description)


def _deflated(pixels: Samples, description: PixelDescription, photometric: str) -> bytes:
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflate.compress(to_native(pixels, description)) + deflate.flush()


def _run_lengths(pixels: Samples, description: PixelDescription, photometric: str) -> bytes:
    return bytes(
        rle.encode_pixel_data(
            to_native(pixels, description),
            byteorder="<",
            rows=description.rows,
            columns=description.columns,
            samples_per_pixel=description.samples,
            bits_allocated=description.allocated,
        )
    )


def _jpeg_lossless(pixels: Samples, description: PixelDescription, photometric: str) -> bytes:
    """First-order prediction with selection value 1, which .57 allows too.

    YBR is written without a label: labelled, each component would have a Huffman table of its own,
    which libjpeg-turbo, and who decodes with it, reads wrongly.
    """
    space = None
    if description.samples == 3:
        space = "UNKNOWN" if photometric.startswith("YBR") else "RGB"
    return bytes(
        imagecodecs.jpeg8_encode(
            _unsigned(pixels, description),
            lossless=True,
            predictor=1,
            bitspersample=description.stored,
            colorspace=space,
            outcolorspace=space,
        )
    )


def _jpeg_ls(pixels: Samples, description: PixelDescription, photometric: str) -> bytes:
    pattern = pixels.view(np.dtype(f"u{pixels.dtype.itemsize}"))
    return _without_spiff(bytes(imagecodecs.jpegls_encode(pattern)))


def _without_spiff(data: bytes) -> bytes:
    """Without the SPIFF directory (ISO/IEC 10918-3 §F), whose end holds a second SOI."""
    end = data.find(b"\xff\xe8\x00\x08\x00\x00\x00\x01\xff\xd8")
    if data[2:4] != b"\xff\xe8" or end < 0:
        return data
    return data[end + 8 :]


def _jpeg_2000(pixels: Samples, description: PixelDescription, photometric: str) -> bytes:
    return bytes(
        imagecodecs.jpeg2k_encode(
            pixels,
            level=0,
            codecformat="j2k",
            reversible=True,
            bitspersample=description.stored,
            mct=photometric == "RGB",
        )
    )


def _htj2k(pixels: Samples, description: PixelDescription, photometric: str) -> bytes:
    """Progression RPCL, with tile-part lengths and six resolutions, for .201 as for .202."""
    return bytes(
        imagecodecs.htj2k_encode(
            pixels,
            reversible=True,
            tlm=True,
            resolutions=6,
            rgb=photometric == "RGB" if description.samples == 3 else None,
        )
    )


def _jpeg_xl(pixels: Samples, description: PixelDescription, photometric: str) -> bytes:
    data = bytes(
        imagecodecs.jpegxl_encode(
            _unsigned(pixels, description),
            lossless=True,
            effort=1,
            bitspersample=description.stored,
            usecontainer=False,
        )
    )
    info = read_codestream(data)
    return data[info.offset : info.offset + info.length]


def _unsigned(pixels: Samples, description: PixelDescription) -> Samples:
    """The stored bits of each sample as an unsigned number."""
    if not description.signed:
        return pixels
    pattern = pixels.view(np.dtype(f"u{pixels.dtype.itemsize}"))
    if description.stored == description.allocated:
        return pattern
    cut: Samples = np.bitwise_and(pattern, (1 << description.stored) - 1)
    return cut


_ANY = (1, 64)
LOSSLESS_TARGETS: Mapping[str, Target] = {
    EXPLICIT_LE: Target(_native, _ANY, ()),
    ENCAPSULATED_UNCOMPRESSED: Target(_native, _ANY, ()),
    DEFLATED_IMAGE_FRAME: Target(_deflated, _ANY, ()),
    RLE_LOSSLESS: Target(_run_lengths, (1, 64), planar=1),
    JPEG_LOSSLESS: Target(_jpeg_lossless, (2, 16)),
    JPEG_LOSSLESS_SV1: Target(_jpeg_lossless, (2, 16)),
    JPEG_LS_LOSSLESS: Target(_jpeg_ls, (2, 16)),
    JPEG_2000_LOSSLESS: Target(_jpeg_2000, (2, 16), colour_transform="YBR_RCT"),
    HTJ2K_LOSSLESS: Target(_htj2k, (2, 32), colour_transform="YBR_RCT"),
    HTJ2K_RPCL_LOSSLESS: Target(_htj2k, (2, 32), colour_transform="YBR_RCT"),
    JPEG_XL_LOSSLESS: Target(_jpeg_xl, (2, 16)),
}

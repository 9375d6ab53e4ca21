"""One frame out of any transfer syntax.

Each syntax has its decoders in order; the next is asked where one fails.  What a codestream says of
itself counts before the data set (PS3.5 §8.2): which colour space it is in, whether its samples
are signed.  Its size must be the one of the data set, and is compared before anything is
decoded, so that a few bytes cannot ask for gigabytes.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Mapping
from struct import error as out_of_data

import imagecodecs
import numpy as np
import openjpeg
import rle
import simplejpeg

from vna.dicom.transfer_syntax import EXPLICIT_BE, RLE_LOSSLESS, transfer_syntax
from vna.errors import MalformedObject, Undecodable
from vna.pixels.codestream import CodestreamInfo, Colour, Format, read_codestream
from vna.pixels.description import LARGEST_FRAME, PIXEL_DATA, PixelDescription
from vna.pixels.native import Decoded, Samples, fit_bits, from_native

__all__ = ["Decoded", "decodable", "decode"]

# What codecs raise for data that they cannot read: their own errors derive from these.
CODEC_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    out_of_data,
    zlib.error,
)

_Decoder = Callable[[bytes, CodestreamInfo, Colour], Samples]

_ROOT = "1.2.840.10008.1.2."
_ENCAPSULATED_UNCOMPRESSED = _ROOT + "1.98"
_DEFLATED_IMAGE_FRAME = _ROOT + "8.1"
_JPEG_2000_FAMILY = (Format.JPEG_2000, Format.HTJ2K)
_SAME_FAMILY = {
    Format.JPEG: (Format.JPEG,),
    Format.JPEG_LS: (Format.JPEG_LS,),
    Format.JPEG_2000: _JPEG_2000_FAMILY,
    Format.JPEG_XL: (Format.JPEG_XL,),
}
_LARGEST_PRECISION = 32
_THREADS = min(4, os.cpu_count() or 1)  # for one frame of JPEG 2000, the slowest of all to decode


def decodable(syntax: str) -> bool:
    """Whether frames of the transfer syntax are decoded here."""
    row = transfer_syntax(syntax)
    return (
        syntax in _FORMATS
        or syntax in (RLE_LOSSLESS, _ENCAPSULATED_UNCOMPRESSED, _DEFLATED_IMAGE_FRAME)
        or (not row.encapsulated and syntax not in _REFERENCED)
    )


def decode(
    frame: bytes,
    syntax: str,
    description: PixelDescription,
    *,
    first_bit: int = 0,
    largest: int = LARGEST_FRAME,
) -> Decoded:
    """The samples of `frame`, which is in transfer syntax `syntax`.

    Native frames are little endian, whatever `syntax` says; `first_bit` is theirs, see
    `Anatomy.first_bit`.  `largest`: bytes that a decoded frame may have.

    Colours stay what the codestream has: YBR_FULL_422 and the partial ones come as YBR_FULL at full
    resolution, JPEG 2000's and JPEG XL's own transforms are undone, which gives RGB.  Raises
    `Undecodable`.
    """
    description.check_size(largest)
    if syntax == EXPLICIT_BE:
        raise Undecodable("big endian frames are turned before they are decoded")
    if not decodable(syntax):
        raise Undecodable(f"transfer syntax {syntax} is not decoded")
    if not transfer_syntax(syntax).encapsulated or syntax == _ENCAPSULATED_UNCOMPRESSED:
        return from_native(frame, description, first_bit)
    if description.pixel_tag != PIXEL_DATA:
        raise Undecodable("floating point samples are not encapsulated (PS3.5 §A.4)")
    if syntax == _DEFLATED_IMAGE_FRAME:
        return from_native(_inflated(frame, description), description)
    if syntax == RLE_LOSSLESS:
        return Decoded(_run_lengths(frame, description), description.photometric)
    return _codestream(frame, _FORMATS[syntax], description)


def _codestream(frame: bytes, expected: Format, description: PixelDescription) -> Decoded:
    try:
        info = read_codestream(frame)
    except MalformedObject as error:
        raise Undecodable(str(error)) from error
    if info.format not in _SAME_FAMILY[expected]:
        raise Undecodable(f"the frame is {info.format.value}, not {expected.value}")
    _agree(info, description)
    colour = _colour(info, description)
    failures = []
    for decoder in _decoders(info):
        try:
            found = decoder(frame, info, colour)
            return Decoded(
                _fitted(found, info, description), _photometric(info, colour, description)
            )
        except CODEC_ERRORS as error:
            failures.append(type(error).__name__)
    raise Undecodable(f"no decoder reads the {info.format.value} frame ({', '.join(failures)})")


def _agree(info: CodestreamInfo, description: PixelDescription) -> None:
    """Raise where the codestream has another size than the data set says."""
    found = (info.rows, info.columns, info.samples)
    wanted = (description.rows, description.columns, description.samples)
    if found != wanted:
        raise Undecodable(
            f"the frame is {info.rows} x {info.columns} x {info.samples}; "
            f"its header says {description.rows} x {description.columns} x {description.samples}"
        )
    if not 0 < info.bits <= _LARGEST_PRECISION or info.frames > 1:
        raise Undecodable(f"the frame has samples of {info.bits} bits")


def _colour(info: CodestreamInfo, description: PixelDescription) -> Colour:
    """What the components of the codestream are: it says so, else the data set does."""
    if info.samples != 3:
        return Colour.GRAY if info.samples == 1 else Colour.UNKNOWN
    if info.colour is not Colour.UNKNOWN:
        return info.colour
    return Colour.YCC if description.photometric.startswith("YBR") else Colour.RGB


def _photometric(info: CodestreamInfo, colour: Colour, description: PixelDescription) -> str:
    """What the samples are after decoding (PS3.5 §8.2)."""
    declared = description.photometric
    if info.samples != 3:
        return declared
    if declared in ("YBR_ICT", "YBR_RCT", "XYB") or colour is Colour.RGB:
        return "RGB"
    return "YBR_PARTIAL" if declared.startswith("YBR_PARTIAL") else "YBR_FULL"


def _fitted(found: Samples, info: CodestreamInfo, description: PixelDescription) -> Samples:
    """Decoded samples in the type and with the sign that the data set says."""
    if found.shape == (*description.shape, 1):
        found = found[:, :, 0]
    if found.shape != description.shape:
        raise ValueError(f"the decoder gave samples of the shape {found.shape}")
    found = np.ascontiguousarray(found)
    target = description.dtype
    if found.dtype.kind not in "iu":
        raise Undecodable("the decoder gave no integers")
    if info.format is Format.JPEG:
        return fit_bits(_as(found, target), description)
    if info.format in (Format.JPEG_LS, Format.JPEG_XL) and not description.signed:
        return _as(found, target)
    if info.signed != description.signed:
        return _as(_turned(found, info.bits, description.signed), target)
    return _as(found, target)


def _turned(found: Samples, bits: int, signed: bool) -> Samples:
    """The same `bits` low bits of each sample, read with the other sign."""
    width = found.dtype.itemsize * 8
    out: Samples = found.view(np.dtype(f"{'i' if signed else 'u'}{found.dtype.itemsize}"))
    if bits == width:
        return out
    shifted: Samples = np.left_shift(out, width - bits)
    return np.right_shift(shifted, width - bits, out=shifted)


def _as(found: Samples, target: np.dtype[np.generic]) -> Samples:
    """`found` in another integer type; raises where a sample would lose bits."""
    if found.dtype == target:
        return found
    if found.dtype.itemsize == target.itemsize:
        return found.view(target)
    out = found.astype(target)
    if target.itemsize < found.dtype.itemsize and not np.array_equal(
        out.astype(found.dtype), found
    ):
        raise Undecodable(f"the frame's samples do not fit into {target.itemsize * 8} bits")
    return out


def _inflated(frame: bytes, description: PixelDescription) -> bytes:
    """PS3.5 §A.4.13: RFC 1951, one NUL of padding may follow."""
    size = -(-description.frame_bits // 8)
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(frame, size)
    except zlib.error as error:
        raise Undecodable("the deflated frame is broken") from error


def _run_lengths(frame: bytes, description: PixelDescription) -> Samples:
    """PS3.5 §G: one segment for each byte of each sample, the most significant first."""
    for decoder in (_rle_imagecodecs, _rle_pylibjpeg):
        try:
            return fit_bits(decoder(frame, description), description)
        except CODEC_ERRORS:
            continue
    raise Undecodable("no decoder reads the RLE frame")


def _rle_pylibjpeg(frame: bytes, description: PixelDescription) -> Samples:
    """The planes of the samples, little endian; 1-bit samples as bytes."""
    planes = np.frombuffer(
        rle.decode_pixel_data(
            frame,
            version=2,
            rows=description.rows,
            columns=description.columns,
            bits_allocated=description.allocated,
        ),
        description.dtype.newbyteorder("<"),
    ).reshape(description.samples, description.rows, description.columns)
    return np.ascontiguousarray(planes.transpose(1, 2, 0), description.dtype).reshape(
        description.shape
    )


def _rle_imagecodecs(frame: bytes, description: PixelDescription) -> Samples:
    dtype = description.dtype.newbyteorder("<")
    data = imagecodecs.dicomrle_decode(frame, dtype)
    planes = np.frombuffer(data, dtype, description.frame_samples).reshape(
        description.samples, description.rows, description.columns
    )
    return np.ascontiguousarray(planes.transpose(1, 2, 0), description.dtype).reshape(
        description.shape
    )


def _decoders(info: CodestreamInfo) -> tuple[_Decoder, ...]:
    if info.format is Format.JPEG and info.lossless:
        return _LOSSLESS_GRAY if info.samples == 1 else _LOSSLESS_COLOUR
    return _DECODERS[info.format]


def _jpeg8(frame: bytes, info: CodestreamInfo, colour: Colour) -> Samples:
    """libjpeg-turbo; the colour space is pinned, so that it converts nothing."""
    space = {Colour.YCC: "YCBCR", Colour.RGB: "RGB"}.get(colour)
    return np.asarray(imagecodecs.jpeg8_decode(frame, colorspace=space, outcolorspace=space))


def _simplejpeg(frame: bytes, info: CodestreamInfo, colour: Colour) -> Samples:
    if info.samples != 1 or info.bits != 8:
        raise ValueError("only gray, only 8 bit: it would convert the colours")
    return np.asarray(simplejpeg.decode_jpeg(frame, colorspace="GRAY", strict=False))


def _jpegsof3(frame: bytes, info: CodestreamInfo, colour: Colour) -> Samples:
    return np.asarray(imagecodecs.jpegsof3_decode(frame))


def _ljpeg(frame: bytes, info: CodestreamInfo, colour: Colour) -> Samples:
    return np.asarray(imagecodecs.ljpeg_decode(frame))


def _jpegls(frame: bytes, info: CodestreamInfo, colour: Colour) -> Samples:
    return np.asarray(imagecodecs.jpegls_decode(frame))


def _jpeg2k(frame: bytes, info: CodestreamInfo, colour: Colour) -> Samples:
    return np.asarray(imagecodecs.jpeg2k_decode(frame, numthreads=_THREADS))


def _htj2k(frame: bytes, info: CodestreamInfo, colour: Colour) -> Samples:
    return np.asarray(imagecodecs.htj2k_decode(frame, planar=False))


def _openjpeg(frame: bytes, info: CodestreamInfo, colour: Colour) -> Samples:
    return np.asarray(openjpeg.decode(frame))


def _jpegxl(frame: bytes, info: CodestreamInfo, colour: Colour) -> Samples:
    return np.asarray(imagecodecs.jpegxl_decode(frame))


_LOSSLESS_GRAY: tuple[_Decoder, ...] = (_jpeg8, _jpegsof3, _ljpeg)
# libjpeg-turbo 3.1 gives wrong samples without a word where components have Huffman tables of
# their own.
_LOSSLESS_COLOUR: tuple[_Decoder, ...] = (_jpegsof3, _ljpeg)
_DECODERS: Mapping[Format, tuple[_Decoder, ...]] = {
    Format.JPEG: (_jpeg8, _simplejpeg),
    Format.JPEG_LS: (_jpegls,),
    Format.JPEG_2000: (_jpeg2k, _openjpeg),
    Format.HTJ2K: (_htj2k, _jpeg2k, _openjpeg),
    Format.JPEG_XL: (_jpegxl,),
}
_FORMATS = {
    **{_ROOT + f"4.{n}": Format.JPEG for n in (50, 51, 57, 70)},
    **{_ROOT + f"4.{n}": Format.JPEG_LS for n in (80, 81)},
    **{_ROOT + f"4.{n}": Format.JPEG_2000 for n in (90, 91, 92, 93, 201, 202, 203)},
    **{_ROOT + f"4.{n}": Format.JPEG_XL for n in (110, 111, 112)},
}
_REFERENCED = {_ROOT + f"4.{n}" for n in (94, 95, 204, 205)}  # pixels lie elsewhere (JPIP)

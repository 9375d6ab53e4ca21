"""JPEG and JPEG-LS: the marker segments before the first scan's data (ISO/IEC 10918-1 §B)."""

from __future__ import annotations

from struct import unpack_from

from vna.errors import MalformedObject
from vna.pixels.codestream.info import CodestreamInfo, Colour, Format

START = b"\xff\xd8"

_SOF_LS = 0xF7
_SOF = {*range(0xC0, 0xD0), _SOF_LS} - {0xC4, 0xC8, 0xCC}  # less DHT, JPG and DAC
_LOSSLESS = {3, 7, 11, 15}
_SOS, _APP0, _APP14 = 0xDA, 0xE0, 0xEE
_STANDALONE = {0x01, *range(0xD0, 0xD9)}  # TEM, RSTn, SOI: no length follows


def read(data: bytes) -> CodestreamInfo:
    """The facts of the first image in `data`, which begin with SOI."""
    position = 2
    frame: tuple[int, int] | None = None
    jfif, adobe = False, -1
    while True:
        if data[position] != 0xFF:
            raise MalformedObject("a JPEG marker is not where it should be", position)
        marker = data[position + 1]
        if marker == 0xFF:  # a fill byte (§B.1.1.2)
            position += 1
            continue
        position += 2
        if marker in _STANDALONE:
            continue
        (length,) = unpack_from(">H", data, position)
        if length < 2:
            raise MalformedObject("a JPEG marker segment is shorter than its length", position)
        body = position + 2
        if marker in _SOF:
            frame = (marker, body)
        elif marker == _APP0 and data.startswith(b"JFIF\0", body):
            jfif = True
        elif marker == _APP14 and data.startswith(b"Adobe", body) and length >= 14:
            adobe = data[body + 11]
        elif marker == _SOS:
            if frame is None:
                raise MalformedObject("a JPEG scan comes before its frame header", position)
            return _facts(data, frame, body, jfif, adobe)
        position += length


def _facts(
    data: bytes, frame: tuple[int, int], scan: int, jfif: bool, adobe: int
) -> CodestreamInfo:
    marker, body = frame
    bits, rows, columns, count = unpack_from(">BHHB", data, body)
    identifiers = bytes(data[body + 6 + 3 * n] for n in range(count))
    sampling = {data[body + 7 + 3 * n] for n in range(count)}
    parameter = data[scan + 1 + 2 * data[scan]]  # Ss: predictor; NEAR of JPEG-LS
    is_ls = marker == _SOF_LS
    process = -1 if is_ls else marker - 0xC0
    return CodestreamInfo(
        Format.JPEG_LS if is_ls else Format.JPEG,
        rows,
        columns,
        count,
        bits,
        lossless=parameter == 0 if is_ls else process in _LOSSLESS,
        colour=_colour(count, identifiers, jfif, adobe),
        subsampled=len(sampling) > 1,
        process=process,
        predictor=parameter if process in _LOSSLESS else 0,
        near=parameter if is_ls else 0,
        length=len(data),
    )


def _colour(count: int, identifiers: bytes, jfif: bool, adobe: int) -> Colour:
    """Component names, then Adobe's transform, then JFIF, which allows nothing but YCbCr."""
    if count == 1:
        return Colour.GRAY
    if count != 3:
        return Colour.UNKNOWN
    if identifiers.upper() == b"RGB":
        return Colour.RGB
    if adobe >= 0:
        return Colour.YCC if adobe == 1 else Colour.RGB
    return Colour.YCC if jfif else Colour.UNKNOWN

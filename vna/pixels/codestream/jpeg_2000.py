"""JPEG 2000 and HTJ2K: the main header (ISO/IEC 15444-1 §A, 15444-15 §A)."""

from __future__ import annotations

from dataclasses import replace
from struct import unpack_from

from vna.errors import MalformedObject
from vna.pixels.codestream.boxes import boxes
from vna.pixels.codestream.info import CodestreamInfo, Colour, Format

START = b"\xff\x4f\xff\x51"

_SOT, _COD, _TLM = 0xFF90, 0xFF52, 0xFF55
_HT = 0x4000  # Rsiz: the capabilities marker is there
_HT_BLOCKS = 0x40  # of the code block style
_PROGRESSIONS = ("LRCP", "RLCP", "RPCL", "PCRL", "CPRL")
_MOST_COMPONENTS = 16384


def read(data: bytes, start: int = 0) -> CodestreamInfo:
    """The facts of the codestream at `start`."""
    position = start + 2
    size: CodestreamInfo | None = None
    coding: tuple[int, ...] | None = None
    tlm = False
    while True:
        marker, length = unpack_from(">HH", data, position)
        if marker == _SOT:
            break
        if length < 2 or marker < 0xFF00:
            raise MalformedObject("a JPEG 2000 marker is not where it should be", position)
        body = position + 4
        if size is None:
            size = _size(data, body, length)
        elif marker == _COD:
            coding = unpack_from(">BBHBBBBBB", data, body)
        elif marker == _TLM:
            tlm = True
        position += 2 + length
    if size is None or coding is None:
        raise MalformedObject("a JPEG 2000 main header has no coding style")
    _, progression, _, transform, levels, _, _, style, kernel = coding
    if progression >= len(_PROGRESSIONS):
        raise MalformedObject(f"JPEG 2000 has no progression order {progression}")
    transformed = bool(transform) and size.samples >= 3
    return replace(
        size,
        format=Format.HTJ2K if style & _HT_BLOCKS else Format.JPEG_2000,
        lossless=kernel == 1,
        colour=Colour.RGB if transformed else size.colour,
        transformed=transformed,
        progression=_PROGRESSIONS[progression],
        levels=levels,
        tlm=tlm,
        offset=start,
        length=len(data) - start,
    )


def read_boxes(data: bytes) -> CodestreamInfo:
    """The facts of the codestream in a JP2, JPX or JPH file."""
    for kind, offset, length in boxes(data):
        if kind == b"jp2c":
            if not data.startswith(START, offset):
                raise MalformedObject("the codestream box holds no JPEG 2000", offset)
            return replace(read(data, offset), length=length)
    raise MalformedObject("the JPEG 2000 file has no codestream")


def _size(data: bytes, body: int, length: int) -> CodestreamInfo:
    """SIZ (§A.5.1)."""
    _, right, bottom, left, top, tile_columns, tile_rows, tile_left, tile_top, count = unpack_from(
        ">H8IH", data, body
    )
    if not 0 < count <= _MOST_COMPONENTS or length < 38 + 3 * count:
        raise MalformedObject("the JPEG 2000 image size says nothing of its components")
    if right <= left or bottom <= top or not tile_columns or not tile_rows:
        raise MalformedObject("the JPEG 2000 image has no area")
    components = [unpack_from(">BBB", data, body + 36 + 3 * n) for n in range(count)]
    depth = components[0][0]
    tiles = -(-(right - tile_left) // tile_columns) * -(-(bottom - tile_top) // tile_rows)
    return CodestreamInfo(
        Format.JPEG_2000,
        bottom - top,
        right - left,
        count,
        (depth & 0x7F) + 1,
        signed=bool(depth & 0x80),
        colour=Colour.GRAY if count == 1 else Colour.UNKNOWN,
        subsampled=any(component[1:] != (1, 1) for component in components),
        tiles=tiles,
    )

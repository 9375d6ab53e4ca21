"""JPEG XL: the image header (ISO/IEC 18181-1 §D), and the first frame's method."""

from __future__ import annotations

from dataclasses import replace

from vna.errors import MalformedObject
from vna.pixels.codestream.boxes import boxes
from vna.pixels.codestream.info import CodestreamInfo, Colour, Format

START = b"\xff\x0a"

_RATIOS = ((1, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_MOST_HEADER = 4096  # bytes in which the headers lie; an ICC profile ends the reading before
_GRAY, _XYB_SPACE = 1, 2


class _Bits:
    """Bits from the least significant one of each byte on."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "little"), len(data) * 8

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise IndexError("no bits are left")
        out = self._value & ((1 << count) - 1)
        self._value >>= count
        return out

    def flag(self) -> bool:
        return bool(self.take(1))

    def choice(self, *choices: tuple[int, int]) -> int:
        """U32: one of four (base, further bits)."""
        base, further = choices[self.take(2)]
        return base + self.take(further)

    def enumerated(self) -> int:
        return self.choice((0, 0), (1, 0), (2, 4), (18, 6))

    def long(self) -> int:
        """U64."""
        choice = self.take(2)
        if choice < 3:
            return (0, 1 + self.take(4), 17 + self.take(8))[choice] if choice else 0
        out, shift = self.take(12), 12
        while self.flag():
            if shift == 60:
                return out | self.take(4) << 60
            out |= self.take(8) << shift
            shift += 8
        return out

    def align(self) -> None:
        self.take(self._left % 8)


def read(data: bytes, start: int = 0) -> CodestreamInfo:
    """The facts of the codestream at `start`."""
    bits = _Bits(data[start + 2 : start + 2 + _MOST_HEADER])
    rows, columns = _dimensions(bits)
    info = CodestreamInfo(
        Format.JPEG_XL,
        rows,
        columns,
        3,
        8,
        colour=Colour.RGB,
        offset=start,
        length=len(data) - start,
    )
    if bits.flag():  # all default: 8 bit, XYB
        return replace(info, lossless=False, transformed=True)
    return _metadata(bits, info)


def read_boxes(data: bytes) -> CodestreamInfo:
    """The facts of the codestream in a JPEG XL file; `length` 0 where it lies there in parts."""
    reconstructs = any(kind == b"jbrd" for kind, _, _ in boxes(data))
    for kind, offset, length in boxes(data):
        if kind in (b"jxlc", b"jxlp"):
            part = 4 if kind == b"jxlp" else 0
            if not data.startswith(START, offset + part):
                raise MalformedObject("the codestream box holds no JPEG XL", offset)
            info = read(data, offset + part)
            length = 0 if part else length
            return replace(info, length=length, reconstructs=reconstructs)
    raise MalformedObject("the JPEG XL file has no codestream")


def _dimensions(bits: _Bits) -> tuple[int, int]:
    small = bits.flag()

    def side() -> int:
        if small:
            return (bits.take(5) + 1) * 8
        return bits.choice((1, 9), (1, 13), (1, 18), (1, 30))

    rows = side()
    ratio = bits.take(3)
    if not ratio:
        return rows, side()
    across, down = _RATIOS[ratio]
    return rows, rows * across // down


def _metadata(bits: _Bits, info: CodestreamInfo) -> CodestreamInfo:
    extra = bits.flag()
    animated = False
    if extra:
        bits.take(3)  # orientation
        if bits.flag():
            _dimensions(bits)  # intrinsic size
        if bits.flag():
            return replace(info, lossless=None)  # a preview: no medical image has one
        animated = bits.flag()
        if animated:
            bits.choice((100, 0), (1000, 0), (1, 10), (1, 30))
            bits.choice((1, 0), (1001, 0), (1, 8), (1, 10))
            bits.choice((0, 0), (0, 3), (0, 16), (0, 32))
            bits.flag()
    floating = bits.flag()
    if floating:
        depth = bits.choice((32, 0), (16, 0), (24, 0), (1, 6))
        bits.take(4)
    else:
        depth = bits.choice((8, 0), (10, 0), (12, 0), (1, 6))
    bits.flag()  # 16 bit buffers are enough
    channels = bits.choice((0, 0), (1, 0), (2, 4), (1, 12))
    info = replace(info, bits=depth, samples=3 + channels, frames=0 if animated else 1)
    if channels:
        return info
    xyb = bits.flag()
    info = replace(info, transformed=xyb, lossless=False if xyb else None)
    space = _colour_space(bits)
    if space is None:
        return info  # an ICC profile: it says whether there is one component or three
    if space == _GRAY:
        info = replace(info, samples=1, colour=Colour.GRAY)
    if xyb or not _skip_to_frame(bits, extra):
        return info
    lossless = _modular(bits)
    # samples as they were given: what they mean is not written; of a JPEG the decoder makes RGB
    return replace(info, lossless=lossless, colour=Colour.UNKNOWN if lossless else info.colour)


def _modular(bits: _Bits) -> bool:
    """Whether the frame whose header comes next is in the modular mode, which can be lossless; the
    other mode never is, except that it holds the coefficients of a JPEG as they were."""
    if bits.flag():  # all default
        return False
    bits.take(2)  # frame type
    return bits.flag()


def _colour_space(bits: _Bits) -> int | None:
    """RGB 0, gray 1, XYB 2, unknown 3; None where an ICC profile follows."""
    if bits.flag():  # all default: sRGB
        return 0
    profile, space = bits.flag(), bits.enumerated()
    if profile:
        return _GRAY if space == _GRAY else None
    if space != _XYB_SPACE:
        if bits.enumerated() == 2:  # white point of its own
            _chromaticity(bits)
        if space != _GRAY and bits.enumerated() == 2:  # primaries of its own
            for _ in range(3):
                _chromaticity(bits)
    if bits.flag():
        bits.take(24)  # gamma
    else:
        bits.enumerated()
    bits.enumerated()  # rendering intent
    return space


def _chromaticity(bits: _Bits) -> None:
    for _ in range(2):
        bits.choice((0, 19), (524288, 19), (1048576, 20), (2097152, 21))


def _skip_to_frame(bits: _Bits, extra: bool) -> bool:
    """Whether the reading came to the first frame's header."""
    if extra and not bits.flag():  # tone mapping
        bits.take(16 + 16 + 1 + 16)
    if bits.long() or not bits.flag():  # extensions, or a transform of its own
        return False
    bits.align()
    return True

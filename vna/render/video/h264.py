"""What must be known of a bare H.264 stream to put it into a container (ISO/IEC 14496-10).

Parameter sets, and of each picture its place in time: no picture is decoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from vna.errors import Undecodable
from vna.render.video.bits import Bits, payload_of

SLICE, IDR, SEI, SPS, PPS, DELIMITER = 1, 5, 6, 7, 8, 9
# Profiles whose sequence parameter sets say more (§7.3.2.1.1).
_HIGH = frozenset((100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135))
_RECOVERY_POINT = 6


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence parameter set. `rate`: pictures a second, None where it does not say."""

    unit: bytes
    number: int
    width: int
    height: int
    chroma: int
    luma_bits: int
    chroma_bits: int
    separate_planes: bool
    frame_number_bits: int
    order_type: int
    order_bits: int
    frames_only: bool
    rate: Fraction | None

    @property
    def high(self) -> bool:
        """Whether `avcC` says chroma format and bit depths of it."""
        return self.unit[1] in (100, 110, 122, 144)


@dataclass(frozen=True, slots=True)
class Picture:
    """A slice header. `order`: least significant bits of the picture order count, 0 where pictures
    are shown as they are coded. `first`: the picture begins here."""

    first: bool
    reference: bool
    key: bool
    order: int


def sequence(unit: bytes) -> Sequence:
    """Read a sequence parameter set; raises `Undecodable`."""
    if len(unit) < 5:
        raise Undecodable("a sequence parameter set of the H.264 stream is too short")
    bits = Bits(payload_of(unit))
    profile = bits.take(8)
    bits.take(16)
    number = bits.unsigned()
    chroma, luma_bits, chroma_bits, separate = 1, 8, 8, False
    if profile in _HIGH:
        chroma = bits.unsigned()
        separate = chroma == 3 and bits.flag()
        luma_bits, chroma_bits = 8 + bits.unsigned(), 8 + bits.unsigned()
        bits.flag()
        if bits.flag():
            for place in range(12 if chroma == 3 else 8):
                if bits.flag():
                    _skip_scaling(bits, 16 if place < 6 else 64)
    frame_number_bits = bits.unsigned() + 4
    order_type = bits.unsigned()
    order_bits = bits.unsigned() + 4 if order_type == 0 else 0
    if order_type == 1:
        raise Undecodable("H.264 pictures of order count type 1 are not put into MPEG-4")
    bits.unsigned()  # reference frames
    bits.flag()
    width = (bits.unsigned() + 1) * 16
    units = bits.unsigned() + 1
    frames_only = bits.flag()
    height = units * 16 * (1 if frames_only else 2)
    if not frames_only:
        bits.flag()
    bits.flag()
    if bits.flag():
        across, down = (2 if chroma in (1, 2) else 1), (2 if chroma == 1 else 1)
        down *= 1 if frames_only else 2
        width -= (bits.unsigned() + bits.unsigned()) * across
        height -= (bits.unsigned() + bits.unsigned()) * down
    rate = _rate(bits) if bits.flag() else None
    if not (0 < width <= 16384 and 0 < height <= 16384 and chroma <= 3 and number < 32):
        raise Undecodable("the H.264 stream has no size")
    return Sequence(unit, number, width, height, chroma, luma_bits, chroma_bits, separate,
                    frame_number_bits, order_type, order_bits, frames_only, rate)  # fmt: skip


def picture_set(unit: bytes) -> tuple[int, int]:
    """(number, number of its sequence parameter set) of a picture parameter set."""
    bits = Bits(payload_of(unit))
    return bits.unsigned(), bits.unsigned()


def picture(unit: bytes, sequences: dict[int, Sequence], pictures: dict[int, int]) -> Picture:
    """Read the header of a slice from its first bytes; raises `Undecodable`."""
    kind, reference = unit[0] & 31, bool(unit[0] >> 5 & 3)
    bits = Bits(payload_of(unit))
    first = bits.unsigned() == 0
    bits.unsigned()  # slice type
    within = sequences.get(pictures.get(bits.unsigned(), -1))
    if within is None:
        raise Undecodable("the H.264 stream has a picture without its parameters")
    if within.separate_planes:
        bits.take(2)
    bits.take(within.frame_number_bits)
    if not within.frames_only and bits.flag():
        raise Undecodable("interlaced H.264 is not put into MPEG-4")
    if kind == IDR:
        bits.unsigned()
    order = bits.take(within.order_bits) if within.order_type == 0 else 0
    return Picture(first, reference, kind == IDR, order)


def recovers(unit: bytes) -> bool:
    """Whether a supplemental message says that decoding may begin at its picture (§D.1.8)."""
    payload, at = payload_of(unit), 0
    while at + 2 < len(payload):
        kind, at = _long(payload, at)
        if kind == _RECOVERY_POINT:
            return True
        size, at = _long(payload, at)
        at += size
    return False


def _long(payload: bytes, at: int) -> tuple[int, int]:
    number = 0
    while at < len(payload) and payload[at] == 255:
        number += 255
        at += 1
    return (number + payload[at], at + 1) if at < len(payload) else (0, at + 1)


def _skip_scaling(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _rate(bits: Bits) -> Fraction | None:
    """Pictures a second from the usability information (§E.1.1)."""
    if bits.flag() and bits.take(8) == 255:
        bits.take(32)
    if bits.flag():
        bits.flag()
    if bits.flag():
        bits.take(4)
        if bits.flag():
            bits.take(24)
    if bits.flag():
        bits.unsigned()
        bits.unsigned()
    if not bits.flag():
        return None
    ticks, scale = bits.take(32), bits.take(32)
    return Fraction(scale, 2 * ticks) if ticks and scale else None

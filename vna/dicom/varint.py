"""Unsigned numbers of seven bits a byte, least significant first (LEB128)."""

from __future__ import annotations


def put(out: bytearray, number: int) -> None:
    """Append `number`, which is zero or more."""
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def take(data: bytes, at: int) -> tuple[int, int]:
    """The number at `at` and where the next one begins.

    Raises IndexError at the end of the data, ValueError for more than 64 bits.
    """
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")

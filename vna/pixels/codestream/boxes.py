"""Boxes of the ISO base media format, in which JPEG 2000 and JPEG XL files wrap a codestream."""

from __future__ import annotations

from collections.abc import Iterator
from struct import unpack_from

from vna.errors import MalformedObject

JP2 = b"\0\0\0\x0cjP  "
JXL = b"\0\0\0\x0cJXL "


def boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, offset, length) of the content of each box of the first level."""
    position, size = 0, len(data)
    while position + 8 <= size:
        length, kind = unpack_from(">I4s", data, position)
        head = 8
        if length == 1:
            (length,) = unpack_from(">Q", data, position + 8)
            head = 16
        elif length == 0:
            length = size - position
        if length < head:
            raise MalformedObject("a box is shorter than its head", position)
        yield kind, position + head, min(length, size - position) - head
        position += length

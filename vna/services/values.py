"""Pixel data, frames and other bulk values of one object: little endian, without item heads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from storage_backends.prompt import takes_time
from vna.dicom.anatomy import Anatomy, Kind
from vna.dicom.elements import read_elements
from vna.dicom.header import Header
from vna.dicom.inflate import InflatedSource
from vna.dicom.json import find
from vna.dicom.source import chunks
from vna.dicom.transfer_syntax import EXPLICIT_LE
from vna.dicom.values import swapped
from vna.dicom.writer import bits_allocated, unit_of
from vna.errors import NotFound
from vna.services.payload import CHUNK, Payload
from vna.services.reading import ObjectReader, Ranges, clipped


@dataclass(frozen=True)
class Values:
    """The values of one object. `transfer_syntax`: as stored."""

    reader: ObjectReader
    anatomy: Anatomy
    header: Header
    transfer_syntax: str

    def frame(self, number: int) -> Payload:
        """One frame, numbered from 1; raises `NotFound`."""
        anatomy = self.anatomy
        ranges = anatomy.frame(number)
        if anatomy.kind is Kind.ENCAPSULATED:
            return self._payload(self.transfer_syntax, ranges)
        if anatomy.frame_bits % 8:
            return self._bits(ranges, anatomy.first_bit(number))
        return self._native(*ranges[0], self._pixel_unit())

    def pixel_data(self) -> list[Payload]:
        """All of it: native as one value, encapsulated as its frames; raises `NotFound`."""
        if self.anatomy.kind is Kind.NONE:
            raise NotFound("the object has no pixel data")
        if self.anatomy.kind is Kind.ENCAPSULATED:
            return [self.frame(number) for number in range(1, self.anatomy.number_of_frames + 1)]
        return [self.at(f"{self.anatomy.pixel_tag:08X}")]

    def at(self, path: str) -> Payload:
        """The value at a path of DICOM JSON's BulkDataURI; raises `NotFound`.

        Fragments that cannot be told apart are given with their item heads, as stored.
        """
        elements = read_elements(self.header)
        element = find(elements, path.upper())
        if element is None or element.items is not None or self.header.incomplete:
            raise NotFound(f"there is no bulk data at {path[:80]}")
        offset = element.offset + (0 if self.anatomy.deflated else self.anatomy.dataset_offset)
        if element.undefined:
            return self._payload(self.transfer_syntax, [(offset, element.length)])
        return self._native(offset, element.length, unit_of(element, bits_allocated(elements)))

    def stretch(self, offset: int, length: int) -> Iterator[bytes]:
        """Yield bytes of the data set, counted from its beginning, as they lie."""
        base = 0 if self.anatomy.deflated else self.anatomy.dataset_offset
        return self._pieces([(base + offset, length)])

    def _pixel_unit(self) -> int:
        if self.transfer_syntax == EXPLICIT_LE:
            return 1
        takes_time()
        elements = read_elements(self.header)
        pixels = next((each for each in elements if each.tag == self.anatomy.pixel_tag), None)
        return unit_of(pixels, bits_allocated(elements)) if pixels else 1

    def _payload(self, transfer_syntax: str, ranges: Ranges) -> Payload:
        size = sum(length for _, length in ranges)
        return Payload(
            transfer_syntax,
            size,
            lambda start, length: self._pieces(clipped(ranges, start, length)),
        )

    def _native(self, offset: int, length: int, unit: int) -> Payload:
        if unit == 1:
            return self._payload(EXPLICIT_LE, [(offset, length)])
        base = self.anatomy.pixel_offset if self.anatomy.pixel_tag else offset
        base = base if base <= offset else offset

        def turned(start: int, wanted: int | None) -> Iterator[bytes]:
            """Whole units are read and turned; what was not asked for of the first and the last
            is cut off (a frame of 8-bit pixels in words may begin inside one)."""
            count = length - start if wanted is None else min(wanted, length - start)
            first = offset + start
            begin = base + (first - base) // unit * unit
            end = base - (base - first - count) // unit * unit
            skip, left = first - begin, count
            for piece in self._pieces([(begin, end - begin)]):
                part = swapped(piece, unit)[skip : skip + left]
                skip = 0
                left -= len(part)
                yield part

        return Payload(EXPLICIT_LE, length, turned)

    def _bits(self, ranges: Ranges, first_bit: int) -> Payload:
        count = self.anatomy.frame_bits
        size = -(-count // 8)

        def aligned(start: int, length: int | None) -> Iterator[bytes]:
            takes_time()
            frame = bits(b"".join(self._pieces(ranges)), first_bit, count)
            yield frame[start : None if length is None else start + length]

        return Payload(EXPLICIT_LE, size, aligned)

    def _pieces(self, ranges: Ranges) -> Iterator[bytes]:
        if not self.anatomy.deflated:
            yield from self.reader.ranges(ranges)
            return
        takes_time()
        inflated = InflatedSource(self.reader, self.anatomy.dataset_offset)
        for offset, length in ranges:
            yield from chunks(inflated, offset, length, CHUNK)


def bits(data: bytes, first: int, count: int) -> bytes:
    """`count` bits from bit `first` of `data`, moved to bit 0; the last byte is filled with zeros.

    Bit 0 is the least significant of the first byte (PS3.5 §8.1.1).
    """
    number = int.from_bytes(data, "little") >> first
    return (number & ((1 << count) - 1)).to_bytes(-(-count // 8), "little")

"""What a data set says of its pixels (PS3.3 §C.7.6.3, PS3.5 §8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from vna.dicom.elements import Elements
from vna.errors import MalformedObject, Undecodable

PIXEL_DATA = 0x7FE00010
FLOAT_PIXEL_DATA = 0x7FE00008
DOUBLE_FLOAT_PIXEL_DATA = 0x7FE00009

LARGEST_FRAME = 1 << 30  # bytes decoded; more than any detector or slide tile of today

_FLOATS = {FLOAT_PIXEL_DATA: 32, DOUBLE_FLOAT_PIXEL_DATA: 64}
_WIDTHS = (1, 8, 16, 32, 64)  # bits allocated that samples are read from
_SUBSAMPLED = {
    "YBR_FULL_422": 2,
    "YBR_PARTIAL_422": 2,
}  # native samples per pixel, of three (PS3.3 §C.7.6.3.1.2)


@dataclass(frozen=True, slots=True)
class PixelDescription:
    """The Image Pixel attributes of one object.

    `planar`: 1 where native samples of a colour follow each other plane by plane. `allocated`,
    `stored`: bits of a sample. `frames`: at least 1. `pixel_tag`: the element that has the pixels.
    """

    rows: int
    columns: int
    samples: int
    photometric: str
    planar: int
    allocated: int
    stored: int
    high_bit: int
    signed: bool
    frames: int = 1
    pixel_tag: int = PIXEL_DATA

    @classmethod
    def of(cls, elements: Elements, pixel_tag: int = PIXEL_DATA) -> PixelDescription:
        """What `elements` say; what is missing and has only one meaning is filled in.

        Raises `MalformedObject` naming the attribute that is missing or out of its domain.
        """
        read = _Reader(elements)
        rows = read.number(0x00280010, "Rows")
        columns = read.number(0x00280011, "Columns")
        samples = read.number(0x00280002, "Samples per Pixel", 1)
        floating = _FLOATS.get(pixel_tag)
        allocated = floating or read.number(0x00280100, "Bits Allocated")
        stored = allocated if floating else read.number(0x00280101, "Bits Stored", allocated)
        if not 0 < stored <= allocated:
            raise MalformedObject(f"Bits Stored is {stored} of {allocated} Bits Allocated")
        high_bit = stored - 1 if floating else read.number(0x00280102, "High Bit", stored - 1, 0)
        if not stored - 1 <= high_bit < allocated:
            raise MalformedObject(f"High Bit is {high_bit}, with {stored} Bits Stored")
        return cls(
            rows=rows,
            columns=columns,
            samples=samples,
            photometric=read.code(0x00280004) or ("RGB" if samples == 3 else "MONOCHROME2"),
            planar=read.number(0x00280006, "Planar Configuration", 0, 0) if samples > 1 else 0,
            allocated=allocated,
            stored=stored,
            high_bit=high_bit,
            signed=bool(floating) or read.number(0x00280103, "Pixel Representation", 0, 0) == 1,
            frames=read.number(0x00280008, "Number of Frames", 1),
            pixel_tag=pixel_tag,
        )

    def facts(self) -> dict[str, Any]:
        """The same as JSON."""
        return asdict(self)

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> PixelDescription:
        """What `facts` gave."""
        return cls(**{field.name: facts[field.name] for field in fields(cls)})

    @property
    def floating(self) -> bool:
        """Whether samples are IEEE floating point numbers."""
        return self.pixel_tag in _FLOATS

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of one decoded sample; a 1-bit sample takes a byte.  Raises `Undecodable`."""
        if self.allocated not in _WIDTHS:
            raise Undecodable(f"samples of {self.allocated} bits are not read")
        kind = "f" if self.floating else "i" if self.signed and self.allocated > 1 else "u"
        return np.dtype(f"{kind}{max(1, self.allocated // 8)}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one decoded frame: (rows, columns), and the samples where there are several."""
        shape = (self.rows, self.columns)
        return (*shape, self.samples) if self.samples > 1 else shape

    @property
    def frame_samples(self) -> int:
        """Samples of one decoded frame."""
        return self.rows * self.columns * self.samples

    @property
    def frame_bits(self) -> int:
        """Bits of one native frame; fewer than decoded where chrominance is subsampled."""
        samples = _SUBSAMPLED.get(self.photometric, 3) if self.samples == 3 else self.samples
        return self.rows * self.columns * samples * self.allocated

    def check_size(self, largest: int = LARGEST_FRAME) -> None:
        """Raise `Undecodable` where a decoded frame has more than `largest` bytes."""
        size = self.frame_samples * self.dtype.itemsize
        if size > largest:
            raise Undecodable(
                f"a frame of {self.rows} x {self.columns} x {self.samples} samples takes "
                f"{size} bytes; at most {largest} are decoded"
            )


class _Reader:
    """Numbers and codes of the first level."""

    def __init__(self, elements: Elements) -> None:
        self._found = {e.tag: e for e in elements if e.tag >> 16 == 0x0028 and e.value}

    def code(self, tag: int) -> str:
        element = self._found.get(tag)
        value = element.value if element else None
        return (value or b"").split(b"\\")[0].strip(b"\0 ").decode("latin-1").upper()

    def number(self, tag: int, name: str, default: int | None = None, least: int = 1) -> int:
        """A US or IS value of at least `least`; `default` where it is absent or empty."""
        element = self._found.get(tag)
        if element is None or element.value is None:
            if default is None:
                raise MalformedObject(f"{name} is missing")
            return default
        value = element.value
        if element.vr == "IS":
            text = value.split(b"\\")[0].strip(b"\0 ")
            digits = text[1:] if text[:1] == b"+" else text
            number = int(digits) if digits.isdigit() and len(digits) < 12 else -1
        elif len(value) < 2:
            number = -1
        else:
            number = int.from_bytes(value[:2], "big" if element.big else "little")
        if number < least:
            raise MalformedObject(f"{name} is not a number of at least {least}")
        return number

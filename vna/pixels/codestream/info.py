"""The facts of a codestream."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Format(Enum):
    """The family of a codestream."""

    JPEG = "jpeg"
    JPEG_LS = "jpeg-ls"
    JPEG_2000 = "jpeg-2000"
    HTJ2K = "htj2k"
    JPEG_XL = "jpeg-xl"
    PNG = "png"
    GIF = "gif"


class Colour(Enum):
    """What the components are, as far as the codestream itself says so."""

    UNKNOWN = ""
    GRAY = "gray"
    RGB = "RGB"
    YCC = "YCbCr"  # stored as luminance and chrominance; the decoder may be told to leave it so
    PALETTE = "palette"


@dataclass(frozen=True, slots=True)
class CodestreamInfo:
    """The facts of one codestream.

    `bits`: precision of a sample. `lossless`: whether the method is reversible; None where the
    beginning does not tell. `colour`: of the components, before any transform that the decoder
    undoes by itself, which `transformed` says is there (RCT and ICT of JPEG 2000, XYB of JPEG XL).
    `subsampled`: components differ in resolution. `process`: n of JPEG's SOFn. `predictor`: of
    lossless JPEG. `near`: largest error of JPEG-LS. `progression`: of JPEG 2000, "LRCP" and so on.
    `levels`: decompositions of JPEG 2000. `tlm`: JPEG 2000 tile-part lengths are there. `frames`: 0
    where not known. `reconstructs`: a JPEG XL file out of which the JPEG comes that it was made of,
    byte by byte. `offset`, `length`: of the bare codestream in the bytes given, which may be a
    file; length 0 where it lies there in parts.
    """

    format: Format
    rows: int
    columns: int
    samples: int
    bits: int
    signed: bool = False
    lossless: bool | None = None
    colour: Colour = Colour.UNKNOWN
    transformed: bool = False
    subsampled: bool = False
    process: int = -1
    predictor: int = 0
    near: int = 0
    progression: str = ""
    levels: int = 0
    tiles: int = 1
    tlm: bool = False
    frames: int = 1
    reconstructs: bool = False
    offset: int = 0
    length: int = 0

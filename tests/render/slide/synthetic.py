"""A small synthetic slide: three levels of JPEG tiles, and what its pixels are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from tests.dicom.objects import to_bytes
from vna.dicom.elements import read_elements
from vna.dicom.item import Item
from vna.dicom.scan import Scan, scan
from vna.dicom.source import BytesSource
from vna.pixels.description import PixelDescription
from vna.render.slide.compose import compose
from vna.render.slide.iiif import Asked, parse
from vna.render.slide.pyramid import Pyramid, pyramid
from vna.render.slide.tiles import tiles_of
from vna.render.slide.view import View, view

JPEG = "1.2.840.10008.1.2.4.50"
EXPLICIT_LE = "1.2.840.10008.1.2.1"
WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"

Pixels = NDArray[np.uint8]


def tissue(columns: int, rows: int) -> Pixels:
    """A smooth picture in which no two places look the same."""
    y, x = np.mgrid[0:rows, 0:columns].astype(float)
    return np.stack(
        (255 * x / columns, 255 * y / rows, 127 + 120 * np.sin(x / 37) * np.cos(y / 29)), axis=2
    ).astype(np.uint8)


def smaller(pixels: Pixels, factor: int) -> Pixels:
    """The mean of squares."""
    rows, columns = (each // factor * factor for each in pixels.shape[:2])
    squares = pixels[:rows, :columns].reshape(rows // factor, factor, columns // factor, factor, 3)
    found: Pixels = squares.mean(axis=(1, 3)).round().astype(np.uint8)
    return found


def after_loss(pixels: Pixels, tile: int) -> Pixels:
    """What is left of a picture after its tiles were JPEG, by another decoder."""
    rows, columns = pixels.shape[:2]
    across = -(-columns // tile)
    whole = np.zeros((-(-rows // tile) * tile, across * tile, 3), np.uint8)
    for at, each in enumerate(cut(pixels, tile)):
        y, x = at // across * tile, at % across * tile
        whole[y : y + tile, x : x + tile] = simplejpeg.decode_jpeg(jpeg(each))
    return whole[:rows, :columns]


def cut(pixels: Pixels, tile: int) -> list[Pixels]:
    """Tiles row by row, the last ones filled up with black."""
    rows, columns = (-(-each // tile) * tile for each in pixels.shape[:2])
    whole = np.zeros((rows, columns, 3), np.uint8)
    whole[: pixels.shape[0], : pixels.shape[1]] = pixels
    return [
        np.ascontiguousarray(whole[y : y + tile, x : x + tile])
        for y in range(0, rows, tile)
        for x in range(0, columns, tile)
    ]


def jpeg(tile: Pixels) -> bytes:
    """As scanners write them: YCbCr, chrominance halved."""
    return simplejpeg.encode_jpeg(tile, quality=92, colorspace="RGB", colorsubsampling="422")


def instance(
    pixels: Pixels,
    tile: int,
    number: int,
    *,
    root: str = "1.2.3",
    flavour: str = "VOLUME",
    native: bool = False,
    tiles: list[Pixels] | None = None,
    **attributes: Any,
) -> bytes:
    """One level as a TILED_FULL file, or with `tiles` and attributes of its own."""
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = WHOLE_SLIDE, f"{root}.4.{number}"
    made.StudyInstanceUID, made.SeriesInstanceUID = root, f"{root}.4"
    made.PatientID, made.Modality, made.InstanceNumber = "SLIDE", "SM", number
    made.ImageType = ["ORIGINAL", "PRIMARY", flavour, "NONE"]
    made.TotalPixelMatrixRows, made.TotalPixelMatrixColumns = pixels.shape[:2]
    made.Rows = made.Columns = tile
    made.SamplesPerPixel, made.PlanarConfiguration, made.PixelRepresentation = 3, 0, 0
    made.BitsAllocated, made.BitsStored, made.HighBit = 8, 8, 7
    made.PhotometricInterpretation = "RGB" if native else "YBR_FULL_422"
    made.DimensionOrganizationType = "TILED_FULL"
    frames = cut(pixels, tile) if tiles is None else tiles
    made.NumberOfFrames = len(frames)
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    if native:
        made.PixelData = b"".join(each.tobytes() for each in frames)
        made["PixelData"].VR = "OB"
        return to_bytes(made, EXPLICIT_LE)
    made.PixelData = encapsulate([jpeg(each) for each in frames])
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    return to_bytes(made, JPEG)


def position(column: int, row: int, path: str = "1", depth: float = 0.0) -> Dataset:
    """The per-frame item of a TILED_SPARSE tile; pixels from 0."""
    plane, optical, made = Dataset(), Dataset(), Dataset()
    plane.ColumnPositionInTotalImagePixelMatrix = column + 1
    plane.RowPositionInTotalImagePixelMatrix = row + 1
    plane.ZOffsetInSlideCoordinateSystem = str(depth)
    optical.OpticalPathIdentifier = path
    made.PlanePositionSlideSequence = [plane]
    made.OpticalPathIdentificationSequence = [optical]
    return made


@dataclass
class Slide:
    """Files read as a slide, without an archive."""

    files: list[bytes]

    def __post_init__(self) -> None:
        self.scans: list[Scan] = [scan(BytesSource(each)) for each in self.files]
        elements = [read_elements(each.header) for each in self.scans]
        found = pyramid(
            [
                tiles_of(Item.of(each), scanned.anatomy.number_of_frames)
                for each, scanned in zip(elements, self.scans, strict=True)
            ]
        )
        assert found is not None
        self.pyramid: Pyramid = found
        self.descriptions = [PixelDescription.of(each).facts() for each in elements]

    def frame(self, part: int, number: int) -> bytes:
        """A stored frame."""
        ranges = self.scans[part].anatomy.frame(number)
        return b"".join(self.files[part][at : at + length] for at, length in ranges)

    def ask(
        self,
        region: str = "full",
        size: str = "max",
        rotation: str = "0",
        quality: str = "default",
        format: str = "png",
    ) -> tuple[Asked, View, bytes]:
        """What is asked, what it is made of, and the picture put together."""
        asked = parse(self.pyramid, region, size, rotation, quality, format)
        found = view(self.pyramid, asked)
        sources = [
            [self.scans[each.part].transfer_syntax, self.descriptions[each.part]]
            for each in found.pieces
        ]
        frames = [self.frame(each.part, each.frame) for each in found.pieces]
        return asked, found, compose(found.facts() | {"sources": sources}, frames)[1]


def levels(pixels: Pixels, tile: int = 64, root: str = "1.2.3") -> list[bytes]:
    """Three levels, each a quarter of the side of the one before, the smallest first."""
    return [
        instance(smaller(pixels, factor), tile, number, root=root)
        for number, factor in enumerate((16, 4, 1), start=1)
    ]

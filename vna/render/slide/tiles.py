"""Where the tiles of one whole-slide instance lie (PS3.3 §C.7.6.17.3, §C.8.12.4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vna.dicom.item import Item

WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
# Flavours of (0008,0008) value 3 that show the tissue. A label has the patient's name on it, and
# an overview has the label.
_TISSUE = frozenset(("VOLUME", "THUMBNAIL", ""))
_LARGEST_SIDE = 1 << 24  # pixels

Numbers = NDArray[np.int32]


@dataclass(frozen=True)
class Tiles:
    """The tiles of one optical path and one focal plane of an instance.

    `columns`, `rows`: pixels of the level; `x`, `y`: of each tile's upper left corner from 0;
    `frames`: its number, from 1.
    """

    columns: int
    rows: int
    tile_columns: int
    tile_rows: int
    x: Numbers
    y: Numbers
    frames: Numbers


def tiles_of(item: Item, number_of_frames: int) -> Tiles | None:
    """The tiles of an instance; None where it is no part of the picture of the tissue.

    The first optical path, and of several focal planes the middle one.
    """
    flavour = [*item.texts(0x00080008), "", "", ""][2]
    columns, rows = item.integer(0x00480006), item.integer(0x00480007)
    tile_columns, tile_rows = item.integer(0x00280011), item.integer(0x00280010)
    if flavour not in _TISSUE or number_of_frames < 1:
        return None
    if not (0 < columns <= _LARGEST_SIDE and 0 < rows <= _LARGEST_SIDE):
        return None
    if not (0 < tile_columns <= _LARGEST_SIDE and 0 < tile_rows <= _LARGEST_SIDE):
        return None
    if item.first(0x00209311) == "TILED_FULL" or not item.has(0x52009230):
        x, y, frames = _full(item, number_of_frames, columns, rows, tile_columns, tile_rows)
    else:
        x, y, frames = _sparse(item, number_of_frames)
    there = (x < columns) & (y < rows) & (x > -tile_columns) & (y > -tile_rows)
    return Tiles(columns, rows, tile_columns, tile_rows, x[there], y[there], frames[there])


def _full(
    item: Item, count: int, columns: int, rows: int, tile_columns: int, tile_rows: int
) -> tuple[Numbers, Numbers, Numbers]:
    """Tiles row by row, then focal planes, then optical paths; a concatenation goes on counting."""
    across, down = -(-columns // tile_columns), -(-rows // tile_rows)
    plane = across * down
    planes = max(1, item.integer(0x00480303, 1))
    index = np.arange(count, dtype=np.int64) + item.integer(0x00209228)
    wanted = (index // plane) == (planes - 1) // 2
    place = index[wanted] % plane
    frames = np.flatnonzero(wanted) + 1
    return (
        (place % across * tile_columns).astype(np.int32),
        (place // across * tile_rows).astype(np.int32),
        frames.astype(np.int32),
    )


def _sparse(item: Item, count: int) -> tuple[Numbers, Numbers, Numbers]:
    """Each frame says where it lies."""
    shared = item.item(0x52009229)
    found: list[tuple[int, int, int]] = []
    paths: list[str] = []
    depths: list[float] = []
    for number, frame in enumerate(item.items(0x52009230)[:count], start=1):
        position = frame.item(0x0048021A) or (shared and shared.item(0x0048021A))
        if not position:
            continue
        path = frame.item(0x00480207)
        found.append((position.integer(0x0048021E, 1) - 1, position.integer(0x0048021F, 1) - 1,
                      number))  # fmt: skip
        paths.append(path.first(0x00480106) if path else "")
        depths.append(position.number(0x0040074A) or 0.0)
    first = next((each for each in _declared(item) if each in paths), next(iter(paths), ""))
    levels = sorted({depth for depth, path in zip(depths, paths, strict=True) if path == first})
    middle = levels[(len(levels) - 1) // 2] if levels else 0.0
    kept = [
        each
        for each, path, depth in zip(found, paths, depths, strict=True)
        if path == first and depth == middle
    ]
    array = np.array(kept, dtype=np.int64).reshape(-1, 3).clip(-(1 << 30), 1 << 30)
    array = array.astype(np.int32)
    return array[:, 0], array[:, 1], array[:, 2]


def _declared(item: Item) -> list[str]:
    return [each.first(0x00480106) for each in item.items(0x00480105)]

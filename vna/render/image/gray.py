"""Samples of one component as levels of gray: what all stages make of each possible value.

Samples of up to 16 bits are looked up in a table of all values that a frame has; each stage then
works on a few thousand numbers and not on a quarter of a million.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vna.pixels.description import PixelDescription
from vna.render.image.lookup import Array
from vna.render.image.modality import Modality
from vna.render.image.padding import Padding
from vna.render.image.presentation_lut import PresentationLut
from vna.render.image.voi import Span, Voi

Levels = npt.NDArray[np.uint8]
BACKGROUND = 0  # of padding, and of what is no number
_TABLE_BYTES = 2  # of samples that go through a table
_AT_ONCE = 1 << 20  # samples that are computed as floating point numbers at a time


@dataclass(frozen=True, slots=True)
class GrayPipeline:
    """All stages. `voi`: None where neither image nor client name one, so that the frame's own
    range counts (PS3.3 §C.11.2 leaves it open)."""

    modality: Modality
    voi: Voi | None
    presentation: PresentationLut
    padding: Padding | None = None

    def levels(self, samples: Array, description: PixelDescription) -> Levels:
        """P-values from 0 to 255 of every sample."""
        padded = self.padding(samples) if self.padding is not None else None
        if padded is not None and not padded.any():
            padded = None
        voi = self.voi or self._span(samples, padded, description)
        if samples.dtype.kind in "iu" and samples.dtype.itemsize <= _TABLE_BYTES:
            found = self._looked_up(samples, voi)
        else:
            found = self._computed(samples, voi)
        if padded is not None:
            found[padded] = BACKGROUND
        return found

    def shade(self, samples: Array, description: PixelDescription) -> Array:
        """The same as numbers from 0 to 1, for a stage that follows."""
        return self._shaded(samples, self.voi or self._span(samples, None, description))

    def _shaded(self, samples: Array, voi: Voi) -> Array:
        return self.presentation(voi(self.modality(samples.astype(float))))

    def _looked_up(self, samples: Array, voi: Voi) -> Levels:
        low, high = int(samples.min()), int(samples.max())
        table = _to_levels(self._shaded(np.arange(low, high + 1), voi))
        if low:
            unsigned = np.dtype(f"u{samples.dtype.itemsize}")
            base = np.array(low).astype(samples.dtype).view(unsigned)
            samples = samples.view(unsigned) - base  # wraps around to what is meant
        return table.take(samples, mode="clip")  # four times as fast as with a check

    def _computed(self, samples: Array, voi: Voi) -> Levels:
        flat = samples.reshape(-1)
        found = np.empty(flat.shape, np.uint8)
        for at in range(0, len(flat), _AT_ONCE):
            part = flat[at : at + _AT_ONCE]
            with np.errstate(invalid="ignore", over="ignore"):
                shaded = self._shaded(part, voi)
            found[at : at + _AT_ONCE] = _to_levels(np.nan_to_num(shaded, nan=BACKGROUND))
        return found.reshape(samples.shape)

    def _span(self, samples: Array, padded: Array | None, description: PixelDescription) -> Span:
        """Of the frame without padding; of few bits all values, which are meant as they are."""
        if description.stored <= 8 and not description.signed and self.modality.identity:
            return Span(0, (1 << description.stored) - 1)
        kept = samples if padded is None else samples[~padded]
        if kept.dtype.kind == "f":
            kept = kept[np.isfinite(kept)]
        if not kept.size:
            return Span(0, 0)
        if self.modality.table is not None:
            found = self.modality(np.unique(kept))
            return Span(float(found.min()), float(found.max()))
        ends = self.modality(np.array([kept.min(), kept.max()], float))
        return Span(float(ends.min()), float(ends.max()))


def _to_levels(shaded: Array) -> Levels:
    return (shaded * 255 + 0.5).astype(np.uint8)

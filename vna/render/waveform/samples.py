"""Samples as numbers with a unit (PS3.3 §C.10.9.1.4, .5)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vna.render.waveform.recording import Group

Samples = NDArray[np.float64]


def values(group: Group, data: bytes) -> Samples:
    """Moments × channels in the channels' units; NaN where the padding value stands.

    `data`: whole moments, little endian, interleaved.
    """
    count = len(data) // group.stride
    raw = np.frombuffer(data, group.sample_type, count * len(group.channels))
    raw = raw.reshape(count, len(group.channels))
    numbers = _linear(raw, group.interpretation)
    scale = np.array([each.scale for each in group.channels])
    baseline = np.array([each.baseline for each in group.channels])
    found: Samples = numbers * scale + baseline
    if group.padding is not None:
        found[raw == group.padding] = np.nan
    return found


def _linear(raw: NDArray[np.generic], interpretation: str) -> Samples:
    law = {"MB": _MU_LAW, "AB": _A_LAW}.get(interpretation)
    return raw.astype(np.float64) if law is None else law.take(raw.astype(np.intp))


def _mu_law() -> Samples:
    """Every code of 8-bit µ-law as a 14-bit number (ITU-T G.711 table 2)."""
    code = ~np.arange(256, dtype=np.uint8)
    magnitude = (((code & 15).astype(np.int64) << 1) + 33 << (code >> 4 & 7)) - 33
    return np.where(code & 128, -magnitude, magnitude).astype(np.float64)


def _a_law() -> Samples:
    """Every code of 8-bit A-law as a 13-bit number (ITU-T G.711 table 1)."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    segment = (code >> 4 & 7).astype(np.int64)
    step = ((code & 15).astype(np.int64) << 1) + 1
    magnitude = np.where(segment > 0, step + 32 << np.maximum(segment - 1, 0), step)
    return np.where(code & 128, magnitude, -magnitude).astype(np.float64)


_MU_LAW, _A_LAW = _mu_law(), _a_law()

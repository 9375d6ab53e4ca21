"""What pydicom's lookup tables make of a frame: the oracle of rendered pictures."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.pixels import (
    apply_color_lut,
    apply_modality_lut,
    apply_voi_lut,
    convert_color_space,
    pixel_array,
)
from pydicom.sequence import Sequence

Array = npt.NDArray[Any]


def shown(data_set: pydicom.Dataset) -> tuple[Array, Array] | None:
    """Levels 0 to 255 of the first frame, and where they count: neither in padding, which pydicom
    does not know, nor where a supplemental palette gives colours. None where pydicom cannot decode
    it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            raw = pixel_array(data_set, index=0, raw=True)
            found = _colours(data_set, raw) if _coloured(data_set) else _grays(data_set, raw)
        except (ValueError, RuntimeError, NotImplementedError, AttributeError, KeyError):
            return None
    return found, _counts(data_set, raw)


def _coloured(data_set: pydicom.Dataset) -> bool:
    return not data_set.PhotometricInterpretation.startswith("MONOCHROME")


def _colours(data_set: pydicom.Dataset, raw: Array) -> Array:
    photometric = data_set.PhotometricInterpretation
    if photometric == "PALETTE COLOR":
        bits = data_set.RedPaletteColorLookupTableDescriptor[2]
        return np.asarray(apply_color_lut(raw, data_set)) >> (bits - 8 if bits > 8 else 0)
    compressed = data_set.file_meta.TransferSyntaxUID.is_compressed
    if photometric.startswith("YBR") and not (compressed and photometric in ("YBR_RCT", "YBR_ICT")):
        return np.asarray(convert_color_space(raw, photometric, "RGB"))
    return np.asarray(raw >> (data_set.BitsStored - 8))


def _grays(data_set: pydicom.Dataset, raw: Array) -> Array:
    one = _flattened(data_set)
    values = np.asarray(apply_modality_lut(raw, one), float)
    table = one.get("VOILUTSequence")
    if "WindowCenter" in one and one.WindowCenter not in ("", None):
        # pydicom answers in the range that the stored bits have after the rescale.
        low, high = _range(one)
        levels = (apply_voi_lut(apply_modality_lut(raw, one), one, prefer_lut=False) - low) / (
            high - low
        )
    elif table:
        bits = table[0].LUTDescriptor[2]
        levels = apply_voi_lut(apply_modality_lut(raw, one), one) / ((1 << bits) - 1)
    elif one.BitsStored <= 8 and not one.PixelRepresentation and np.array_equal(values, raw):
        levels = values / ((1 << one.BitsStored) - 1)
    else:
        kept = values[_counts(data_set, raw)]
        low, high = float(kept.min()), float(kept.max())
        levels = np.clip((values - low) / (high - low), 0, 1) if high > low else values * 0
    inverse = one.PhotometricInterpretation == "MONOCHROME1"
    return np.asarray((1 - levels if inverse else levels) * 255)


def _range(one: pydicom.Dataset) -> tuple[float, float]:
    bits = one.BitsStored
    low, high = 0, (1 << bits) - 1
    if one.PixelRepresentation:
        low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    if one.get("ModalityLUTSequence"):
        return 0, (1 << one.ModalityLUTSequence[0].LUTDescriptor[2]) - 1
    slope, intercept = one.get("RescaleSlope", 1), one.get("RescaleIntercept", 0)
    return low * slope + intercept, high * slope + intercept


def _flattened(data_set: pydicom.Dataset) -> pydicom.Dataset:
    """The functional groups of the first frame as attributes of the first level."""
    one = pydicom.Dataset()
    one.update({each.tag: each for each in data_set if each.tag != 0x7FE00010})
    groups: list[pydicom.Dataset] = []
    for keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        groups += list(data_set.get(keyword) or Sequence())[:1]
    for group in groups:
        for keyword in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
            for macro in group.get(keyword) or ():
                one.update({each.tag: each for each in macro})
    return one


def _counts(data_set: pydicom.Dataset, raw: Array) -> Array:
    value = data_set.get("PixelPaddingValue")
    if data_set.get("PixelPresentation") == "COLOR":
        return np.asarray(raw < data_set.RedPaletteColorLookupTableDescriptor[1])
    if value in (None, "") or raw.ndim == 3:
        return np.ones(raw.shape, np.bool_)
    limit = data_set.get("PixelPaddingRangeLimit", value)
    return np.asarray((raw < min(value, limit)) | (raw > max(value, limit)))

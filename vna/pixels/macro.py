"""The Image Pixel Description Macro that a codestream implies (PS3.18 table 10.5.2-1).

What metadata leave out is derived; what they say must be true of the codestream.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vna.dicom.json_values import Model, first, name, number, text
from vna.errors import InvalidValue


@dataclass(frozen=True, slots=True)
class Macro:
    """What is known of an image.

    `photometrics`: what it may be called, the derived one first. `bits`: of a sample. `signed` and
    `frames`: None where the image does not say. `method`: of lossy compression, a defined term of
    (0028,2114), "" where nothing is known to be lost; `size`: bytes compressed.
    """

    rows: int
    columns: int
    samples: int
    photometrics: tuple[str, ...]
    bits: int
    signed: bool | None = None
    frames: int | None = 1
    method: str = ""
    size: int = 0

    @property
    def allocated(self) -> int:
        """Bits Allocated that hold a sample."""
        return 8 if self.bits <= 8 else 16 if self.bits <= 16 else 32

    def completed(self, model: Model) -> dict[str, Any]:
        """The attributes that `model` (DICOM JSON) lacks.

        Raises `InvalidValue` naming an attribute that contradicts the image.
        """
        made: dict[str, Any] = {}
        for key, wanted in (
            ("00280010", self.rows),
            ("00280011", self.columns),
            ("00280002", self.samples),
        ):
            self._equal(model, made, key, wanted)
        self._photometric(model, made)
        if self.samples > 1 and first(model, "00280006") is None:
            made["00280006"] = _us(0)
        self._frames(model, made)
        self._depth(model, made)
        if self.method:
            self._lossy(model, made)
        return made

    def _equal(self, model: Model, made: dict[str, Any], key: str, wanted: int) -> None:
        said = number(model, key)
        if said is None:
            made[key] = _us(wanted)
        elif said != wanted:
            raise InvalidValue(name(key), str(said), f"be {wanted} as in the image")

    def _photometric(self, model: Model, made: dict[str, Any]) -> None:
        said = text(model, "00280004")
        if not said:
            made["00280004"] = {"vr": "CS", "Value": [self.photometrics[0]]}
        elif said not in self.photometrics:
            allowed = " or ".join(self.photometrics)
            raise InvalidValue("PhotometricInterpretation", said, f"be {allowed} as in the image")

    def _frames(self, model: Model, made: dict[str, Any]) -> None:
        said = number(model, "00280008")
        if self.frames is None:
            if said is None:
                raise InvalidValue("NumberOfFrames", "", "be given: the image does not say it")
        elif said is None:
            if self.frames > 1:
                made["00280008"] = {"vr": "IS", "Value": [self.frames]}
        elif said != self.frames:
            raise InvalidValue("NumberOfFrames", str(said), f"be {self.frames}, as many came")

    def _depth(self, model: Model, made: dict[str, Any]) -> None:
        allocated = number(model, "00280100")
        stored = number(model, "00280101")
        if allocated is None:
            allocated = self.allocated
            made["00280100"] = _us(allocated)
        elif allocated not in (8, 16, 32) or allocated < self.bits:
            rule = f"be {self.allocated}: the image has {self.bits} bits"
            raise InvalidValue("BitsAllocated", str(allocated), rule)
        if stored is None:
            stored = self.bits
            made["00280101"] = _us(stored)
        elif not 0 < stored <= self.bits:
            raise InvalidValue("BitsStored", str(stored), f"be {self.bits} as in the image")
        high = number(model, "00280102")
        if high is None:
            made["00280102"] = _us(stored - 1)
        elif high != stored - 1:
            raise InvalidValue("HighBit", str(high), f"be {stored - 1}, with BitsStored {stored}")
        sign = number(model, "00280103")
        if sign is None:
            made["00280103"] = _us(int(bool(self.signed)))
        elif sign not in (0, 1) or (self.signed is not None and sign != self.signed):
            raise InvalidValue(
                "PixelRepresentation", str(sign), "be the sign of the image's samples"
            )

    def _lossy(self, model: Model, made: dict[str, Any]) -> None:
        """Lossy compression is said wherever it is known (PS3.3 §C.7.6.1.1.5)."""
        said = text(model, "00282110")
        if said not in ("", "01"):
            raise InvalidValue("LossyImageCompression", said, "be 01: the image lost information")
        if said:
            return
        made["00282110"] = {"vr": "CS", "Value": ["01"]}
        native = self.rows * self.columns * self.samples * (self.allocated // 8)
        frames = self.frames or number(model, "00280008") or 1
        if first(model, "00282112") is None and self.size:
            ratio = round(native * frames / self.size, 2)
            made["00282112"] = {"vr": "DS", "Value": [max(ratio, 0.01)]}
        if first(model, "00282114") is None:
            made["00282114"] = {"vr": "CS", "Value": [self.method]}


def _us(value: int) -> dict[str, Any]:
    return {"vr": "US", "Value": [value]}

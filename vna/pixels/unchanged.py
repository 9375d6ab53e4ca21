"""Compressed images that become pixel data as they are (PS3.18 table 10.5.2-1, "Unchanged")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vna.errors import InvalidValue, Undecodable
from vna.pixels.codestream import CodestreamInfo, Colour, Format
from vna.pixels.macro import Macro

MEDIA_TYPES = frozenset(
    f"image/{subtype}" for subtype in ("jpeg", "jls", "jp2", "jpx", "jph", "jphc", "jxl")
)
_ROOT = "1.2.840.10008.1.2.4."
_METHOD = {
    Format.JPEG: "ISO_10918_1",
    Format.JPEG_LS: "ISO_14495_1",
    Format.JPEG_2000: "ISO_15444_1",
    Format.HTJ2K: "ISO_15444_15",
    Format.JPEG_XL: "ISO_18181_1",
}
_PROGRESSIVE = (2, 6, 10, 14)


@dataclass(frozen=True, slots=True)
class Unchanged:
    """`syntax`: the transfer syntax that the frames are in."""

    syntax: str
    macro: Macro


def is_progressive(info: CodestreamInfo) -> bool:
    """Whether it is a JPEG that no transfer syntax of today holds (PS3.5 §8.2.1)."""
    return info.format is Format.JPEG and info.process in _PROGRESSIVE


def unchanged(infos: Sequence[CodestreamInfo], media_type: str, named: str | None) -> Unchanged:
    """What frames of the same image are together; `length` of each is that of the whole frame.

    `media_type`: of the parts. `named`: the transfer syntax that the sender gives, which must be
    one for such codestreams. Raises `InvalidValue`, `Undecodable`.
    """
    one = infos[0]
    for number, other in enumerate(infos, 1):
        if _kind(other) != _kind(one):
            raise InvalidValue("PixelData", f"frame {number}", "be of the same kind as frame 1")
    fitting = _syntaxes(one, media_type)
    if not fitting:
        raise Undecodable(f"no transfer syntax holds this {one.format.value} image")
    if named is not None and named not in fitting:
        raise InvalidValue("transfer-syntax", named, f"be {' or '.join(fitting)} for this image")
    lossless = all(info.lossless is not False for info in infos)
    macro = Macro(
        rows=one.rows,
        columns=one.columns,
        samples=one.samples,
        photometrics=_photometrics(one),
        bits=one.bits,
        signed=one.signed if one.format in (Format.JPEG_2000, Format.HTJ2K) else None,
        frames=len(infos),
        method="" if lossless else _METHOD[one.format],
        size=sum(info.length for info in infos),
    )
    return Unchanged(named or fitting[0], macro)


def _kind(info: CodestreamInfo) -> tuple[object, ...]:
    return (info.format, info.rows, info.columns, info.samples, info.bits, info.process,
            info.lossless)  # fmt: skip


def _syntaxes(info: CodestreamInfo, media_type: str) -> tuple[str, ...]:
    """Transfer syntaxes of such a codestream, the one to take unless another is named first."""
    if info.samples not in (1, 3):
        return ()
    lossy = info.lossless is False
    match info.format:
        case Format.JPEG:
            found = _jpeg(info)
        case Format.JPEG_LS:
            found = ("81",) if lossy else ("80", "81")
        case Format.JPEG_2000:
            plain = ("91",) if lossy else ("90", "91")
            several = ("93",) if lossy else ("92", "93")
            found = (*several, *plain) if media_type == "image/jpx" else plain
        case Format.HTJ2K:
            ordered = ("202",) if info.progression == "RPCL" and info.tlm else ()
            found = ("203",) if lossy else ("201", *ordered, "203")
        case Format.JPEG_XL:
            found = ("111",) if info.reconstructs else ("112",)
            if info.lossless and not info.reconstructs:
                found = ("110", "112")
        case _:
            found = ()
    return tuple(_ROOT + each for each in found)


def _jpeg(info: CodestreamInfo) -> tuple[str, ...]:
    if info.process == 3:
        return ("70", "57") if info.predictor == 1 else ("57",)
    if info.process in (0, 1):
        return ("50", "51") if info.process == 0 and info.bits == 8 else ("51",)
    return ()


def _photometrics(info: CodestreamInfo) -> tuple[str, ...]:
    """Names that are true of it, the usual one first (PS3.5 §8.2)."""
    if info.samples == 1:
        gray = ("MONOCHROME2", "MONOCHROME1")
        return gray if info.lossless is False else (*gray, "PALETTE COLOR")
    if info.format in (Format.JPEG_2000, Format.HTJ2K) and info.transformed:
        return ("YBR_RCT",) if info.lossless else ("YBR_ICT",)
    if info.format is Format.JPEG_XL and info.transformed:
        return ("XYB", "RGB")
    if info.colour is Colour.RGB or info.lossless is not False:
        # nothing tells what the components of a lossless image are, unless it says RGB itself
        return ("RGB",) if info.format is Format.JPEG and info.colour is Colour.RGB else (
            "RGB", "YBR_FULL")  # fmt: skip
    return ("YBR_FULL_422", "YBR_FULL") if info.subsampled else ("YBR_FULL", "YBR_FULL_422")

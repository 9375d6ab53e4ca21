"""Pixel Data (7FE0,0010) out of the parts that bring it, and what they say of the image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vna.decoders import Decoders
from vna.dicom.compose import PixelElement, encapsulated, native
from vna.dicom.json_values import number, text
from vna.dicom.source import Source
from vna.dicom.transfer_syntax import EXPLICIT_LE, transfer_syntax
from vna.dicom.writer import Stretch
from vna.errors import InvalidValue, MalformedObject, Undecodable, UnsupportedMedia
from vna.services.assembly.bulk import BulkPart
from vna.services.assembly.spool import Spool

if TYPE_CHECKING:
    from vna.pixels.codestream import CodestreamInfo

OCTETS, RLE = "application/octet-stream", "image/dicom-rle"
RENAMED = {"image/x-dicom-rle": RLE, "image/x-jls": "image/jls"}  # before 2013
TRANSFORMED = ("image/gif", "image/png")
VIDEOS = ("video/h265", "video/mp4", "video/mpeg", "video/mp2t", "video/quicktime")
_HEAD = 1 << 20  # bytes in which a codestream says what it is
_WHOLE_MOST = 256 << 20  # bytes of a file whose codestream must be taken out of its boxes
_BOXED = (b"\0\0\0\x0cjP  ", b"\0\0\0\x0cJXL ")
_LARGEST_PICTURE = 512 << 20  # bytes decoded
_VIDEO_PHOTOMETRIC = ("YBR_PARTIAL_420", "YBR_FULL_422", "YBR_FULL", "RGB")
_SAID = (("00280002", "SamplesPerPixel"), ("00280010", "Rows"), ("00280011", "Columns"),
         ("00280100", "BitsAllocated"))  # fmt: skip
_RATIO = {"YBR_FULL_422": 2, "YBR_PARTIAL_422": 2}  # native samples of a pixel, of three


@dataclass(frozen=True, slots=True)
class Pixels:
    """`element`: the pixel data. `attributes`: DICOM JSON that the data set gets besides."""

    element: PixelElement
    attributes: Mapping[str, Any]


class PixelAssembly:
    """Makes pixel data of one request's parts, which lie in `spool`."""

    def __init__(self, spool: Spool, decoders: Decoders) -> None:
        self._spool, self._decoders = spool, decoders

    def make(self, parts: Sequence[BulkPart], model: Mapping[str, Any], vr: str) -> Pixels:
        """The element and the attributes that `model` lacks.

        Raises `InvalidValue`, `Undecodable`, `UnsupportedMedia`, `DecoderFailed`, `Overloaded`.
        """
        from vna.pixels.unchanged import MEDIA_TYPES

        essences = {_essence(part) for part in parts}
        if len(essences) > 1:
            raise UnsupportedMedia("the parts of one image have several media types")
        (essence,) = essences
        if essence in MEDIA_TYPES:
            return self._images(parts, essence, model)
        if essence in TRANSFORMED:
            return self._transformed(parts, model)
        if essence in VIDEOS:
            return self._video(parts, model)
        if essence not in (OCTETS, RLE):
            raise UnsupportedMedia(f"pixel data are not taken as {essence[:80]}")
        named = _named(parts)
        if essence == RLE:
            named = named or "1.2.840.10008.1.2.5"
        if named is not None and transfer_syntax(named).encapsulated:
            return self._as_named(parts, model, essence, named)
        return self._native(parts, model, vr, named)

    def _images(self, parts: Sequence[BulkPart], essence: str, model: Mapping[str, Any]) -> Pixels:
        from vna.pixels.unchanged import is_progressive, unchanged

        infos = [self._info(part) for part in parts]
        if any(is_progressive(info) for info in infos):
            return self._transformed(parts, model)
        made = unchanged(infos, essence, _named(parts))
        frames = [
            Stretch(part.offset + info.offset, info.length)
            for part, info in zip(parts, infos, strict=True)
        ]
        return Pixels(encapsulated(made.syntax, frames), made.macro.completed(model))

    def _info(self, part: BulkPart) -> CodestreamInfo:
        """Of the frame that the part is: `offset` and `length` are those of what is stored."""
        from vna.pixels.codestream import Format, read_codestream

        size = min(part.length, _HEAD)
        start = self._spool.read(part.offset, size)
        if start.startswith(_BOXED):
            if part.length > _WHOLE_MOST:
                raise Undecodable(f"an image file of {part.length} bytes is not taken apart")
            start = self._spool.read(part.offset, part.length)
            info = _codestream(read_codestream, start)
            if info.format is not Format.JPEG_XL or (info.length and not info.reconstructs):
                return info  # PS3.5 §8.2.4: without the boxes of its file
        else:
            info = _codestream(read_codestream, start)
        return replace(info, offset=0, length=part.length)

    def _transformed(self, parts: Sequence[BulkPart], model: Mapping[str, Any]) -> Pixels:
        """Decoded without loss, frame by frame or, of an animation, all that are in the part."""
        from vna.pixels.macro import Macro

        stretches: list[Stretch] = []
        said: dict[str, Any] = {}
        frames = 0
        for part in parts:
            data = self._spool.read(part.offset, part.length)
            facts, pixels = self._decoders.run("picture-file", {"largest": _LARGEST_PICTURE}, data)
            if said and any(
                facts[key] != said[key] for key in ("rows", "columns", "samples", "bits")
            ):
                raise InvalidValue("PixelData", f"frame {frames + 1}", "be of the size of frame 1")
            said = said or facts
            frames += facts["frames"]
            stretches.append(Stretch(self._spool.size, len(pixels)))
            self._spool.write(pixels)
        lossy = _essence(parts[0]) == "image/jpeg"
        gray = ("MONOCHROME2", "MONOCHROME1")
        macro = Macro(
            rows=said["rows"],
            columns=said["columns"],
            samples=said["samples"],
            photometrics=gray if said["samples"] == 1 else ("RGB",),
            bits=said["bits"],
            signed=False,
            frames=frames,
            method="ISO_10918_1" if lossy else "",
            size=sum(part.length for part in parts),
        )
        attributes = macro.completed(model)
        if said["profile"] and "00282000" not in model:
            attributes["00282000"] = {"vr": "OB", "InlineBinary": said["profile"]}
        return Pixels(native(EXPLICIT_LE, _native_vr(macro.allocated, "OW"), stretches), attributes)

    def _video(self, parts: Sequence[BulkPart], model: Mapping[str, Any]) -> Pixels:
        from vna.pixels.macro import Macro
        from vna.render.video.facts import video_facts

        if len(parts) != 1:
            raise InvalidValue("PixelData", f"{len(parts)} parts", "be one part: it is a video")
        part, named = parts[0], _named(parts)
        facts = video_facts(_Within(self._spool, part.offset, part.length))
        if named is not None and not transfer_syntax(named).video:
            raise InvalidValue("transfer-syntax", named, "be one of a video")
        if named is None and not facts.syntaxes:
            raise Undecodable("no transfer syntax holds a video of this profile and level")
        macro = Macro(
            rows=facts.rows,
            columns=facts.columns,
            samples=3,
            photometrics=_VIDEO_PHOTOMETRIC,
            bits=facts.bits,
            signed=False,
            frames=facts.frames,
            method=facts.method,
            size=part.length,
        )
        element = encapsulated(named or facts.syntaxes[0], [Stretch(part.offset, part.length)])
        return Pixels(element, macro.completed(model))

    def _as_named(
        self, parts: Sequence[BulkPart], model: Mapping[str, Any], essence: str, syntax: str
    ) -> Pixels:
        """Frames that say nothing of themselves: the metadata must."""
        row = transfer_syntax(syntax)
        if row.media_type != essence:
            raise InvalidValue("transfer-syntax", syntax, f"be one of {essence}")
        _described(model)
        frames = number(model, "00280008") or 1
        if frames != len(parts):
            raise InvalidValue("NumberOfFrames", str(frames), f"be {len(parts)}, as many came")
        stretches = [Stretch(part.offset, part.length) for part in parts]
        return Pixels(encapsulated(syntax, stretches), {})

    def _native(
        self, parts: Sequence[BulkPart], model: Mapping[str, Any], vr: str, named: str | None
    ) -> Pixels:
        if named not in (None, EXPLICIT_LE):
            raise InvalidValue("transfer-syntax", str(named), f"be {EXPLICIT_LE} for native pixels")
        samples, rows, columns, allocated = _described(model)
        frames = number(model, "00280008") or 1
        of_pixel = _RATIO.get(text(model, "00280004"), samples) if samples == 3 else samples
        wanted = (rows * columns * of_pixel * allocated * frames + 7) // 8
        stretches = [Stretch(part.offset, part.length) for part in parts]
        given = sum(part.length for part in parts)
        if len(parts) == 1 and given == wanted + 1 and wanted % 2:  # it came with its padding
            stretches, given = [Stretch(parts[0].offset, wanted)], wanted
        if given != wanted:
            rule = f"have {wanted} bytes by Rows, Columns and the other attributes"
            raise InvalidValue("PixelData", f"{given} bytes", rule)
        return Pixels(native(EXPLICIT_LE, _native_vr(allocated, vr), stretches), {})


class _Within:
    """A part as a source of its own."""

    def __init__(self, source: Source, offset: int, size: int) -> None:
        self._source, self._offset, self.size = source, offset, size

    def read(self, offset: int, length: int) -> bytes:
        """See `vna.dicom.source.Source`."""
        length = max(0, min(length, self.size - offset))
        return self._source.read(self._offset + offset, length)


def _essence(part: BulkPart) -> str:
    essence = part.media_type.essence
    return RENAMED.get(essence, essence)


def _named(parts: Sequence[BulkPart]) -> str | None:
    """The transfer syntax that all parts name."""
    named = {part.media_type.parameter("transfer-syntax") for part in parts}
    if len(named) > 1:
        raise InvalidValue("transfer-syntax", "", "be the same for all frames of an image")
    (found,) = named
    return found


def _codestream(read: Any, data: bytes) -> CodestreamInfo:
    try:
        info: CodestreamInfo = read(data)
    except MalformedObject as error:
        raise Undecodable(str(error)) from error
    return info


def _described(model: Mapping[str, Any]) -> list[int]:
    found = []
    for key, name in _SAID:
        value = number(model, key)
        if value is None or value <= 0:
            raise InvalidValue(name, str(value or ""), "be given: the pixel data do not say it")
        found.append(value)
    return found


def _native_vr(allocated: int, vr: str) -> str:
    """OB or OW up to 8 bits, OW beyond (PS3.5 §A.2)."""
    return vr if allocated <= 8 and vr in ("OB", "OW") else "OW"

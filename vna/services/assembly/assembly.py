"""An object out of its metadata and bulk data: completed where the standard lets it, else refused
by the name of what is missing or contradicts (PS3.18 §10.5.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vna.decoders import Decoders
from vna.dicom.charset import DEFAULT, UTF_8, Charset, charset_of
from vna.dicom.compose import compose
from vna.dicom.elements import Elements
from vna.dicom.from_json import element, texts_of
from vna.dicom.json_values import check, first, name, number, text
from vna.dicom.transfer_syntax import EXPLICIT_LE
from vna.dicom.writer import PIXEL_DATA, Part
from vna.errors import (
    DecoderFailed,
    InvalidValue,
    MalformedObject,
    NotAcceptable,
    Unfit,
    UnsupportedMedia,
)
from vna.services.assembly.bulk import BulkPart, BulkParts
from vna.services.assembly.pixels import OCTETS, PixelAssembly, Pixels
from vna.services.assembly.spool import Spool

_STUDY = "0020000D"
_REQUIRED = ("00080016", "00080018", _STUDY, "0020000E")
# Type 2 of every composite IOD: unknown where nothing is said (PS3.3 §C.7.1.1, §C.7.2.1, §C.7.3.1,
# §C.7.5.1), so that an empty value changes nothing.
_MAY_BE_EMPTY = {
    "00080020": "DA",
    "00080030": "TM",
    "00080050": "SH",
    "00080070": "LO",
    "00080090": "PN",
    "00100010": "PN",
    "00100020": "LO",
    "00100030": "DA",
    "00100040": "CS",
    "00200010": "SH",
    "00200011": "IS",
}
_CHARACTER_SET = "00080005"
_DOCUMENT, _MIME, _DOCUMENT_LENGTH = "00420011", "00420012", "00420015"
_PIXELS = f"{PIXEL_DATA:08X}"


class Assembly:
    """Puts objects together. `decoders` read pictures that are stored as native pixels."""

    def __init__(self, decoders: Decoders) -> None:
        self._decoders = decoders

    def parts(
        self, model: Any, bulk: BulkParts, spool: Spool, study_uid: str | None = None
    ) -> list[Part]:
        """The Part 10 file of a DICOM JSON object; stretches are of `spool`.

        `study_uid`: of an object that names no study. Raises `Unfit`, and `MalformedObject` where
        the object is none; `Overloaded`.
        """
        if not isinstance(model, dict):
            raise MalformedObject("the metadata are not an object of DICOM JSON")
        made = {key.upper(): attribute for key, attribute in model.items()}
        try:
            check(made)
            return self._parts(made, bulk, spool, study_uid)
        except (InvalidValue, MalformedObject, NotAcceptable, UnsupportedMedia) as error:
            reason = str(error)
        except DecoderFailed:
            reason = "a picture of it cannot be decoded"
        sop_class, sop_uid = (text(made, key) for key in _REQUIRED[:2])
        if not sop_uid:  # nothing of it can be named in the answer
            raise MalformedObject(reason)
        raise Unfit(reason, sop_class=sop_class, sop_uid=sop_uid)

    def _parts(
        self, model: dict[str, Any], bulk: BulkParts, spool: Spool, study_uid: str | None
    ) -> list[Part]:
        if any(key.startswith("0002") for key in model):
            raise MalformedObject("group 0002 is written by the archive; metadata have none")
        if study_uid is not None and first(model, _STUDY) is None:
            model[_STUDY] = {"vr": "UI", "Value": [study_uid]}
        for key in _REQUIRED:
            if not text(model, key):
                raise InvalidValue(name(key), "", "be given")
        for key, vr in _MAY_BE_EMPTY.items():
            model.setdefault(key, {"vr": vr})
        pixels = self._pixels(model, bulk, spool)
        if pixels is not None:
            model.update(pixels.attributes)
        return compose(
            _elements(model, bulk), EXPLICIT_LE, pixels.element if pixels is not None else None
        )

    def _pixels(self, model: dict[str, Any], bulk: BulkParts, spool: Spool) -> Pixels | None:
        """Pixel data that are a part; they are taken out of `model`."""
        attribute = model.get(_PIXELS, {})
        if "BulkDataURI" not in attribute:
            return None
        del model[_PIXELS]
        uri, vr = attribute["BulkDataURI"], str(attribute.get("vr"))
        if not isinstance(uri, str) or attribute.keys() & {"Value", "InlineBinary"}:
            raise InvalidValue("PixelData", "", "have one value")
        parts = bulk.of("PixelData", uri)
        return PixelAssembly(spool, self._decoders).make(parts, model, vr)


def _elements(model: dict[str, Any], bulk: BulkParts) -> Elements:
    """The data set but its pixel data."""
    _document(model, bulk)
    charset = _charset(model)

    def fetch(key: str, vr: str, uri: str) -> tuple[int, int]:
        part = _only(bulk.of(name(key), uri), name(key))
        essence = part.media_type.essence
        if key != _DOCUMENT and essence != OCTETS:
            raise UnsupportedMedia(f"{name(key)} is taken as {OCTETS}, not as {essence[:80]}")
        return part.offset, part.even

    found: Elements = []
    for key in sorted(model):
        try:
            found.append(element(key, model[key], charset, fetch))
        except InvalidValue as error:
            if error.rule.startswith("be a value of VR"):  # what it is may say who it is about
                raise InvalidValue(name(key), "", error.rule) from error
            raise
    return found


def _charset(model: dict[str, Any]) -> Charset:
    """That of the metadata; UTF-8 where they name none and need one (PS3.18 §F.2.1)."""
    attribute = model.get(_CHARACTER_SET, {})
    texts = [each for value in model.values() for each in texts_of(value)]
    values = attribute.get("Value") or []
    if not values:
        if all(each.isascii() for each in texts):
            return DEFAULT
        model[_CHARACTER_SET] = {"vr": "CS", "Value": ["ISO_IR 192"]}
        return UTF_8
    said = "\\".join(str(value) for value in values if value is not None)
    charset = charset_of(said.encode("latin-1", "replace"))
    if any(charset.encode(each) is None for each in texts):
        raise InvalidValue("SpecificCharacterSet", said, "hold the text of the metadata")
    return charset


def _document(model: dict[str, Any], bulk: BulkParts) -> None:
    """An encapsulated document is of the media type of its part (PS3.3 §C.24.2)."""
    attribute = model.get(_DOCUMENT, {})
    if "BulkDataURI" not in attribute:
        return
    part = _only(bulk.of(name(_DOCUMENT), attribute["BulkDataURI"]), name(_DOCUMENT))
    essence, said = part.media_type.essence, text(model, _MIME)
    if not said:
        if essence == OCTETS:
            raise InvalidValue(name(_MIME), "", "be given: the part does not say it")
        model[_MIME] = {"vr": "LO", "Value": [essence]}
    elif essence not in (OCTETS, said.lower()):
        raise InvalidValue(name(_MIME), said, f"be {essence}, as the part is")
    length = number(model, _DOCUMENT_LENGTH)
    if length is None:
        model[_DOCUMENT_LENGTH] = {"vr": "UL", "Value": [part.length]}
    elif length != part.length:
        raise InvalidValue(name(_DOCUMENT_LENGTH), str(length), f"be {part.length}, as many came")


def _only(parts: Sequence[BulkPart], key: str) -> BulkPart:
    if len(parts) != 1:
        raise InvalidValue(key, f"{len(parts)} parts", "be one part")
    return parts[0]

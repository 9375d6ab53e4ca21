"""DICOM JSON of an object, from its stored header alone (PS3.18 §F).

Values of more than 1 KiB of the VRs that allow it, pixel data, and numbers that JSON cannot hold
are a BulkDataURI: `{bulk_base}/{path}`, the path made of tags and, inside sequences, of item
numbers from 1 ("54000100/1/54001010").  Keys ascend; group 0002 and group lengths are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from vna.dicom.anatomy import Anatomy
from vna.dicom.charset import DEFAULT, Charset, charset_of
from vna.dicom.dictionary import BULK_VRS, private_vr_of, vr_of
from vna.dicom.elements import Element, Elements, read_elements
from vna.dicom.header import CUT_ABOVE, Header
from vna.dicom.values import attribute, text_of
from vna.errors import NotFound

if TYPE_CHECKING:
    from vna.dicom.edit import Edit

SPECIFIC_CHARACTER_SET = 0x00080005
_PIXEL_TAGS = (0x7FE00010, 0x7FE00008, 0x7FE00009)
_UTF_8 = {"vr": "CS", "Value": ["ISO_IR 192"]}  # what JSON is in
_PATH = re.compile(r"[0-9A-Fa-f]{8}(/[1-9][0-9]{0,8}/[0-9A-Fa-f]{8})*")


def to_json(header: Header, bulk_base: str, overlay: Sequence[Edit] = ()) -> bytes:
    """One JSON object, UTF-8, with the corrections of `overlay` in it."""
    tree = to_dict(header, bulk_base)
    if overlay:
        from vna.dicom.edit import apply_json

        tree = apply_json(overlay, tree)
    return orjson.dumps(tree)


def to_dict(header: Header, bulk_base: str) -> dict[str, Any]:
    """As `to_json` without an overlay, as a dict."""
    return _data_set(read_elements(header), DEFAULT, bulk_base + "/")


def bulk_paths(header: Header) -> list[str]:
    """The paths of all values that DICOM JSON replaces by a URI ("0040A730/2/0040A160")."""
    return list(_uris(to_dict(header, "")))


def element_json(element: Element, charset: Charset) -> dict[str, Any] | None:
    """The attribute of one first-level element, None where its value would be a URI.

    Inside a sequence, attributes whose values would be are left out.
    """
    return _attribute(element, charset, None, {})


def bulk_range(header: Header, anatomy: Anatomy, path: str) -> tuple[int, int, str]:
    """(offset, length, VR) of the value that the path of a BulkDataURI names.

    Offsets count in the object, in a deflated one in the inflated data set.  Encapsulated data are
    given with their item heads.  Raises `NotFound`.
    """
    element = find(read_elements(header), path)
    if element is None or element.items is not None or header.incomplete:
        raise NotFound(f"there is no bulk data at {path[:80]}")
    base = 0 if anatomy.deflated else anatomy.dataset_offset
    return base + element.offset, element.length, element.vr


def find(elements: Elements, path: str) -> Element | None:
    """The element at `path` ("0040A730/2/0040A160"), None where there is none."""
    if _PATH.fullmatch(path) is None:
        return None
    steps = path.split("/")
    for at in range(0, len(steps), 2):
        tag = int(steps[at], 16)
        found = next((element for element in reversed(elements) if element.tag == tag), None)
        if found is None or at + 1 == len(steps):
            return found
        number = int(steps[at + 1])
        if found.items is None or number > len(found.items):
            return None
        elements = found.items[number - 1]
    return None


def _uris(tree: dict[str, Any]) -> Iterator[str]:
    for attribute_ in tree.values():
        if "BulkDataURI" in attribute_:
            yield attribute_["BulkDataURI"].lstrip("/")
        elif attribute_["vr"] == "SQ":
            for item in attribute_.get("Value", ()):
                yield from _uris(item)


def _data_set(elements: Elements, charset: Charset, base: str | None) -> dict[str, Any]:
    made: dict[str, Any] = {}
    creators: dict[int, str] = {}
    before = 0
    ascending = True
    for element in elements:
        tag = element.tag
        if not tag & 0xFFFF or tag >> 16 == 2:
            continue
        if tag == SPECIFIC_CHARACTER_SET:
            charset = charset_of(element.value or b"")
            made["00080005"] = _UTF_8
            before = tag
            continue
        if tag & 0x10000 and 0x10 <= tag & 0xFFFF <= 0xFF:
            creators[tag] = text_of("LO", element.value or b"", charset)
        key = f"{tag:08X}"
        ascending = ascending and tag > before
        before = tag
        uri = None if base is None else base + key
        attribute_ = _attribute(element, charset, uri, creators)
        if attribute_ is not None:
            made[key] = attribute_
    return made if ascending else dict(sorted(made.items()))


def _attribute(
    element: Element, charset: Charset, uri: str | None, creators: dict[int, str]
) -> dict[str, Any] | None:
    tag, vr, value, _, length, items, big, undefined = element
    if items is not None:
        if not items:
            return {"vr": "SQ"}
        return {
            "vr": "SQ",
            "Value": [
                _data_set(item, charset, None if uri is None else f"{uri}/{number}/")
                for number, item in enumerate(items, start=1)
            ],
        }
    made = None
    large = length > CUT_ABOVE and vr in BULK_VRS
    if value is not None and not undefined and not large and not (length and tag in _PIXEL_TAGS):
        if vr == "UN":
            vr = _known_vr(tag, creators)
        made = attribute(vr, value, big, charset)
    if made is None and uri is not None:
        return {"vr": vr, "BulkDataURI": uri}
    return made


def _known_vr(tag: int, creators: dict[int, str]) -> str:
    """What UN stands for, where a dictionary knows the tag (PS3.5 §6.2.2 note 3)."""
    if tag & 0x10000:
        creator = creators.get(tag & 0xFFFF0000 | tag >> 8 & 0xFF)
        vr = private_vr_of(tag, creator) if creator else vr_of(tag)
    else:
        vr = vr_of(tag)
    return "UN" if vr == "SQ" else vr

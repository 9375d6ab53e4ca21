"""The Native DICOM Model in XML (PS3.19 §A.1), written from DICOM JSON.

Both say the same, so that one document made of a header serves both.  XML 1.0 has no way to write
most control characters: in place of one stands its picture (U+2400 + its code: "␌" is a form feed),
in place of anything else that XML forbids U+FFFD.  DICOM JSON and the object itself have them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lxml import etree

from vna.dicom.dictionary import keyword_of

NAMESPACE = "http://dicom.nema.org/PS3.19/models/NativeDICOM"
COMPONENTS = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")
GROUPS = ("Alphabetic", "Ideographic", "Phonetic")

_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def native_xml(tree: Mapping[str, Any]) -> bytes:
    """One XML document, UTF-8, of a DICOM JSON object (PS3.18 §F.2) with ascending keys.

    A private attribute has its block taken out of its tag and names its creator; the creator's own
    element is left out, unless it reserves a block in which nothing is.
    """
    root = etree.Element(f"{{{NAMESPACE}}}NativeDicomModel", nsmap={None: NAMESPACE})
    root.set(_SPACE, "preserve")
    _data_set(root, tree)
    made: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return made


def _data_set(parent: Any, tree: Mapping[str, Any]) -> None:
    creators = _creators(tree)
    for key, attribute in tree.items():
        tag = int(key, 16)
        if tag in creators:
            continue
        creator = creators.get(_block(tag)) if tag & 0x10000 else None
        _attribute(parent, key, attribute, creator)


def _creators(tree: Mapping[str, Any]) -> dict[int, str]:
    """Tag of a private creator → its name, of the blocks that hold something."""
    blocks = {_block(int(key, 16)) for key in tree if int(key, 16) & 0x10000}
    found = {}
    for tag in blocks:
        values = tree.get(f"{tag:08X}", {}).get("Value") or [None]
        if isinstance(values[0], str) and _said(values[0]) == values[0]:
            found[tag] = values[0]
    return found


def _block(tag: int) -> int:
    """The private creator's tag of a private attribute (PS3.5 §7.8.1)."""
    return tag & 0xFFFF0000 | tag >> 8 & 0xFF


def _attribute(parent: Any, key: str, attribute: Mapping[str, Any], creator: str | None) -> None:
    made = _child(parent, "DicomAttribute")
    made.set("tag", key if creator is None else f"{key[:4]}00{key[6:]}")
    vr = attribute["vr"]
    made.set("vr", vr)
    if creator is not None:
        made.set("privateCreator", creator)
    elif keyword := keyword_of(int(key, 16)):
        made.set("keyword", keyword)
    if "BulkDataURI" in attribute:
        _child(made, "BulkData").set("uri", _said(attribute["BulkDataURI"]))
    elif "InlineBinary" in attribute:
        _child(made, "InlineBinary").text = attribute["InlineBinary"]
    else:
        _values(made, vr, attribute.get("Value") or ())


def _values(parent: Any, vr: str, values: Sequence[Any]) -> None:
    name = {"SQ": "Item", "PN": "PersonName"}.get(vr, "Value")
    for number, value in enumerate(values, start=1):
        made = _child(parent, name)
        made.set("number", str(number))
        if value is None:
            continue
        if vr == "SQ":
            _data_set(made, value)
        elif vr == "PN":
            _person_name(made, value if isinstance(value, Mapping) else {"Alphabetic": value})
        else:
            made.text = _said(value if isinstance(value, str) else repr(value))


def _person_name(parent: Any, groups: Mapping[str, str]) -> None:
    for group in GROUPS:
        text = groups.get(group)
        if not text:
            continue
        made = _child(parent, group)
        parts = text.split("^", len(COMPONENTS) - 1)
        for name, part in zip(COMPONENTS, parts, strict=False):
            if part or name == COMPONENTS[len(parts) - 1]:  # the last one tells of a trailing ^
                _child(made, name).text = _said(part)


def _child(parent: Any, name: str) -> Any:
    return etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")


def _said(text: str) -> str:
    return _FORBIDDEN.sub(_picture, text)


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    return chr(0x2400 + code) if code < 0x20 else "�"

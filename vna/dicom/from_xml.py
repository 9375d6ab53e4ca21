"""The Native DICOM Model in XML (PS3.19 §A.1), read into DICOM JSON.

The document comes from anyone: no document type, so that no entity is ever declared; nothing is
loaded; libxml2's own limits of depth and size stand.  Read as well: `Tag`, `VR` and `Keyword` with
a capital and a URI as the Value of a binary attribute, as example B.23 of PS3.18 writes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from vna.dicom.dictionary import BINARY_VRS, VRS, vr_of
from vna.dicom.native_xml import COMPONENTS, GROUPS
from vna.dicom.values import number
from vna.errors import MalformedObject

_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_WHOLE = frozenset(("SL", "SS", "SV", "UL", "US", "UV"))
_EXACT = 1 << 53  # integers beyond are strings, as in JSON
_DECLARED = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']""")
_UTF_8 = (b"utf-8", b"utf8", b"us-ascii", b"ascii")
_BLOCKS = range(0x10, 0x100)


def from_xml(document: bytes) -> dict[str, Any]:
    """The DICOM JSON object of an XML document; raises `MalformedObject`.

    Values are not looked into: one that its VR cannot hold is passed on as text.  Private
    attributes get the first free block of their group, each creator one, and its element with it.
    """
    if _document_type(document):
        raise MalformedObject("the XML has a document type; none is read")
    declared = _DECLARED.match(document.removeprefix(b"\xef\xbb\xbf").lstrip())
    if declared is not None and declared[1].lower() not in _UTF_8:
        raise MalformedObject("the XML is not in UTF-8")
    parser = etree.XMLParser(
        encoding="UTF-8",
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise MalformedObject(f"the XML cannot be read: {_reason(error)}") from None
    if _name(root) != "NativeDicomModel":
        raise MalformedObject("the XML is no Native DICOM Model (PS3.19 §A.1)")
    return _data_set(root)


def _reason(error: Exception) -> str:
    """What libxml2 says, without what it quotes: that may be a patient's name."""
    if isinstance(error, etree.XMLSyntaxError):
        return f"error {error.code} at line {error.lineno}"
    return "it holds characters that XML forbids"


def _document_type(document: bytes) -> bool:
    """Whether a DOCTYPE stands before the first element."""
    at = 3 if document.startswith(b"\xef\xbb\xbf") else 0
    while True:
        while document[at : at + 1].isspace():
            at += 1
        for start, end in ((b"<?", b"?>"), (b"<!--", b"-->")):
            if document.startswith(start, at):
                found = document.find(end, at + len(start))
                if found < 0:
                    return False
                at = found + len(end)
                break
        else:
            return document[at : at + 9].upper() == b"<!DOCTYPE"


def _data_set(parent: Any) -> dict[str, Any]:
    made: dict[str, Any] = {}
    private: list[tuple[str, int, dict[str, Any]]] = []
    for each in _children(parent, "DicomAttribute"):
        tag, vr = _head(each)
        attribute = _attribute(each, vr)
        creator = each.get("privateCreator") or each.get("PrivateCreator")
        if creator and tag & 0x10000:
            private.append((creator, tag & 0xFFFF00FF, attribute))
        elif f"{tag:08X}" in made:
            raise MalformedObject(f"{tag:08X} is given twice")
        else:
            made[f"{tag:08X}"] = attribute
    for creator, tag, attribute in private:
        made[_placed(made, creator, tag)] = attribute
    return dict(sorted(made.items()))


def _placed(made: dict[str, Any], creator: str, tag: int) -> str:
    """The key of a private attribute in the creator's block, which is reserved where it is not."""
    for block in _BLOCKS:
        reserved = f"{tag & 0xFFFF0000 | block:08X}"
        key = f"{tag | block << 8:08X}"
        if reserved not in made:
            if any(other.startswith(key[:6]) for other in made):
                continue  # somebody's, who does not say whose
            made[reserved] = {"vr": "LO", "Value": [creator]}
            return key
        if made[reserved].get("Value") == [creator] and key not in made:
            return key
    raise MalformedObject(f"group {tag >> 16:04X} has no room for its private attributes")


def _head(each: Any) -> tuple[int, str]:
    text = each.get("tag") or each.get("Tag") or ""
    if _TAG.fullmatch(text) is None:
        raise MalformedObject("a DicomAttribute has no tag of eight hexadecimal digits")
    tag = int(text, 16)
    vr = each.get("vr") or each.get("VR") or vr_of(tag)
    if vr not in VRS:
        raise MalformedObject(f"{text} has no VR of PS3.5")
    return tag, vr


def _attribute(each: Any, vr: str) -> dict[str, Any]:
    made: dict[str, Any] = {"vr": vr}
    kinds = {_name(child) for child in each}
    if not kinds:
        return made
    if len(kinds) > 1:
        raise MalformedObject(f"{each.get('tag')} has values of several kinds")
    (kind,) = kinds
    if kind in ("BulkData", "InlineBinary"):
        if len(each) > 1:
            raise MalformedObject(f"{each.get('tag')} has more than one {kind}")
        if kind == "BulkData":
            made["BulkDataURI"] = each[0].get("uri") or each[0].get("uuid") or ""
        elif text := "".join(_text(each[0]).split()):
            made["InlineBinary"] = text
        return made
    if kind != {"SQ": "Item", "PN": "PersonName"}.get(vr, "Value"):
        raise MalformedObject(f"{each.get('tag')} of VR {vr} has a child {kind}")
    values = [_value(vr, child) for child in _numbered(each)]
    if vr in BINARY_VRS:  # example B.23
        made["BulkDataURI"] = values[0]
    else:
        made["Value"] = values
    return {"vr": vr} if values == [None] else made


def _numbered(each: Any) -> list[Any]:
    """The children in the order of their numbers, which are 1, 2, 3 …"""
    found: dict[int, Any] = {}
    for at, child in enumerate(each, start=1):
        text = child.get("number") or child.get("Number") or str(at)
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            raise MalformedObject(f"{each.get('tag')} has a value whose number is none")
        found[int(text)] = child
    if sorted(found) != list(range(1, len(each) + 1)):
        raise MalformedObject(f"the numbers of the values of {each.get('tag')} are not 1, 2, 3 …")
    return [found[at] for at in sorted(found)]


def _value(vr: str, child: Any) -> Any:
    if vr == "SQ":
        return _data_set(child)
    if vr == "PN":
        return _person_name(child)
    text = _text(child)
    if not text:
        return None
    try:
        if vr in ("DS", "IS"):
            return number(text)
        if vr in ("FD", "FL"):
            return float(text)
        if vr in _WHOLE:
            whole = int(text)
            return whole if -_EXACT <= whole <= _EXACT else text
    except ValueError:
        pass
    return text


def _person_name(child: Any) -> dict[str, str] | None:
    made = {}
    for group in _children(child, *GROUPS):
        parts = [""] * len(COMPONENTS)
        last = 0
        for component in _children(group, *COMPONENTS):
            at = COMPONENTS.index(_name(component))
            parts[at] = _text(component)
            last = max(last, at + 1)
        if text := "^".join(parts[:last]):
            made[_name(group)] = text
    return made or None


def _children(parent: Any, *names: str) -> Iterator[Any]:
    for child in parent:
        if _name(child) not in names:
            raise MalformedObject(f"a {_name(parent)} has a child that is none of {names}")
        yield child


def _text(element: Any) -> str:
    if len(element):
        raise MalformedObject(f"a {_name(element)} has children")
    return element.text or ""


def _name(element: Any) -> str:
    """The local name; whatever the namespace is, no other elements have these names."""
    name = element.tag
    return name.rpartition("}")[2] if isinstance(name, str) else "entity"

"""Corrections of attributes, applied to DICOM JSON and to the elements of a header.

The stored object is never rewritten: what is sent out is its header with the corrections in it,
and an Original Attributes Sequence that says what stood there (PS3.3 §C.12.1.1.9).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vna.dicom.charset import DEFAULT, UTF_8, Charset, charset_of
from vna.dicom.dictionary import TEXT_VRS
from vna.dicom.elements import Element, Elements
from vna.dicom.from_json import element, texts_of

_CHARACTER_SET = 0x00080005
_ORIGINAL_ATTRIBUTES = 0x04000561


@dataclass(frozen=True, slots=True)
class Edit:
    """One attribute and what it becomes.

    `path`: tag, or tags and item numbers from 1 ("00400275/1/00400009"), hex in capitals; items
    that are missing are made.  `value`: the DICOM JSON attribute; None removes it.
    """

    path: str
    value: Mapping[str, Any] | None


def apply_json(edits: Sequence[Edit], tree: Mapping[str, Any]) -> dict[str, Any]:
    """`tree` with the edits, in their order; keys ascend.  `tree` itself stays as it is.

    Removing what is not there changes nothing.
    """
    made = dict(tree)
    for edit in edits:
        made = _edited(made, edit.path.split("/"), edit.value)
    return made


def _edited(
    tree: Mapping[str, Any], steps: Sequence[str], value: Mapping[str, Any] | None
) -> dict[str, Any]:
    made = dict(tree)
    key = steps[0]
    if len(steps) == 1:
        if value is None:
            made.pop(key, None)
            return made
        made[key] = dict(value)
    else:
        items = list(made.get(key, {}).get("Value", ()))
        index = int(steps[1]) - 1
        if value is None and index >= len(items):
            return made
        items += [{} for _ in range(index + 1 - len(items))]
        items[index] = _edited(items[index], steps[2:], value)
        made[key] = {"vr": "SQ", "Value": items}
    return dict(sorted(made.items())) if key not in tree else made


@dataclass(frozen=True, slots=True)
class Correction:
    """Edits and what the Original Attributes Sequence says about them.

    `when`: DICOM DT text; `system`: who modifies (0400,0563); `source`: who had provided the values
    (0400,0564), may be empty; `reason`: a defined term of (0400,0565), "CORRECT" or "COERCE".
    """

    edits: Sequence[Edit]
    when: str
    system: str
    source: str = ""
    reason: str = "CORRECT"


def apply(
    elements: Elements, correction: Correction, fetch: Callable[[Element], bytes]
) -> Elements:
    """The elements with the edits in them, and with one more item in (0400,0561), which holds what
    each edited first-level attribute was, empty where it was absent.

    Where the object's character set cannot say a new value, all its text becomes UTF-8; `fetch`
    reads the text that was cut out of the header for that.  Other large values stay where they are.
    """
    charset = _charset(elements, DEFAULT)
    texts = [text for edit in correction.edits for text in texts_of(edit.value)]
    texts += [correction.system, correction.source]
    if any(charset.encode(text) is None for text in texts):
        elements = _in_utf_8(elements, DEFAULT, fetch)
        elements = _with(elements, Element(_CHARACTER_SET, "CS", b"ISO_IR 192", 0, 10))
        charset = UTF_8
    made = elements
    for edit in correction.edits:
        made = _apply(made, edit.path.split("/"), edit.value, charset)
    return _with(made, _original_attributes(elements, correction, charset))


def _apply(
    elements: Elements, steps: Sequence[str], value: Mapping[str, Any] | None, charset: Charset
) -> Elements:
    tag = int(steps[0], 16)
    if len(steps) == 1:
        if value is None:
            return [old for old in elements if old.tag != tag]
        return _with(elements, element(steps[0], value, charset))
    old = _last(elements, tag)
    items = list(old.items or ()) if old else []
    index = int(steps[1]) - 1
    if value is None and index >= len(items):
        return elements
    items += [[] for _ in range(index + 1 - len(items))]
    items[index] = _apply(items[index], steps[2:], value, charset)
    return _with(elements, Element(tag, "SQ", None, 0, 0, items))


def _with(elements: Elements, new: Element) -> Elements:
    """The elements with `new` in the place of its tag."""
    made = [old for old in elements if old.tag != new.tag]
    at = next((at for at, old in enumerate(made) if old.tag > new.tag), len(made))
    made.insert(at, new)
    return made


def _last(elements: Elements, tag: int) -> Element | None:
    return next((old for old in reversed(elements) if old.tag == tag), None)


def _charset(elements: Elements, inherited: Charset) -> Charset:
    found = _last(elements, _CHARACTER_SET)
    return inherited if found is None else charset_of(found.value or b"")


def _in_utf_8(
    elements: Elements, inherited: Charset, fetch: Callable[[Element], bytes]
) -> Elements:
    """The elements with their text in UTF-8; items have no character set of their own then."""
    charset = _charset(elements, inherited)
    made: Elements = []
    for old in elements:
        if old.items is not None:
            items = [_in_utf_8(item, charset, fetch) for item in old.items]
            made.append(old._replace(items=items))
        elif old.vr in TEXT_VRS:
            value = fetch(old) if old.value is None else old.value
            text = charset.decode(value, old.vr).encode("utf_8")
            text += b" " * (len(text) % 2)
            made.append(old._replace(value=text, length=len(text)))
        elif old.tag != _CHARACTER_SET:
            made.append(old)
    return made


def _original_attributes(elements: Elements, correction: Correction, charset: Charset) -> Element:
    """(0400,0561) with the item of this correction last (PS3.3 table C.12.1.1.9-1)."""
    tags = sorted({int(edit.path[:8], 16) for edit in correction.edits})
    edited = [_last(elements, tag) or Element(tag, _vr(correction, tag), b"", 0, 0) for tag in tags]
    modified = Element(0x04000550, "SQ", None, 0, 0, [edited])
    said = (
        ("04000562", "DT", correction.when),
        ("04000563", "LO", correction.system),
        ("04000564", "LO", correction.source),
        ("04000565", "CS", correction.reason),
    )
    item = [modified]
    for key, vr, text in said:
        item.append(element(key, {"vr": vr, "Value": [text] if text else []}, charset))
    before = _last(elements, _ORIGINAL_ATTRIBUTES)
    items = [*(before.items or ()), item] if before else [item]
    return Element(_ORIGINAL_ATTRIBUTES, "SQ", None, 0, 0, items)


def _vr(correction: Correction, tag: int) -> str:
    """VR of an attribute that was absent: that of the edit that adds it."""
    for edit in correction.edits:
        if int(edit.path[:8], 16) == tag:
            return str(edit.value["vr"]) if edit.value and "/" not in edit.path else "SQ"
    return "UN"

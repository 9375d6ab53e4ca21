"""pydicom's DICOM JSON, brought to ours by rules that each cite a clause of the standard."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

from tests.dicom.bundled import by_pydicom
from vna.dicom.inflate import InflatedSource
from vna.dicom.json import bulk_range, to_dict
from vna.dicom.scan import Scan, scan
from vna.dicom.source import BytesSource, Source

Tree = dict[str, Any]
_LARGE = 1024  # bytes; from here on the archive gives a URI
_BULK = set(re.findall("..", "DSFLFDISLTOBODOFOLOVOWSLSSSTSVUCULUNUSUTUV"))
BASE = "https://archive.test/bulk"


class Comparison:
    """One object in both forms. `used`: the rules that changed anything in pydicom's."""

    def __init__(self, data: bytes) -> None:
        self.used: set[str] = set()
        self._data = data
        self._scan = scan(BytesSource(data))
        self._source, self._base = _data_set(BytesSource(data), self._scan)
        self.ours = to_dict(self._scan.header, BASE)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.theirs = self._tree(by_pydicom(data), by_pydicom(data), "")

    def _tree(self, values: Any, raw: Any, path: str) -> Tree:
        """The JSON of a data set; `raw` is the same data set, values not converted."""
        made: Tree = {}
        for tag in sorted(values.keys()):
            key = f"{tag:08X}"
            attribute: Tree | None = self._attribute(values, raw, tag, path + key)
            for rule in RULES:
                if attribute is None:
                    break
                changed = rule(self, attribute, raw.get_item(tag), path + key)
                if changed != attribute:
                    self.used.add(rule.__name__)
                attribute = changed
            if attribute is not None:
                made[key] = attribute
        return made

    def _attribute(self, values: Any, raw: Any, tag: int, path: str) -> Tree:
        element = values[tag]
        if element.VR == "SQ" and element.value:
            items = zip(element.value, raw[tag].value, strict=True)
            return {
                "vr": "SQ",
                "Value": [
                    self._tree(item, raw_item, f"{path}/{number}/")
                    for number, (item, raw_item) in enumerate(items, start=1)
                ],
            }
        try:
            tree: Tree = element.to_json_dict(None, 1 << 40)
        except ValueError:  # an IS that is no number: pydicom has no JSON for it
            tree = {"vr": element.VR, "Value": [str(element.value)]}
        return tree

    def bulk(self, path: str) -> bytes:
        """The bytes that a BulkDataURI of ours stands for."""
        offset, length, _ = bulk_range(self._scan.header, self._scan.anatomy, path)
        return self._source.read(offset, length)


def _data_set(source: Source, scanned: Scan) -> tuple[Source, int]:
    if scanned.deflated:
        return InflatedSource(source, scanned.dataset_offset), 0
    return source, 0


Rule = Callable[[Comparison, Tree, Any, str], Tree | None]


def no_group_length(_: Comparison, attribute: Tree, raw: Any, path: str) -> Tree | None:
    """PS3.18 §F.2.2: group length attributes shall not be in the object."""
    return None if path.endswith("0000") else attribute


def json_is_utf_8(_: Comparison, attribute: Tree, raw: Any, path: str) -> Tree:
    """PS3.18 §F.2: the text is UTF-8, whatever the object's (0008,0005) was."""
    return {"vr": "CS", "Value": ["ISO_IR 192"]} if path.endswith("00080005") else attribute


def empty_has_vr_only(_: Comparison, attribute: Tree, raw: Any, path: str) -> Tree:
    """PS3.18 §F.2.5: an empty attribute, a sequence too, has neither Value nor BulkDataURI."""
    value = attribute.get("Value")
    empty = value in ([], [""], [None]) or (value == [{}] and attribute["vr"] == "PN")
    return {"vr": attribute["vr"]} if empty or attribute.get("InlineBinary") == "" else attribute


def empty_value_is_null(_: Comparison, attribute: Tree, raw: Any, path: str) -> Tree:
    """PS3.18 §F.2.5: an empty value among several is null."""
    if "Value" not in attribute or attribute["vr"] == "SQ":
        return attribute
    return {**attribute, "Value": [None if v in ("", {}) else v for v in attribute["Value"]]}


def padding_is_no_value(_: Comparison, attribute: Tree, raw: Any, path: str) -> Tree:
    """PS3.5 §6.2, table 6.2-1: trailing spaces of a value are padding, of each of several."""
    if "Value" not in attribute or attribute["vr"] in ("SQ", "PN"):
        return attribute
    values = [v.rstrip(" \0") if isinstance(v, str) else v for v in attribute["Value"]]
    return {**attribute, "Value": values}


def decimals_keep_their_form(_: Comparison, attribute: Tree, raw: Any, path: str) -> Tree:
    """PS3.18 §F.2.3, table F.2.3-1: DS and IS are a number or a string; a string where the
    number would print otherwise than it was written."""
    if attribute["vr"] not in ("DS", "IS") or "Value" not in attribute or not raw.value:
        return attribute
    written = bytes(raw.value).decode("latin-1").strip(" \0").split("\\")
    texts = [text.strip(" \0") for text in written]
    values: list[Any] = []
    for text in texts:
        try:
            number = int(text) if text.lstrip("-").isdigit() else float(text)
        except ValueError:
            number = None
        if number is not None and f"{number}" == text and "e" not in text and "n" not in text:
            values.append(number)
        else:
            values.append(text or None)
    return {**attribute, "Value": values}


def large_is_a_uri(comparison: Comparison, attribute: Tree, raw: Any, path: str) -> Tree:
    """PS3.18 §F.2.2: a value of these VRs may be a BulkDataURI; pixel data always are.  The bytes
    behind the URI must be those that pydicom read."""
    length = len(raw.value or b"") if isinstance(raw.value, bytes) else 0
    pixels = path in ("7FE00010", "7FE00008", "7FE00009")
    if attribute["vr"] not in _BULK or not (length > _LARGE or (pixels and length)):
        return attribute
    given = comparison.bulk(path)
    undefined = raw.length == 0xFFFFFFFF
    assert given[: len(raw.value)] == raw.value
    assert given[len(raw.value) :] in ((b"\xfe\xff\xdd\xe0" + bytes(4),) if undefined else (b"",))
    return {"vr": attribute["vr"], "BulkDataURI": f"{BASE}/{path}"}


def numbers_fit_json(_: Comparison, attribute: Tree, raw: Any, path: str) -> Tree:
    """PS3.18 §F.2.3: SV and UV may be strings, and are where a double does not hold them.  JSON
    (RFC 8259 §6) has no NaN: FL and FD that are not finite are a BulkDataURI."""
    values = attribute.get("Value", [])
    if attribute["vr"] in ("SV", "UV"):
        return {**attribute, "Value": [v if abs(v) <= 1 << 53 else str(v) for v in values]}
    if attribute["vr"] in ("FL", "FD") and not all(abs(v) < float("inf") for v in values):
        return {"vr": attribute["vr"], "BulkDataURI": f"{BASE}/{path}"}
    return attribute


RULES: tuple[Rule, ...] = (
    no_group_length,
    json_is_utf_8,
    padding_is_no_value,
    empty_has_vr_only,
    empty_value_is_null,
    decimals_keep_their_form,
    large_is_a_uri,
    numbers_fit_json,
)

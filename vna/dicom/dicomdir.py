"""A DICOMDIR: the directory of a medium (PS3.3 §F, PS3.10 §8.6).

Records lie in the order in which they are read: a patient, its first study, that study's first
series, its instances. All text is UTF-8.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from struct import pack
from typing import Any

from vna.dicom.charset import charset_of
from vna.dicom.convert import file_meta
from vna.dicom.elements import Element
from vna.dicom.from_json import element
from vna.dicom.transfer_syntax import EXPLICIT_LE
from vna.dicom.writer import write
from vna.errors import InvalidValue

MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"
_UTF_8 = charset_of(b"ISO_IR 192")
_IN_USE = 0xFFFF

Attributes = Mapping[str, Any]

# Keys of each record (PS3.3 §F.5), those of type 1 and 2 with the VR of an empty one.
_PATIENT = {"00100010": "PN", "00100020": "LO"}
_STUDY = {
    "00080020": "DA",
    "00080030": "TM",
    "00080050": "SH",
    "00081030": "LO",
    "0020000D": "UI",
    "00200010": "SH",
}
_SERIES = {"00080060": "CS", "0020000E": "UI", "00200011": "IS"}
_CONTENT = {"00080023": "DA", "00080033": "TM"}
_NUMBER = {"00200013": "IS"}
_CONCEPT = {"0040A043": "SQ"}
_LABEL = {"00700080": "CS", "00700081": "LO"}
_LEAVES: dict[str, dict[str, str]] = {
    "IMAGE": _NUMBER,
    "SR DOCUMENT": {**_CONTENT, **_NUMBER, **_CONCEPT, "0040A491": "CS", "0040A493": "CS"},
    "KEY OBJECT DOC": {**_CONTENT, **_NUMBER, **_CONCEPT},
    "WAVEFORM": {**_CONTENT, **_NUMBER},
    "ENCAP DOC": {**_CONTENT, **_NUMBER, **_CONCEPT, "00420010": "ST", "00420012": "LO"},
    "PRESENTATION": {**_NUMBER, **_LABEL, "00700082": "DA", "00700083": "TM", "00700084": "PN"},
    "RT DOSE": {**_NUMBER, "3004000A": "CS"},
    "RT STRUCTURE SET": {**_NUMBER, "30060002": "SH", "30060008": "DA", "30060009": "TM"},
    "RT PLAN": {**_NUMBER, "300A0002": "SH", "300A0006": "DA", "300A0007": "TM"},
    "RAW DATA": {**_CONTENT, **_NUMBER},
    "REGISTRATION": {**_CONTENT, **_NUMBER, **_LABEL},
    "PRIVATE": {},
}
_ROOT = "1.2.840.10008.5.1.4.1.1."
# SOP classes that are no images, by the beginning of their UIDs; the first that fits counts.
_TYPES = (
    (_ROOT + "88.59", "KEY OBJECT DOC"),
    (_ROOT + "88.", "SR DOCUMENT"),
    (_ROOT + "9.", "WAVEFORM"),
    (_ROOT + "104.", "ENCAP DOC"),
    (_ROOT + "11.", "PRESENTATION"),
    (_ROOT + "481.2", "RT DOSE"),
    (_ROOT + "481.3", "RT STRUCTURE SET"),
    (_ROOT + "481.5", "RT PLAN"),
    (_ROOT + "481.8", "RT PLAN"),
    (_ROOT + "66.1", "REGISTRATION"),
    (_ROOT + "66.3", "REGISTRATION"),
    (_ROOT + "66.4", "IMAGE"),
    (_ROOT + "66", "RAW DATA"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the medium. `file_id`: its components, 8.3 upper case; `attributes`: DICOM JSON of
    the whole instance; `pixels`: whether it has pixel data."""

    file_id: tuple[str, ...]
    transfer_syntax: str
    sop_class: str
    sop_uid: str
    attributes: Attributes
    pixels: bool


@dataclass
class _Record:
    kind: str
    body: bytes  # all that follows the offsets
    below: list[_Record] = field(default_factory=list)
    offset: int = 0

    @property
    def size(self) -> int:
        """Bytes of its item."""
        return _ITEM_HEAD + _OFFSETS + len(self.body)


_ITEM_HEAD = 8
_OFFSETS = 12 + 10 + 12  # next record UL, in-use flag US, lower level UL


def dicomdir(entries: Sequence[Entry], uid: str, name: str = "") -> bytes:
    """The DICOMDIR file of `entries`; `uid` is that of the file-set, `name` its File-set ID."""
    roots = _tree(entries)
    head = file_meta(EXPLICIT_LE, MEDIA_STORAGE_DIRECTORY, uid)
    set_id = _element("00041130", "CS", name[:16])
    records = list(_walk(roots))
    # (0004,1200) and (0004,1202), the consistency flag, the head of the sequence
    at = len(head) + len(set_id) + 12 + 12 + 10 + 12
    first = at
    for record in records:
        record.offset = at
        at += record.size
    body = b"".join(_item(record, after) for record, after in _with_next(roots))
    last = roots[-1].offset if roots else 0
    return b"".join(
        (
            head,
            set_id,
            _ul(0x1200, first if roots else 0),
            _ul(0x1202, last),
            _us(0x1212, 0),
            pack("<HH2sHI", 4, 0x1220, b"SQ", 0, len(body)),
            body,
        )
    )


def _tree(entries: Sequence[Entry]) -> list[_Record]:
    """Patients, studies, series and instances, each in the order of its first entry."""
    found: dict[tuple[str, ...], _Record] = {}
    roots: list[_Record] = []
    for entry in entries:
        said = entry.attributes
        path: tuple[str, ...] = ()
        level = roots
        for kind, keys, name in (
            ("PATIENT", _PATIENT, _text(said, "00100020") + "\0" + _text(said, "00100010")),
            ("STUDY", _STUDY, _text(said, "0020000D")),
            ("SERIES", _SERIES, _text(said, "0020000E")),
        ):
            path = (*path, name)
            if path not in found:
                found[path] = _Record(kind, _keys(kind, keys, said))
                level.append(found[path])
            level = found[path].below
        kind = _type(entry)
        level.append(_Record(kind, _reference(entry) + _keys(kind, _LEAVES[kind], said)))
    for record in _walk(roots):
        record.body = _element("00041430", "CS", record.kind) + record.body
    return roots


def _walk(records: Sequence[_Record]) -> Iterator[_Record]:
    for record in records:
        yield record
        yield from _walk(record.below)


def _with_next(records: Sequence[_Record]) -> Iterator[tuple[_Record, int]]:
    """Each record and the offset of the next one of its level, 0 behind the last."""
    following = [each.offset for each in records[1:]] + [0]
    for record, after in zip(records, following, strict=False):
        yield record, after
        yield from _with_next(record.below)


def _item(record: _Record, after: int) -> bytes:
    below = record.below[0].offset if record.below else 0
    head = pack("<HHI", 0xFFFE, 0xE000, record.size - _ITEM_HEAD)
    return head + _ul(0x1400, after) + _us(0x1410, _IN_USE) + _ul(0x1420, below) + record.body


def _type(entry: Entry) -> str:
    for beginning, kind in _TYPES:
        if entry.sop_class.startswith(beginning):
            return kind
    return "IMAGE" if entry.pixels else "PRIVATE"


def _reference(entry: Entry) -> bytes:
    return b"".join(
        (
            _element("00041500", "CS", *entry.file_id),
            _element("00041510", "UI", entry.sop_class),
            _element("00041511", "UI", entry.sop_uid),
            _element("00041512", "UI", entry.transfer_syntax),
        )
    )


def _keys(kind: str, keys: Mapping[str, str], said: Attributes) -> bytes:
    charset = {"00080005": {"vr": "CS", "Value": ["ISO_IR 192"]}}
    wanted = charset | {tag: said.get(tag, {"vr": vr}) for tag, vr in keys.items()}
    if kind == "PRIVATE":
        wanted["00041432"] = {"vr": "UI", "Value": ["2.25.138711309414427912113230519527826129547"]}
    made = [_valid(tag, wanted[tag]) for tag in sorted(wanted)]
    return b"".join(part for part in write(made) if isinstance(part, bytes))


def _valid(tag: str, attribute: Attributes) -> Element:
    """The element; empty where the object has what its VR cannot hold."""
    try:
        return element(tag, attribute, _UTF_8)
    except InvalidValue:
        return element(tag, {"vr": attribute["vr"]}, _UTF_8)


def _text(said: Attributes, tag: str) -> str:
    values = said.get(tag, {}).get("Value") or [""]
    value = values[0]
    return str(value.get("Alphabetic", "") if isinstance(value, dict) else value)


def _element(tag: str, vr: str, *values: str) -> bytes:
    made = element(tag, {"vr": vr, "Value": list(values)}, _UTF_8)
    return b"".join(part for part in write([made]) if isinstance(part, bytes))


def _ul(number: int, value: int) -> bytes:
    return pack("<HH2sHI", 4, number, b"UL", 4, value)


def _us(number: int, value: int) -> bytes:
    return pack("<HH2sHH", 4, number, b"US", 2, value)

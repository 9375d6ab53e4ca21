"""What the archive learns from an object when it arrives: identity, header, anatomy, oddities."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from struct import error as out_of_data
from typing import Any

from vna.dicom import oddities
from vna.dicom.anatomy import Anatomy, Kind
from vna.dicom.charset import Charset, charset_of
from vna.dicom.coding import CODINGS, head_at
from vna.dicom.elements import read_some
from vna.dicom.fallback import rewritten_by_pydicom
from vna.dicom.frames import group
from vna.dicom.header import CUT_ABOVE, Header
from vna.dicom.inflate import InflatedSource
from vna.dicom.json import SPECIFIC_CHARACTER_SET, element_json
from vna.dicom.levels import LEVEL_OF, TAGS
from vna.dicom.part10 import Beginning, read_beginning
from vna.dicom.source import BytesSource, Source
from vna.dicom.transfer_syntax import Encoding, transfer_syntax
from vna.dicom.values import text_of
from vna.dicom.walk import Declined, Walk, keys
from vna.errors import MalformedObject
from vna.model.query import Level

SOP_CLASS, SOP_UID, STUDY_UID, SERIES_UID = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
_NAMES = {
    SOP_UID: "SOP Instance UID (0008,0018)",
    STUDY_UID: "Study Instance UID (0020,000D)",
    SERIES_UID: "Series Instance UID (0020,000E)",
}
_EXTENDED_TABLE = 0x7FE00001
_WANTED = frozenset(LEVEL_OF) | {SPECIFIC_CHARACTER_SET, _EXTENDED_TABLE}
_UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*")
_LARGEST_EXTENDED_TABLE = 128 << 20  # bytes: 16 million frames
_FLOAT_BITS = {0x7FE00008: 32, 0x7FE00009: 64}
# Bits of a sample of native data that keep fewer chroma samples (PS3.3 §C.7.6.3.1.2).
_SUBSAMPLED = {"YBR_FULL_422": 2, "YBR_PARTIAL_422": 2, "YBR_PARTIAL_420": 1.5}


@lru_cache(maxsize=len(Encoding))
def _keys(encoding: Encoding) -> dict[int, int]:
    return keys(_WANTED, CODINGS[encoding])


@dataclass(frozen=True)
class Scan:
    """An identified object.  `transfer_syntax`: as the file says, else the plain one of its
    encoding.  `dataset_offset`: first byte of the object after preamble and group 0002."""

    transfer_syntax: str
    encoding: Encoding
    deflated: bool
    dataset_offset: int
    sop_class: str
    sop_uid: str
    series_uid: str
    study_uid: str
    anatomy: Anatomy
    header: Header
    oddities: tuple[str, ...]
    positions: dict[int, int] = field(repr=False)  # tag → its element's head in `header.data`

    @cached_property
    def charset(self) -> Charset:
        """The Specific Character Set of the first level."""
        return charset_of(_value(self.header, self.positions, SPECIFIC_CHARACTER_SET)[1])

    def text(self, tag: int) -> str:
        """Decoded text of a first-level value of some level's table (`vna.dicom.levels`), several
        values divided by backslashes; '' where it is absent or empty.  NUL never occurs."""
        vr, value = _value(self.header, self.positions, tag)
        return text_of(vr, value, self.charset).strip().replace("\0", "")

    def attributes(self, level: Level) -> dict[str, Any]:
        """The DICOM JSON of that level's own attributes, keys ascending.

        Without Specific Character Set (JSON is UTF-8), and without values large enough for a URI.
        """
        signed = self.header.encoding is Encoding.IMPLICIT_LE and self._number(0x00280103) == 1
        places = [self.positions[tag] for tag in TAGS[level] & self.positions.keys()]
        made: dict[str, Any] = {}
        for element in read_some(self.header, places, signed=signed):
            attribute = element_json(element, self.charset)
            if attribute is not None:
                made[f"{element.tag:08X}"] = attribute
        return dict(sorted(made.items()))

    def _number(self, tag: int) -> int:
        return _number(self.header, self.positions, tag)


def scan(source: Source) -> Scan:
    """Identify an object and find its parts; reads the header only, never the pixel data.

    Raises `MalformedObject` that says what is missing where SOP, Study or Series Instance UID
    cannot be had.
    """
    beginning = read_beginning(source)
    encoding = beginning.encoding
    walk = Walk(beginning.source, beginning.offset, beginning.window, CODINGS[encoding])
    try:
        walk.run(_keys(encoding))
    except Declined as declined:
        return _scan_declined(source, beginning, walk, str(declined))
    header = Header(encoding, bytes(walk.data), tuple(walk.cuts))
    odd = {*beginning.oddities, *walk.oddities}
    return _scan(beginning, header, walk.found, _anatomy(beginning, walk, header, odd), odd)


def _scan_declined(source: Source, beginning: Beginning, walk: Walk, reason: str) -> Scan:
    """What pydicom can read; failing that, what was read before the structure broke."""
    encoding = Encoding.EXPLICIT_LE
    odd = {*beginning.oddities, oddities.FRAMES_UNKNOWN}
    try:
        data = rewritten_by_pydicom(source, reason)
        again = Walk(BytesSource(data), 0, data, CODINGS[encoding])
        again.run(_keys(encoding))
        header = Header(encoding, bytes(again.data), tuple(again.cuts), incomplete=True)
        found = again.found
        odd.add(oddities.READ_BY_FALLBACK)
    except (MalformedObject, Declined):
        walk.give_up()
        header = Header(beginning.encoding, bytes(walk.data), tuple(walk.cuts), incomplete=True)
        found = walk.found
        odd |= {*walk.oddities, oddities.BROKEN_STRUCTURE}
    size = beginning.source.size - beginning.offset
    anatomy = Anatomy(Kind.OPAQUE, beginning.dataset_offset, size, deflated=beginning.deflated)
    return _scan(beginning, header, found, anatomy, odd)


def _scan(
    beginning: Beginning, header: Header, found: dict[int, int], anatomy: Anatomy, odd: set[str]
) -> Scan:
    sop_uid, series_uid, study_uid = _identify(header, found, odd)
    sop_class = _uid(header, found, SOP_CLASS) or beginning.sop_class
    if not sop_class:
        odd.add(oddities.NO_SOP_CLASS)
    if (beginning.sop_uid or sop_uid, beginning.sop_class or sop_class) != (sop_uid, sop_class):
        odd.add(oddities.META_DIFFERS)
    if not charset_of(_value(header, found, SPECIFIC_CHARACTER_SET)[1]).known:
        odd.add(oddities.UNKNOWN_CHARACTER_SET)
    if isinstance(beginning.source, InflatedSource) and beginning.source.damaged:
        odd.add(oddities.DAMAGED_DEFLATE)
    return Scan(
        beginning.transfer_syntax,
        header.encoding,
        beginning.deflated,
        beginning.dataset_offset,
        sop_class,
        sop_uid,
        series_uid,
        study_uid,
        anatomy,
        header,
        tuple(sorted(odd)),
        found,
    )


def _identify(header: Header, found: dict[int, int], odd: set[str]) -> tuple[str, str, str]:
    """SOP, Series and Study Instance UID; raises `MalformedObject` that names the first missing."""
    uids = []
    for tag in (SOP_UID, SERIES_UID, STUDY_UID):
        uid = _uid(header, found, tag)
        if not uid:
            raise MalformedObject(f"{_NAMES[tag]} is missing")
        if len(uid) > 64 or _UID.fullmatch(uid) is None:
            odd.add(oddities.INVALID_UID)
        uids.append(uid)
    return uids[0], uids[1], uids[2]


def _uid(header: Header, found: dict[int, int], tag: int) -> str:
    """A UID as it is compared: up to the first NUL, without spaces around."""
    return _value(header, found, tag)[1].split(b"\0", 1)[0].decode("latin-1").strip()


def _value(header: Header, found: dict[int, int], tag: int) -> tuple[str, bytes]:
    """(VR, bytes) of a first-level element; empty where it is absent or was cut out."""
    position = found.get(tag)
    if position is None:
        return "UN", b""
    try:
        head = head_at(header.data, position, CODINGS[header.encoding], len(header.data))
    except out_of_data:
        return "UN", b""
    if head is None:
        return "UN", b""
    if head.length > CUT_ABOVE and any(cut == head.value for cut, _ in header.cuts):
        return "UN", b""
    return head.vr, header.data[head.value : head.value + head.length]


def _number(header: Header, found: dict[int, int], tag: int) -> int:
    """A US or IS value, 0 where it is absent or none."""
    vr, value = _value(header, found, tag)
    if vr == "IS":
        try:
            return max(0, int(value.split(b"\\")[0].strip(b"\0 ")))
        except ValueError:
            return 0
    if len(value) < 2:
        return 0
    return int.from_bytes(value[:2], "big" if header.encoding is Encoding.EXPLICIT_BE else "little")


def _anatomy(beginning: Beginning, walk: Walk, header: Header, odd: set[str]) -> Anatomy:
    pixels, base = walk.pixels, beginning.dataset_offset
    if pixels is None or not pixels.length:
        length = len(header.data) + sum(length for _, length in header.cuts)
        return Anatomy(Kind.NONE, base, length, deflated=beginning.deflated)
    found, tag = walk.found, pixels.head.tag
    frames = _number(header, found, 0x00280008) or 1
    kind, bits, table = Kind.OPAQUE, 0, None
    syntax = transfer_syntax(beginning.transfer_syntax)
    if pixels.fragments is not None:
        extended = _extended_table(beginning, header, found)
        table, wrong = group(pixels.fragments, frames, syntax, beginning.source, extended)
        if wrong:
            odd.add(oddities.OFFSET_TABLE_WRONG)
        if table is not None:
            kind, frames = Kind.ENCAPSULATED, table.frames
    elif syntax.encapsulated and oddities.UNKNOWN_TRANSFER_SYNTAX not in odd:
        odd.add(oddities.NOT_ENCAPSULATED)
    else:
        bits = _frame_bits(header, found, tag)
        if bits:
            kind = Kind.NATIVE
            if frames * bits > pixels.length * 8:
                odd.add(oddities.SHORT_PIXEL_DATA)
    if kind is Kind.OPAQUE:
        odd.add(oddities.FRAMES_UNKNOWN)
    return Anatomy(
        kind, base, pixels.offset, tag, pixels.length, frames, bits, beginning.deflated, table
    )


def _frame_bits(header: Header, found: dict[int, int], tag: int) -> int:
    """Bits of one native frame, 0 where the attributes that say so are missing."""
    rows, columns = _number(header, found, 0x00280010), _number(header, found, 0x00280011)
    allocated = _FLOAT_BITS.get(tag) or _number(header, found, 0x00280100)
    samples = _number(header, found, 0x00280002) or 1
    if samples == 3:
        photometric = _value(header, found, 0x00280004)[1].strip(b"\0 ").decode("latin-1")
        return int(rows * columns * allocated * _SUBSAMPLED.get(photometric, 3))
    return rows * columns * allocated * samples


def _extended_table(beginning: Beginning, header: Header, found: dict[int, int]) -> array[int]:
    """The values of the Extended Offset Table (7FE0,0001), empty where there is none."""
    numbers = array("Q")
    position = found.get(_EXTENDED_TABLE)
    element = None if position is None else next(read_some(header, (position,)), None)
    if element is not None and element.length <= _LARGEST_EXTENDED_TABLE:
        value = element.value
        if value is None:
            value = beginning.source.read(beginning.offset + element.offset, element.length)
        for at in range(0, len(value) // 8 * 8, 8):
            numbers.append(int.from_bytes(value[at : at + 8], "little"))
    return numbers

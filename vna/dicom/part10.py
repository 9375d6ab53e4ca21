"""The beginning of a file: preamble, prefix and file meta information (PS3.10 §7.1), or what of
them is there, and which encoding the data set that follows is really in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from struct import error as out_of_data
from struct import unpack_from

from vna.dicom import oddities
from vna.dicom.coding import CODINGS, INVALID, LONG, SHORT, UNDEFINED, Coding
from vna.dicom.inflate import InflatedSource
from vna.dicom.source import Source
from vna.dicom.transfer_syntax import TRANSFER_SYNTAXES, Encoding, transfer_syntax
from vna.errors import MalformedObject

_PREFIX = b"DICM"
_PROBE = 64 * 1024
_LARGEST_META = 16 << 20
_EXPLICIT = CODINGS[Encoding.EXPLICIT_LE]
_LOOK_AHEAD = 3  # elements that must make sense for an encoding to be believed


@dataclass(frozen=True, slots=True)
class Beginning:
    """What stands before the data set.  `window`: bytes of `source` from `offset` on.

    `source`: of the data set, inflated where it is deflated; `offset`: where in it the data set
    begins; `dataset_offset`: where in the object.
    """

    source: Source
    offset: int
    window: bytes
    dataset_offset: int
    transfer_syntax: str
    encoding: Encoding
    deflated: bool
    sop_class: str
    sop_uid: str
    oddities: tuple[str, ...]


def read_beginning(source: Source) -> Beginning:
    """Read up to the data set; raises `MalformedObject` where nothing looks like DICOM."""
    window = source.read(0, _PROBE)
    odd: list[str] = []
    at = next((end for end in (132, 4) if window[end - 4 : end] == _PREFIX), 0)
    if at != 132:
        odd.append(oddities.NO_PREAMBLE)
    values: dict[int, str] = {}
    while True:
        try:
            offset = _read_meta(window, at, values)
            break
        except out_of_data:
            wanted = len(window) * 4
            if len(window) >= source.size or wanted > _LARGEST_META:
                raise MalformedObject("the file meta information has no end", at) from None
            window = source.read(0, wanted)
    if not values:
        odd.append(oddities.NO_FILE_META)
    uid = values.get(0x00020010, "")
    if not uid:
        odd.append(oddities.NO_TRANSFER_SYNTAX)
    elif uid not in TRANSFER_SYNTAXES:
        odd.append(oddities.UNKNOWN_TRANSFER_SYNTAX)
    syntax = transfer_syntax(uid)
    deflated, dataset_offset = syntax.deflated, offset
    if deflated:
        inflated = InflatedSource(source, offset)
        window = inflated.read(0, _PROBE)
        deflated = bool(window)
        if deflated:
            source, offset = inflated, 0
    if not deflated:
        window = window[offset:] if len(window) > offset + 8 else source.read(offset, _PROBE)
    encoding = _encoding(window, source.size - offset, syntax.encoding if uid else None)
    if encoding is None:
        if at == 0 and not values:
            raise MalformedObject("not DICOM: neither a prefix nor a data set that begins here", 0)
        encoding = syntax.encoding
    elif uid and (encoding is not syntax.encoding or deflated is not syntax.deflated):
        odd.append(oddities.ENCODING_DIFFERS)
    return Beginning(
        source,
        offset,
        window,
        dataset_offset,
        uid or _plain(encoding),
        encoding,
        deflated,
        values.get(0x00020002, ""),
        values.get(0x00020003, ""),
        tuple(odd),
    )


def _plain(encoding: Encoding) -> str:
    return next(uid for uid, row in TRANSFER_SYNTAXES.items() if row.encoding is encoding)


def _read_meta(window: bytes, at: int, values: dict[int, str]) -> int:
    """Fill `values` with the UIDs of group 0002 and return where it ends.

    The group length is believed only to end the group before deflated bytes that look like more of
    it; writers get it wrong.  Raises `struct.error` where the window ends too early.
    """
    declared_end = -1
    end = len(window)
    while at < end and at != declared_end:
        if at + 8 > end:
            break
        group, element, vr, length = unpack_from("<HHHH", window, at)
        if group != 2:
            break
        kind = _EXPLICIT.kinds[vr]
        value = at + 8
        if kind == LONG:
            length = unpack_from("<I", window, value)[0]
            value += 4
        elif kind == INVALID:  # implicit VR, against PS3.10 §7.1
            length = unpack_from("<I", window, at + 4)[0]
        unpack_from(f"{length}x", window, value)
        tag = group << 16 | element
        if kind in (SHORT, INVALID):
            text = window[value : value + length].decode("latin-1").strip("\0 ")
            values[tag] = text
        else:
            values.setdefault(tag, "")
        at = value + length
        if element == 0 and length == 4:
            declared_end = at + int(unpack_from("<I", window, value)[0])
            values[tag] = ""
            if not _deflated_follows(window, at, declared_end):
                declared_end = -1
    return at


def _deflated_follows(window: bytes, at: int, end: int) -> bool:
    """Whether the group that begins at `at` and ends at `end` names a deflated syntax."""
    text = window[at:end]
    return b"1.2.840.10008.1.2.1.99" in text or b"1.2.840.10008.1.2.4.95" in text


def _encoding(window: bytes, room: int, declared: Encoding | None) -> Encoding | None:
    """The declared encoding if the bytes bear it out, else the one that they do; None if none."""
    order = [Encoding.EXPLICIT_LE, Encoding.EXPLICIT_BE, Encoding.IMPLICIT_LE]
    if declared is not None:
        order.sort(key=lambda encoding: encoding is not declared)
    return next((e for e in order if _makes_sense(window, room, CODINGS[e])), None)


def _makes_sense(window: bytes, room: int, coding: Coding) -> bool:
    """Whether the first elements have rising tags, known VRs, and lengths that fit."""
    before = -1
    for tag, end in _first_elements(window, coding):
        # no data set begins beyond group 0x7FE0; a wrong byte order makes 0008 into 0800
        if tag <= before or end > room or not 0x00030000 <= tag < 0x7FE10000:
            return False
        if before < 0 and tag >> 16 > 0xFF:
            return False
        before = tag
    return before >= 0


def _first_elements(window: bytes, coding: Coding) -> Iterator[tuple[int, int]]:
    """(tag, end) of up to three elements; an impossible end where the VR is none."""
    at = 0
    for _ in range(_LOOK_AHEAD):
        try:
            key, *rest = coding.head(window, at)
            if coding.implicit:
                length, at = rest[0], at + 8
            elif coding.kinds[rest[0]] == SHORT:
                length, at = rest[1], at + 8
            elif coding.kinds[rest[0]] == LONG:
                length, at = coding.word(window, at + 8)[0], at + 12
            else:
                yield coding.tag(key), 1 << 62
                return
        except out_of_data:
            return
        if length == UNDEFINED:
            yield coding.tag(key), at
            return
        at += length
        yield coding.tag(key), at

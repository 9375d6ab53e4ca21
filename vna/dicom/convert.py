"""Files to send: Explicit VR LE from any native encoding, or with corrections in the header.

Only the header is made anew; pixel data and other large values are ranges of the stored object,
streamed in chunks and turned around where they were big endian.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from struct import pack

from vna.dicom.anatomy import Anatomy
from vna.dicom.edit import Correction, apply
from vna.dicom.elements import Element, Elements, read_elements
from vna.dicom.header import Header
from vna.dicom.inflate import InflatedSource
from vna.dicom.scan import SOP_CLASS, SOP_UID, Scan, scan
from vna.dicom.source import Source, chunks
from vna.dicom.transfer_syntax import EXPLICIT_LE, IMPLICIT_LE, Encoding
from vna.dicom.values import swapped
from vna.dicom.writer import PIXEL_DATA, Part, Stretch, bits_allocated, size_of, unit_of, write
from vna.errors import NotAcceptable

IMPLEMENTATION_CLASS_UID = "2.25.138711309414427912113230519527826129547"
IMPLEMENTATION_VERSION_NAME = "REGIONAL_VNA_1"
_META_HEAD = 144  # bytes: preamble, prefix and the group length of group 0002
_CHUNK = 1 << 20  # bytes; a multiple of every unit
# Pixel data at a JPIP server: what is sent says so, inflated (PS3.5 §A.6, §A.7).
_INFLATED_JPIP = {
    "1.2.840.10008.1.2.4.94": "1.2.840.10008.1.2.4.94",
    "1.2.840.10008.1.2.4.95": "1.2.840.10008.1.2.4.94",
    "1.2.840.10008.1.2.4.204": "1.2.840.10008.1.2.4.204",
    "1.2.840.10008.1.2.4.205": "1.2.840.10008.1.2.4.204",
}
_PADDING = 0xFFFCFFFC  # Data Set Trailing Padding, PS3.10 §7.2


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A Part 10 file to send: `size` bytes in `transfer_syntax`; `stream` yields them."""

    transfer_syntax: str
    size: int
    parts: tuple[Part, ...]


def explicit_le(
    source: Source,
    header: Header,
    anatomy: Anatomy,
    syntax: str,
    correction: Correction | None = None,
) -> Outgoing:
    """The object as a file in Explicit VR LE; encapsulated pixel data keep their own syntax.

    `syntax`: as stored.  A data set stored so is passed as it is, behind a new file meta.  `source`
    is read only where text must be put in another character set for a correction.  Raises
    `NotAcceptable` where only a part of the structure could be read.
    """
    return _outgoing(source, header, anatomy, syntax, correction, implicit=False)


def as_stored(
    source: Source,
    header: Header,
    anatomy: Anatomy,
    syntax: str,
    correction: Correction | None = None,
) -> Outgoing:
    """As `explicit_le`, but what was Implicit VR LE stays so."""
    implicit = header.encoding is Encoding.IMPLICIT_LE
    return _outgoing(source, header, anatomy, syntax, correction, implicit=implicit)


def implicit_le(
    source: Source,
    header: Header,
    anatomy: Anatomy,
    syntax: str,
    correction: Correction | None = None,
) -> Outgoing:
    """As `explicit_le`, but in Implicit VR LE, which every DIMSE peer takes (PS3.5 §10.1); not for
    the web."""
    return _outgoing(source, header, anatomy, syntax, correction, implicit=True)


def stream(source: Source, anatomy: Anatomy, outgoing: Outgoing) -> Iterator[bytes]:
    """The bytes of the file, in pieces of at most 1 MiB beside the header; `source`: the object."""
    source, base = data_set_of(source, anatomy.dataset_offset, anatomy.deflated)
    for part in outgoing.parts:
        if isinstance(part, bytes):
            yield part
            continue
        for chunk in chunks(source, base + part.offset, part.length, _CHUNK):
            yield swapped(chunk, part.unit)


def file_meta(syntax: str, sop_class: str, sop_uid: str) -> bytes:
    """Preamble, prefix and a minimal group 0002 (PS3.10 §7.1)."""
    body = pack("<HH2sHI", 2, 1, b"OB", 0, 2) + b"\0\1"
    for element, vr, text in (
        (0x02, b"UI", sop_class),
        (0x03, b"UI", sop_uid),
        (0x10, b"UI", syntax),
        (0x12, b"UI", IMPLEMENTATION_CLASS_UID),
        (0x13, b"SH", IMPLEMENTATION_VERSION_NAME),
    ):
        value = text.encode("latin-1", "replace")
        value += (b"\0" if vr == b"UI" else b" ") * (len(value) % 2)
        body += pack("<HH2sH", 2, element, vr, len(value)) + value
    return bytes(128) + b"DICM" + pack("<HH2sHI", 2, 0, b"UL", 4, len(body)) + body


def data_set_chunks(file: Iterator[bytes]) -> Iterator[bytes]:
    """What follows the file meta of a file that begins with `file_meta`."""
    head = b""
    for chunk in file:
        head += chunk
        if len(head) >= _META_HEAD:
            skip = _META_HEAD + int.from_bytes(head[_META_HEAD - 4 : _META_HEAD], "little")
            if len(head) >= skip:
                yield head[skip:]
                break
    yield from file


def canonical_digest(source: Source, scanned: Scan | None = None) -> bytes:
    """SHA-256 over tags and little-endian values: equal for equal content in any native transfer
    syntax, whatever the VRs, lengths of sequences and file meta.

    Reads the whole object, in bounded memory.  Encapsulated pixel data count with their syntax.
    Raises `MalformedObject`.  Private sequences of defined length in Implicit VR are bytes here, so
    that such an object is not found equal to its explicit form.
    """
    scanned = scanned or scan(source)
    source, base = data_set_of(source, scanned.dataset_offset, scanned.deflated)
    digest = hashlib.sha256()
    if scanned.header.incomplete:  # only equal bytes are known to be equal
        for chunk in chunks(source, base, source.size - base, _CHUNK):
            digest.update(chunk)
        return digest.digest()
    elements = read_elements(scanned.header)
    if _encapsulated(elements):
        digest.update(scanned.transfer_syntax.encode("ascii", "replace"))
    for part in _canonical(elements, bits_allocated(elements)):
        if isinstance(part, bytes):
            digest.update(part)
            continue
        for chunk in chunks(source, base + part.offset, part.length, _CHUNK):
            digest.update(swapped(chunk, part.unit))
    return digest.digest()


def data_set_of(source: Source, offset: int, deflated: bool) -> tuple[Source, int]:
    """The source in which the data set's offsets count, and where in it the data set begins."""
    return (InflatedSource(source, offset), 0) if deflated else (source, offset)


def _encapsulated(elements: Elements) -> bool:
    return any(old.tag == PIXEL_DATA and old.undefined and old.items is None for old in elements)


def _outgoing(
    source: Source,
    header: Header,
    anatomy: Anatomy,
    syntax: str,
    correction: Correction | None,
    *,
    implicit: bool,
) -> Outgoing:
    if header.incomplete:
        raise NotAcceptable("the object's structure is broken: it is only given as it was received")
    elements = read_elements(header)
    if not _encapsulated(elements):
        plain = IMPLICIT_LE if implicit else EXPLICIT_LE
        syntax = _INFLATED_JPIP.get(syntax, plain)
    if correction is not None:
        elements = apply(elements, correction, fetcher(source, anatomy))
    meta = file_meta(syntax, uid_of(elements, SOP_CLASS), uid_of(elements, SOP_UID))
    written = Encoding.IMPLICIT_LE if syntax == IMPLICIT_LE else Encoding.EXPLICIT_LE
    if correction is None and header.encoding is written:
        length = len(header.data) + sum(length for _, length in header.cuts)
        parts: list[Part] = [meta, Stretch(0, length)]
    else:
        parts = [meta, *write(elements, implicit=syntax == IMPLICIT_LE)]
    return Outgoing(syntax, size_of(parts), tuple(parts))


def fetcher(source: Source, anatomy: Anatomy) -> Callable[[Element], bytes]:
    """Reads the value of an element that was cut out of the header."""

    def fetch(element: Element) -> bytes:
        data_set, base = data_set_of(source, anatomy.dataset_offset, anatomy.deflated)
        return data_set.read(base + element.offset, element.length)

    return fetch


def uid_of(elements: Elements, tag: int) -> str:
    """The UID of that tag, '' where it is absent."""
    value = next((e.value for e in reversed(elements) if e.tag == tag), None) or b""
    return value.decode("latin-1").strip("\0 ")


def _canonical(elements: Elements, bits: int) -> Iterator[Part]:
    for element in elements:
        if not element.tag & 0xFFFF or element.tag == _PADDING:
            continue
        if element.items is not None:
            yield pack("<Ic", element.tag, b"[")
            for item in element.items:
                yield b"{"
                yield from _canonical(item, bits)
                yield b"}"
            yield b"]"
            continue
        unit = unit_of(element, bits)
        yield pack("<IcQ", element.tag, b"=", element.length)
        if element.value is None:
            yield Stretch(element.offset, element.length, unit)
        else:
            yield swapped(element.value, unit)

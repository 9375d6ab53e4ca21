"""In which form an object leaves: as stored where that may be, else as Explicit VR Little Endian.

PS3.18 §8.7.3.5.2 forbids Implicit VR Little Endian and Explicit VR Big Endian on the web; they
become Explicit VR Little Endian. Compressed pixel data keep their transfer syntax.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum

from storage_backends.prompt import takes_time
from vna.dicom import oddities
from vna.dicom.anatomy import Kind
from vna.dicom.convert import data_set_chunks, explicit_le, implicit_le, stream
from vna.dicom.edit import Correction
from vna.dicom.transfer_syntax import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, transfer_syntax
from vna.services.payload import Payload
from vna.services.reading import ObjectReader, clipped, sliced
from vna.services.stored import Stored

SYSTEM = "regional-vna"  # Modifying System (0400,0563)

# With one of these the bytes are no file by PS3.10, or not in the transfer syntax that they name.
_NOT_A_FILE = frozenset(
    (
        oddities.NO_PREAMBLE,
        oddities.NO_FILE_META,
        oddities.NO_TRANSFER_SYNTAX,
        oddities.ENCODING_DIFFERS,
        oddities.META_DIFFERS,
    )
)


class Form(Enum):
    """In which transfer syntax a file leaves without a codec."""

    STORED = "stored"  # `transfer-syntax=*`: as stored, but never Implicit LE nor Explicit BE
    EXPLICIT_LE = "explicit-le"  # 1.2.840.10008.1.2.1; compressed pixels are not decoded


def original(reader: ObjectReader, syntax: str) -> Payload:
    """The object byte for byte."""
    return Payload(
        syntax,
        reader.size,
        lambda start, length: (
            reader.all()
            if (start, length) == (0, None)
            else reader.ranges(clipped([(0, reader.size)], start, length))
        ),
    )


def file(reader: ObjectReader, stored: Stored, form: Form) -> Payload:
    """A DICOM file of the object with its corrections in it.

    Raises `NotAcceptable` where the structure is broken, so that no other form can be made of it.
    """
    if not stored.edits and not _NOT_A_FILE & set(stored.oddities) and _may_leave(stored, form):
        return original(reader, stored.transfer_syntax)
    return native(reader, stored, EXPLICIT_LE, correction_of(stored))


def data_set(reader: ObjectReader, stored: Stored, *, as_received: bool) -> Payload | None:
    """The data set byte for byte, in the transfer syntax that it is stored in; None where it must
    be made anew, because it is corrected or is not in the syntax that it names."""
    if (stored.edits and not as_received) or oddities.ENCODING_DIFFERS in stored.oddities:
        return None
    at = stored.anatomy.dataset_offset
    whole = original(reader, stored.transfer_syntax)
    return Payload(
        stored.transfer_syntax,
        reader.size - at,
        lambda start, length: (
            sliced(reader.all(), at, None)
            if (start, length) == (0, None)
            else whole.chunks(at + start, length)
        ),
    )


def native(
    reader: ObjectReader, stored: Stored, target: str, correction: Correction | None
) -> Payload:
    """A DICOM file of an object in `target`, Explicit or Implicit VR LE, made without a codec."""
    takes_time()
    make = implicit_le if target == IMPLICIT_LE else explicit_le
    anatomy = stored.anatomy
    outgoing = make(reader, stored.header, anatomy, stored.transfer_syntax, correction)
    return Payload(
        outgoing.transfer_syntax,
        outgoing.size,
        lambda start, length: sliced(
            reader.checked(lambda source: stream(source, anatomy, outgoing)), start, length
        ),
    )


def without_meta(file: Payload) -> Payload:
    """The data set of a DICOM file that we made. It is read from its beginning only."""

    def chunks(start: int, length: int | None) -> Iterator[bytes]:
        return sliced(data_set_chunks(file.chunks()), start, length)

    return Payload(file.transfer_syntax, None, chunks)


def available(syntax: str) -> list[str]:
    """Transfer syntaxes in which an object stored as `syntax` can surely be had (0008,3002); the
    lossless ones that hold its pixels are made on demand, too."""
    if syntax in (IMPLICIT_LE, EXPLICIT_BE, EXPLICIT_LE):
        return [EXPLICIT_LE]
    row = transfer_syntax(syntax)
    if row.encapsulated and not row.decoded:
        return [syntax]
    return [syntax, EXPLICIT_LE]


def correction_of(stored: Stored) -> Correction | None:
    """What a file of the object must have in it, None where nothing is corrected."""
    if not stored.edits:
        return None
    when = datetime.fromtimestamp(stored.edited_at / 1000, UTC).strftime("%Y%m%d%H%M%S.%f+0000")
    return Correction(stored.edits, when, SYSTEM)


def _may_leave(stored: Stored, form: Form) -> bool:
    syntax = stored.transfer_syntax
    if syntax in (IMPLICIT_LE, EXPLICIT_BE):
        return False
    if form is Form.STORED or syntax == EXPLICIT_LE:
        return True
    return transfer_syntax(syntax).encapsulated and stored.anatomy.kind is not Kind.NONE

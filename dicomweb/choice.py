"""In which media type and transfer syntax something can leave, best first (PS3.18 §8.7, §8.7.3).

Pure: what the client accepts, and what is stored, become choices; whether one can be kept, the
archive finds out by trying. The tables are those of `vna.dicom.transfer_syntax`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dicomweb.negotiation import DICOM, OCTETS, Wanted
from vna.dicom.transfer_syntax import EXPLICIT_LE, TRANSFER_SYNTAXES, transfer_syntax
from vna.wire.accept import matches


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to answer. `syntax`: None for as stored. `instead`: the client named none, and the
    standard would have it in another one that cannot be made, or that it did not mean."""

    media_type: str
    syntax: str | None
    instead: bool = False


def file_choices(candidates: Sequence[Wanted], stored: str) -> Iterator[Choice]:
    """For a DICOM file stored as `stored`.

    Without transfer-syntax it is Explicit VR LE (table 8.7.3-2), or where that cannot be made, as
    stored. A lossy syntax is had only where it is the stored one.
    """
    for each in candidates:
        if not matches(each.media_type, DICOM):
            continue
        asked = each.transfer_syntax
        if asked == "*" or (asked == stored and asked != EXPLICIT_LE):
            yield Choice(DICOM, None)
        elif asked is None:
            yield Choice(DICOM, EXPLICIT_LE)
            yield Choice(DICOM, None, instead=True)
        elif can_be_made(asked):
            yield Choice(DICOM, asked)


def pixel_choices(candidates: Sequence[Wanted], stored: str, *, strict: bool) -> Iterator[Choice]:
    """For pixel data that lie in transfer syntax `stored`, EXPLICIT_LE where they are native.

    A media type without transfer-syntax means its default (table 8.7.3-5): uncompressed for
    octet-stream, lossless JPEG for image/jpeg. Unless `strict`, pixel data that are stored under
    that media type are sent as they are instead, with a warning: who asks for image/jpeg can
    rarely read anything but what cameras and modalities write.
    """
    native = stored == EXPLICIT_LE
    codestream = OCTETS if native else transfer_syntax(stored).media_type.lower()
    for each in candidates:
        asked, pattern = each.transfer_syntax, each.media_type
        if asked in ("*", stored):
            if matches(pattern, codestream):
                yield Choice(codestream, None)
            elif matches(pattern, OCTETS):
                yield Choice(OCTETS, None)
        elif asked is not None:
            if matches(pattern, _media_type(asked)) and can_be_made(asked):
                yield Choice(_media_type(asked), asked)
        else:
            yield from _default(pattern, stored, codestream, strict=strict)


def _default(pattern: str, stored: str, codestream: str, *, strict: bool) -> Iterator[Choice]:
    native = stored == EXPLICIT_LE
    if matches(pattern, OCTETS):
        yield Choice(OCTETS, EXPLICIT_LE)
        if not native:  # no codec reads it
            yield Choice(codestream if matches(pattern, codestream) else OCTETS, None, instead=True)
        return
    mine = not native and matches(pattern, codestream)
    if mine and transfer_syntax(stored).default_for_media_type:
        yield Choice(codestream, None)
    elif mine and not strict:
        yield Choice(codestream, None, instead=True)
    for row in TRANSFER_SYNTAXES.values():
        media_type = row.media_type.lower()
        if row.default_for_media_type and matches(pattern, media_type) and can_be_made(row.uid):
            yield Choice(media_type, row.uid)


def _media_type(syntax: str) -> str:
    return OCTETS if syntax == EXPLICIT_LE else transfer_syntax(syntax).media_type.lower()


def can_be_made(syntax: str) -> bool:
    """Whether pixel data are put into this transfer syntax for who asks for it."""
    row = TRANSFER_SYNTAXES.get(syntax)
    return row is not None and row.encoded

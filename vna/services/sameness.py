"""Whether an object that arrives is one that is stored already (architecture decision 4)."""

from __future__ import annotations

from itertools import zip_longest

from vna.dicom.convert import canonical_digest
from vna.dicom.source import Source, chunks
from vna.dicom.transfer_syntax import transfer_syntax
from vna.errors import MalformedObject
from vna.services.payload import CHUNK


def equal_data_sets(one: Source, one_offset: int, other: Source, other_offset: int) -> bool:
    """Whether all bytes from each offset on are equal. Raises what reading raises (`Damaged`)."""
    if one.size - one_offset != other.size - other_offset:
        return False
    ours = chunks(one, one_offset, one.size - one_offset, CHUNK)
    theirs = chunks(other, other_offset, other.size - other_offset, CHUNK)
    return all(a == b for a, b in zip_longest(ours, theirs))


def may_be_equivalent(one_syntax: str, other_syntax: str) -> bool:
    """Whether content can be compared across two transfer syntaxes: both hold plain pixels."""
    if one_syntax == other_syntax:
        return False
    return not any(transfer_syntax(uid).encapsulated for uid in (one_syntax, other_syntax))


def equivalent(one: Source, other: Source) -> bool:
    """Whether two objects say the same in different native transfer syntaxes."""
    try:
        return canonical_digest(one) == canonical_digest(other)
    except MalformedObject:
        return False

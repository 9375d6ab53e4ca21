"""Stored headers: compressed against the first instance of their series."""

from __future__ import annotations

from vna.dicom import header


def compressed(encoded: bytes, dictionary: bytes | None) -> tuple[bytes, bool]:
    """The smaller form of an encoded header, and whether reading it needs the dictionary."""
    if not dictionary:
        return header.compress(encoded), False
    return header.compress(encoded, dictionary), True

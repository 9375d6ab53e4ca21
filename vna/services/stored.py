"""One version of one instance, as reading sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import xxhash

from storage_backends.prompt import takes_time
from vna.dicom.anatomy import Anatomy
from vna.dicom.edit import Edit, apply_json
from vna.dicom.header import Header, PackedHeader
from vna.dicom.json import to_dict
from vna.index.places import Holding
from vna.model.archive import Place

LARGE_HEADER = 32 * 1024  # bytes, compressed


@dataclass(frozen=True)
class Stored:
    """One version of one instance that the caller may see. `etag` changes with its corrections."""

    study_uid: str
    series_uid: str
    sop_uid: str
    sop_class: str
    version: int
    current: bool
    transfer_syntax: str
    size: int
    sha256: bytes
    etag: str
    oddities: tuple[str, ...]
    xxh3: bytes = field(repr=False)
    place: Place = field(repr=False)
    anatomy_bytes: bytes = field(repr=False)
    packed_header: PackedHeader = field(repr=False)
    edits: tuple[Edit, ...] = field(repr=False)
    edited_at: int = field(repr=False)  # ms since 1970 UTC; 0 without edits

    @cached_property
    def anatomy(self) -> Anatomy:
        """Where its parts lie."""
        return Anatomy.decode(self.anatomy_bytes)

    @cached_property
    def header_bytes(self) -> bytes:
        """Its header as received, encoded (docs/formats.md)."""
        if len(self.packed_header.body) > LARGE_HEADER:
            takes_time()
        return self.packed_header.encoded()

    @cached_property
    def header(self) -> Header:
        """Its header as received."""
        return Header.decode(self.header_bytes)

    def attributes(self) -> dict[str, Any]:
        """DICOM JSON of what is shown of it, without bulk data."""
        return apply_json(self.edits, to_dict(self.header, ""))

    @property
    def frames(self) -> int:
        """Number of frames; 0 without pixel data."""
        return self.anatomy.number_of_frames

    @classmethod
    def of(cls, found: Holding) -> Stored:
        """What the index holds, as a value of the services."""
        return cls(
            found.study_uid,
            found.series_uid,
            found.sop_uid,
            found.sop_class,
            found.version,
            found.current,
            found.transfer_syntax,
            found.size,
            found.sha256,
            xxhash.xxh3_128_hexdigest(found.sha256 + found.stamp.encode()),
            found.oddities,
            found.xxh3,
            found.place,
            found.anatomy,
            found.header,
            found.edits,
            found.edited_at,
        )

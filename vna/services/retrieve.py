"""Stored objects on their way out: as received, as files, frames and bulk data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from vna.model.caller import Caller
from vna.services.payload import Payload


class Form(Enum):
    """What a client can take."""

    STORED = "stored"  # `transfer-syntax=*`: as stored, but never Implicit LE nor Explicit BE
    EXPLICIT_LE = "explicit-le"  # 1.2.840.10008.1.2.1; compressed pixels are not decoded


@dataclass(frozen=True)
class Stored:
    """One version of one instance that the caller may see. `etag` changes with its overlays."""

    study_uid: str
    series_uid: str
    sop_uid: str
    sop_class: str
    version: int
    current: bool
    transfer_syntax: str
    size: int
    sha256: bytes
    frames: int  # 0: no pixel data
    etag: str


class Retrieve:
    """Reading by UID. Every call checks what the caller may see and is audited once a minute."""

    def instances(
        self,
        caller: Caller,
        study_uid: str,
        series_uid: str | None = None,
        sop_uid: str | None = None,
        *,
        version: int | Literal["all"] | None = None,
        purpose: str = "retrieve",
    ) -> list[Stored]:
        """The visible instances, by series and instance number; the current version of each.

        `version`: that one, or "all". Raises `NotFound`, or `Gone` for what lies in the trash.
        """
        raise NotImplementedError

    def original(self, stored: Stored) -> Payload:
        """The object byte for byte as received."""
        raise NotImplementedError

    def file(self, stored: Stored, form: Form) -> Payload:
        """A DICOM file (PS3.10) with every overlay applied; see `Form`.

        `Payload.transfer_syntax` says what it became: with EXPLICIT_LE an object whose pixels are
        compressed keeps its own, and the edge decides whether the client can take that.
        """
        raise NotImplementedError

    def frames(self, stored: Stored, numbers: Sequence[int]) -> list[Payload]:
        """Frames, numbered from 1, without item headers; native ones little endian.

        Raises `NotFound` beyond the last frame, and where there is no pixel data.
        """
        raise NotImplementedError

    def bulkdata(self, stored: Stored, path: str) -> Payload:
        """The value at a path of DICOM JSON's BulkDataURI: "7FE00010", "54000100/1/54001010".

        Native values are little endian. Raises `NotFound`.
        """
        raise NotImplementedError

    def pixeldata(self, stored: Stored) -> list[Payload]:
        """All pixel data: one payload when native, one for each frame when encapsulated."""
        raise NotImplementedError

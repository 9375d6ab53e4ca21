"""DICOM JSON metadata of studies, series and instances, from the index alone."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import xxhash

from vna.dicom.edit import Edit
from vna.dicom.header import Header
from vna.dicom.json import to_json
from vna.errors import Gone
from vna.index import places, series_metadata
from vna.index.engine import Index
from vna.index.places import Holding, SeriesStamp
from vna.model.caller import Caller, Right
from vna.services.audit import ReadAudit
from vna.services.forms import available
from vna.services.gzip_array import (
    Piece,
    compress,
    gzip_array,
    gzip_size,
    plain_array,
    plain_size,
    values,
)
from vna.services.rights import require

AVAILABLE_TRANSFER_SYNTAX_UID = "00083002"
REMEMBERED = 32 << 20  # bytes of compressed metadata of series that are not settled


@dataclass(frozen=True, slots=True)
class MetadataDocument:
    """One JSON array (PS3.18 §F.2), plain or as one gzip member, sizes known; or its objects.

    `etag` is an unquoted token that changes with anything the answer depends on.
    """

    etag: str
    size: int
    gzip_size: int
    plain: Callable[[], Iterator[bytes]]
    gzip: Callable[[], Iterator[bytes]]
    objects: Callable[[], Iterator[dict[str, Any]]]


class Metadata:
    """Metadata of what the caller may see; never opens an object.

    That of a settled series is stored (`vna.services.settle`); of others it is made when asked for
    and remembered in memory, because reads write nothing to the database.
    """

    def __init__(self, index: Index, audit: ReadAudit) -> None:
        self._index, self._audit = index, audit
        self._recent = _Recent()

    def find(
        self,
        caller: Caller,
        study_uid: str,
        series_uid: str | None = None,
        sop_uid: str | None = None,
        *,
        base_url: str,
    ) -> MetadataDocument:
        """The array of the current versions, by series and instance number.

        `base_url` is the DICOMweb root without a trailing slash; BulkDataURIs begin with
        `{base_url}/studies/…/instances/…/bulkdata`. Raises `NotFound` or `Gone`.
        """
        require(caller, Right.READ)
        if sop_uid is not None:
            with self._index.reading() as session:
                found = places.shown(session, caller, study_uid, series_uid, sop_uid)
            self._audit.read(caller, study_uid, "metadata")
            return _document([stamp_of(found[0].stamp, base_url)], [series_piece(found, base_url)])
        with self._index.reading() as session:
            series = places.series_stamps(session, caller, study_uid, series_uid)
            stamps = {each.key: stamp_of(each.stamp, base_url) for each in series}
            stored = series_metadata.find(session, stamps)
        if not series:
            raise Gone("all of it lies in the trash")
        self._audit.read(caller, study_uid, "metadata")
        pieces = [
            Piece.decode(stored[each.key])
            if each.key in stored
            else self._made(caller, study_uid, each, base_url)
            for each in series
        ]
        return _document([stamps[each.key] for each in series], pieces)

    def _made(self, caller: Caller, study_uid: str, series: SeriesStamp, base_url: str) -> Piece:
        key = (series.key, stamp_of(series.stamp, base_url))
        piece = self._recent.get(key)
        if piece is None:
            with self._index.reading() as session:
                found = places.shown(session, caller, study_uid, series.uid)
            piece = series_piece(found, base_url)
            if all(each.stamp == series.stamp for each in found):
                self._recent.put(key, piece)
        return piece


def stamp_of(stamp: str, base_url: str) -> str:
    """What the metadata of a series depends on: its state and the URLs inside."""
    return f"{stamp}-{xxhash.xxh3_64_hexdigest(base_url.encode())}"


def series_piece(found: Iterable[Holding], base_url: str) -> Piece:
    """The metadata of instances in their order, compressed."""
    return compress(instance_json(each, base_url) for each in found)


def instance_json(found: Holding, base_url: str) -> bytes:
    """The JSON object of one instance with its corrections in it."""
    study, series, sop = (
        quote(uid, safe="") for uid in (found.study_uid, found.series_uid, found.sop_uid)
    )
    base = f"{base_url}/studies/{study}/series/{series}/instances/{sop}/bulkdata"
    syntaxes = {"vr": "UI", "Value": available(found.transfer_syntax)}
    edits = [*found.edits, Edit(AVAILABLE_TRANSFER_SYNTAX_UID, syntaxes)]
    return to_json(Header.decode(found.header.encoded()), base, edits)


def _document(stamps: Sequence[str], pieces: Sequence[Piece]) -> MetadataDocument:
    return MetadataDocument(
        xxhash.xxh3_128_hexdigest("\n".join(stamps).encode()),
        plain_size(pieces),
        gzip_size(pieces),
        lambda: plain_array(pieces),
        lambda: gzip_array(pieces),
        lambda: values(pieces),
    )


class _Recent:
    """Pieces made a moment ago, the least recently used forgotten first. Thread-safe."""

    def __init__(self) -> None:
        self._size = 0
        self._found: OrderedDict[tuple[int, str], Piece] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[int, str]) -> Piece | None:
        with self._lock:
            piece = self._found.get(key)
            if piece is not None:
                self._found.move_to_end(key)
            return piece

    def put(self, key: tuple[int, str], piece: Piece) -> None:
        with self._lock:
            if key not in self._found:
                self._found[key] = piece
                self._size += len(piece.deflated)
            while self._size > REMEMBERED:
                self._size -= len(self._found.popitem(last=False)[1].deflated)

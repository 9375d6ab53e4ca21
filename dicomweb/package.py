"""A study, a series or an instance as one ZIP file, an extension that browsers and people like.

The file is made while it is sent: nothing of it is held. With `dicomdir=true` it is a medium by
PS3.10, with file names of eight characters and a DICOMDIR.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import IO, cast

from dicomweb.offers import ZIP
from dicomweb.representation import VARY
from vna.dicom.dicomdir import Entry, dicomdir
from vna.http.answer import PRIVATE, Answer, Stream, not_modified
from vna.http.request import Request
from vna.services.payload import Payload
from vna.services.retrieve import Form, Retrieve, Stored

_LARGE = 1 << 30  # bytes; such a member is written as Zip64
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # what ZIP can say; equal content is equal bytes


class Package:
    """Answers for `Instances` where the client accepts a ZIP file."""

    def __init__(self, retrieve: Retrieve) -> None:
        self._retrieve = retrieve

    def represent(self, request: Request, stored: Sequence[Stored]) -> Answer:
        """The current versions as stored, with their corrections; `dicomdir` adds a DICOMDIR."""
        medium = request.flag("dicomdir")
        digest = hashlib.sha256(b"medium" if medium else b"zip")
        for each in stored:
            digest.update(each.etag.encode())
        etag = digest.hexdigest()[:32]
        found = not_modified(request, etag)
        if found is not None:
            return found
        name = f"{request.parameters.get('instance') or request.parameters['study']}.zip"
        headers = (
            ("Content-Type", ZIP),
            ("Content-Disposition", f'attachment; filename="{_safe(name)}"'),
            ("ETag", f'"{etag}"'),
            *VARY,
            *PRIVATE,
        )
        return Answer(200, headers, Stream(None, lambda: self._chunks(stored, medium)))

    def _chunks(self, stored: Sequence[Stored], medium: bool) -> Iterator[bytes]:
        sink = _Sink()
        paths = _short_names(stored) if medium else _long_names(stored)
        entries: list[Entry] = []
        sums: list[str] = []
        with zipfile.ZipFile(cast("IO[bytes]", sink), "w", zipfile.ZIP_STORED) as made:
            for path, one in zip(paths, stored, strict=True):
                payload = self._retrieve.file(one, Form.STORED)
                digest = hashlib.sha256()
                yield from _member(made, sink, path, payload, digest.update)
                sums.append(f"{digest.hexdigest()}  {path}\n")
                if medium:
                    entries.append(_entry(path, one, payload.transfer_syntax))
            if medium:
                directory = dicomdir(entries, _file_set_uid(stored))
                made.writestr(_info("DICOMDIR"), directory)
                sums.append(f"{hashlib.sha256(directory).hexdigest()}  DICOMDIR\n")
            made.writestr(_info("SHA256.TXT" if medium else "manifest-sha256.txt"), "".join(sums))
        yield sink.take()


class _Sink:
    """Takes what the ZIP writer writes; it cannot be sought, so that sizes follow their data."""

    def __init__(self) -> None:
        self._held: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keep `data` until it is taken."""
        self._held.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing to do."""

    def take(self) -> bytes:
        """All that was written since."""
        data = b"".join(self._held)
        self._held.clear()
        return data


def _entry(path: str, one: Stored, syntax: str) -> Entry:
    names = tuple(path.split("/"))
    return Entry(names, syntax, one.sop_class, one.sop_uid, one.attributes(), one.frames > 0)


def _member(
    made: zipfile.ZipFile,
    sink: _Sink,
    path: str,
    payload: Payload,
    digested: Callable[[bytes], None],
) -> Iterator[bytes]:
    large = payload.size is None or payload.size > _LARGE
    with made.open(_info(path), "w", force_zip64=large) as member:
        for chunk in payload.chunks():
            member.write(chunk)
            digested(chunk)
            yield sink.take()
    yield sink.take()


def _info(path: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(path, _EARLIEST)


def _long_names(stored: Sequence[Stored]) -> list[str]:
    return [
        "/".join(_safe(uid) for uid in (each.study_uid, each.series_uid, each.sop_uid)) + ".dcm"
        for each in stored
    ]


def _short_names(stored: Sequence[Stored]) -> list[str]:
    """ISO 9660 level 1, as PS3.12 wants it: DICOM/SE000001/IM000001."""
    series: dict[str, int] = {}
    counts: dict[str, int] = {}
    paths = []
    for each in stored:
        number = series.setdefault(each.series_uid, len(series) + 1)
        counts[each.series_uid] = counts.get(each.series_uid, 0) + 1
        paths.append(f"DICOM/SE{number:06d}/IM{counts[each.series_uid]:06d}")
    return paths


def _file_set_uid(stored: Sequence[Stored]) -> str:
    """Of the file-set: the same whenever its content is (PS3.5 §B.2)."""
    digest = hashlib.sha256("".join(each.etag for each in stored).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def _safe(uid: str) -> str:
    """A UID as a file name; what is none cannot leave its folder."""
    return re.sub(r"[^0-9A-Za-z_-]", ".", uid).lstrip(".")

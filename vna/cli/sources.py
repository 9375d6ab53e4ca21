"""What can be imported: files of a folder, members of a ZIP file, references of a DICOMDIR."""

from __future__ import annotations

import os
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

PREFIX_END = 132  # bytes: preamble and "DICM" (PS3.10 §7.1)
MEDIA_DIRECTORY = re.compile(rb"1\.2\.840\.10008\.1\.3\.10(?![0-9.])")
# How a data set without preamble begins: group 0002 or 0008, little or big endian.
BARE_STARTS = (b"\x02\x00", b"\x08\x00", b"\x00\x02", b"\x00\x08")


@dataclass(frozen=True, slots=True)
class Source:
    """One thing to import. `name`: absolute path, or path + "!" + member. `size` in bytes.

    Call `done` once, whether it was opened or not, and not before what was opened is closed.
    """

    name: str
    size: int
    modified_ns: int
    open: Callable[[], IO[bytes]]
    done: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that should have been a source."""

    name: str
    reason: str


def find(path: Path) -> Iterator[Source | Unreadable]:
    """Yield what `path` leads to, in a stable order."""
    path = path.absolute()
    if path.is_dir():
        yield from _folder(path)
    elif path.name.upper() == "DICOMDIR" and path.is_file():
        yield from _dicomdir(path)
    elif zipfile.is_zipfile(path):
        yield from _zip(path)
    else:
        yield _file(path)


def is_candidate(head: bytes) -> bool:
    """Whether the first kilobyte of a file may begin a DICOM object; a DICOMDIR does not."""
    if head[128:PREFIX_END] == b"DICM":
        return not MEDIA_DIRECTORY.search(head)
    return len(head) >= 8 and head.startswith(BARE_STARTS)


def _folder(folder: Path) -> Iterator[Source | Unreadable]:
    problems: list[OSError] = []
    for where, folders, files in os.walk(folder, onerror=problems.append):
        folders.sort()
        for name in sorted(files):
            path = Path(where, name)
            if name.lower().endswith(".zip") and zipfile.is_zipfile(path):
                yield from _zip(path)
            else:
                yield _file(path)
        while problems:
            problem = problems.pop()
            yield Unreadable(
                _printable(str(problem.filename)), problem.strerror or "cannot be read"
            )


def _file(path: Path) -> Source | Unreadable:
    try:
        facts = path.stat()
    except OSError as error:
        return Unreadable(_printable(str(path)), error.strerror or "cannot be read")
    return Source(_printable(str(path)), facts.st_size, facts.st_mtime_ns, lambda: path.open("rb"))


def _zip(path: Path) -> Iterator[Source | Unreadable]:
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        yield Unreadable(str(path), str(error))
        return
    members = [member for member in archive.infolist() if not member.is_dir()]
    shared = _Shared(archive, len(members))
    for member in members:
        yield _member(path, shared, member)


class _Shared:
    """A ZIP file that is closed when the last of its members is done with."""

    def __init__(self, archive: zipfile.ZipFile, members: int) -> None:
        self.archive, self._left = archive, members
        self._lock = threading.Lock()
        if not members:
            archive.close()

    def done(self) -> None:
        with self._lock:
            self._left -= 1
            if not self._left:
                self.archive.close()


def _member(path: Path, shared: _Shared, member: zipfile.ZipInfo) -> Source:
    try:
        moment = datetime(*member.date_time, tzinfo=UTC)
    except ValueError:  # months and days of zero, where nothing was written
        moment = datetime(1980, 1, 1, tzinfo=UTC)
    # The check sum takes part, because archives often carry no useful time.
    stamp = int(moment.timestamp()) * 10**9 + member.CRC % 10**9
    return Source(
        _printable(f"{path}!{member.filename}"),
        member.file_size,
        stamp,
        lambda: shared.archive.open(member),
        shared.done,
    )


def _printable(name: str) -> str:
    """A name in Unicode; bytes of it that are no UTF-8 are written as `\\xe1`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _dicomdir(path: Path) -> Iterator[Source | Unreadable]:
    """Files that the directory records of `path` refer to (PS3.3 §F.3.2.2)."""
    from pydicom import config, dcmread
    from pydicom.errors import InvalidDicomError

    try:
        with config.disable_value_validation():  # media that break VR CS are read all the same
            records = dcmread(path).get("DirectoryRecordSequence", [])
            references = [record.get("ReferencedFileID") for record in records]
    except (OSError, InvalidDicomError, ValueError) as error:
        yield Unreadable(str(path), f"not a DICOMDIR: {error}")
        return
    for reference in references:
        if not reference:
            continue
        names = [reference] if isinstance(reference, str) else list(reference)
        found = _resolve(path.parent, names)
        missing = Unreadable(str(path.parent.joinpath(*names)), "named by the DICOMDIR, not there")
        yield _file(found) if found else missing


def _resolve(folder: Path, names: list[str]) -> Path | None:
    """The file of a File ID; media written elsewhere may spell it in lower case."""
    for name in names:
        if name in {"", ".", ".."} or "/" in name:
            return None
        wanted = folder / name
        if not wanted.exists():
            try:
                entries = sorted(folder.iterdir())
            except OSError:
                return None
            wanted = next((e for e in entries if e.name.upper() == name.upper()), wanted)
        folder = wanted
    return folder if folder.is_file() else None

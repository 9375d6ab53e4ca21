"""A directory that files are copied to: each is there whole or not at all, none is overwritten."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vna.errors import Conflict

MANIFEST = "manifest-sha256.txt"
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_CHUNK = 1 << 20


class Different(Exception):
    """Another file stands where one was to be written."""


@dataclass(frozen=True, slots=True)
class Written:
    """One file. `outcome`: "written" or "present" (equal bytes stood there)."""

    outcome: str
    sha256: str
    size: int


class Destination:
    """`folder` is made where it is missing. What an earlier run's manifest lists stays listed.

    `payload`: where in it files are written, ending with `/`.
    """

    def __init__(self, folder: Path, payload: str = "") -> None:
        self._folder, self._payload = folder, payload
        folder.mkdir(parents=True, exist_ok=True)
        self._listed = _read_manifest(folder / MANIFEST)

    def write(self, path: str, pieces: Iterator[bytes], sha256: str | None = None) -> Written:
        """Write a file durably. `path`: relative, with `/`; `sha256`: of the pieces, where known:
        then an equal file that stands there is not read from the archive again.

        Raises `Different`, and what `pieces` raises; then nothing is left behind.
        """
        path = self._payload + path
        target = self._folder / path
        if target.exists() and sha256 is not None:
            if _digest(target) != sha256:
                raise Different
            self._listed[path] = sha256
            return Written("present", sha256, target.stat().st_size)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            found, size = _write(part, pieces)
            outcome = "written" if _put(part, target) else "present"
        finally:
            part.unlink(missing_ok=True)
        if outcome == "present" and _digest(target) != found:
            raise Different
        _sync_folder(target.parent)
        self._listed[path] = found
        return Written(outcome, found, size)

    def write_manifest(self) -> None:
        """List every file of this run and of earlier ones, by path."""
        lines = (f"{self._listed[path]}  {path}\n".encode() for path in sorted(self._listed))
        self._replace(MANIFEST, lines)

    def manifest(self) -> bytes:
        """What `write_manifest` wrote."""
        return (self._folder / MANIFEST).read_bytes()

    def total(self) -> tuple[int, int]:
        """Bytes and number of the files that are listed."""
        sizes = [(self._folder / path).stat().st_size for path in self._listed]
        return sum(sizes), len(sizes)

    def replace(self, name: str, content: bytes) -> None:
        """Write a file beside the payload durably, in place of an earlier one."""
        self._replace(name, iter([content]))

    def _replace(self, name: str, pieces: Iterator[bytes]) -> None:
        part = self._folder / f".{name}.{os.getpid()}.part"
        try:
            _write(part, pieces)
            part.replace(self._folder / name)
        finally:
            part.unlink(missing_ok=True)
        _sync_folder(self._folder)


def _write(path: Path, pieces: Iterator[bytes]) -> tuple[str, int]:
    """SHA-256 and size of what was written and synced."""
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), size


def _put(part: Path, target: Path) -> bool:
    """Give a complete file its name; whether the name was free."""
    try:
        os.link(part, target)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        if target.exists():
            return False
        part.rename(target)
    return True


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):  # some file systems sync no directories
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_manifest(path: Path) -> dict[str, str]:
    listed: dict[str, str] = {}
    if not path.exists():
        return listed
    for line in path.read_text("utf-8").splitlines():
        found = _LINE.fullmatch(line)
        if found is None:
            raise Conflict(f"{path} is not a manifest of ours")
        listed[found[2]] = found[1]
    return listed

"""The DICOM files that ship inside the installed pydicom: real objects of many makers."""

from __future__ import annotations

import functools
import io
import warnings
from pathlib import Path
from typing import Any

import pydicom

from vna.dicom.scan import Scan, scan
from vna.dicom.source import BytesSource
from vna.errors import MalformedObject

ROOT = Path(pydicom.__file__).parent / "data"
_OTHER = {".py", ".pyc", ".json", ".txt", ".md", ".dump", ".gz", ".icc"}


@functools.cache
def all_files() -> list[Path]:
    """Every bundled file that may be DICOM, in a stable order."""
    return sorted(p for p in ROOT.rglob("*") if p.is_file() and p.suffix not in _OTHER)


@functools.cache
def scanned(path: Path) -> Scan | None:
    """The scan of a bundled file, None where it cannot be identified."""
    try:
        return scan(BytesSource(path.read_bytes()))
    except MalformedObject:
        return None


def identifiable() -> list[Path]:
    """Files with SOP, Series and Study Instance UID."""
    return [path for path in all_files() if scanned(path) is not None]


def name(path: Path) -> str:
    """How a test names the file."""
    return str(path.relative_to(ROOT))


def by_pydicom(data: bytes) -> Any:
    """What pydicom reads, whatever it warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(io.BytesIO(data), force=True)

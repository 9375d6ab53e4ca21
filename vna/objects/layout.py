"""Where things lie in a store: keys are a function of the ULID alone."""

from __future__ import annotations

from vna.objects import ulid

SEGMENTS = "seg"
RAW_FILES = "big"
LOG = "log"
QUARANTINE = "q"
MARKER = "vna.json"


def segment_key(segment: str) -> str:
    """The key of a segment: by the day (UTC) it was begun."""
    return f"{SEGMENTS}/{ulid.made_at(segment):%Y/%m/%d}/{segment}.vseg"


def raw_key(segment: str) -> str:
    """The key of a raw file: spread by chance over 1024 × 1024 directories."""
    return f"{RAW_FILES}/{segment[-2:].lower()}/{segment[-4:-2].lower()}/{segment}.bin"


def meta_key(segment: str) -> str:
    """The key of the record header that belongs to a raw file."""
    return raw_key(segment).removesuffix(".bin") + ".meta"


def log_key(first: int, last: int, frame: str) -> str:
    """The key of a file of the log: the epochs of its frames, and the ULID of the last one."""
    return f"{LOG}/{first:016d}-{last:016d}-{frame}.vlog"


def quarantine_key(key: str, name: str) -> str:
    """Where damaged bytes are kept; `name`: a ULID of the incident."""
    return f"{QUARANTINE}/{name}/{key.rpartition('/')[2]}"


def ulid_of(key: str) -> str:
    """The ULID in a key made here; raises `ValueError`."""
    name = key.rpartition("/")[2].partition(".")[0]
    ulid.decode(name)
    return name

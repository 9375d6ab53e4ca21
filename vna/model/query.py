"""A question to the index as a value: QIDO-RS, C-FIND and the CLI all build the same one.

A `Query` holds what the client asked for; the caller's own predicate is added by the compiler.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

Tag = int
Path = tuple[Tag, ...]  # outermost sequence first; a plain attribute is a path of one


class Level(IntEnum):
    """The information entities of PS3.4 §C.6, outermost first."""

    PATIENT = 0
    STUDY = 1
    SERIES = 2
    INSTANCE = 3


@dataclass(frozen=True, slots=True)
class Exact:
    """Single value matching (PS3.4 §C.2.2.2.1). `value` is as the client wrote it, unpadded."""

    value: str


@dataclass(frozen=True, slots=True)
class AnyOf:
    """List of UID matching (§C.2.2.2.2), and any comma list where the standard allows one."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`*` any run, `?` any one character (§C.2.2.2.4). At least one of them is present."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Range:
    """Inclusive range of DA, TM or DT text; an open end is None (§C.2.2.2.5)."""

    first: str | None
    last: str | None


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """Words of a person name in any order, by prefix, without case and accents."""

    value: str


@dataclass(frozen=True, slots=True)
class Empty:
    """The attribute is empty or absent: the key value is two quotation marks (§C.2.2.2.7)."""


@dataclass(frozen=True, slots=True)
class Universal:
    """Zero-length key: every entity matches, and the attribute is returned (§C.2.2.2.3)."""


Match = Exact | AnyOf | Wildcard | Range | Fuzzy | Empty | Universal


@dataclass(frozen=True, slots=True)
class Key:
    """One matching key. Keys that share a path prefix must match within ONE sequence item."""

    path: Path
    vr: str
    match: Match


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the last page ended: the sort key of its last row, opaque outside the index."""

    values: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """Find entities of `level` that satisfy every key.

    `combined_datetime`: StudyDate and StudyTime ranges are one continuous interval (QIDO always,
    PS3.18 §8.3.4.1.1; C-FIND when negotiated); otherwise each day has its window.
    `include`: further attributes to return; "all" is everything stored at the level.
    `levels`: those whose required attributes each row carries; None is `level` and all above it
    (PS3.18 §10.6.3.3: All Series carries the study's, Study's Series does not).
    `limit` and `offset` are zero or more; the edges refuse anything else.
    """

    level: Level
    keys: tuple[Key, ...] = ()
    include: tuple[Path, ...] | Literal["all"] = ()
    limit: int | None = None
    offset: int = 0
    after: Cursor | None = None
    combined_datetime: bool = True
    levels: frozenset[Level] | None = None

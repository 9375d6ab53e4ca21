"""The archive's own words as values: what is kept, where it lies, what became of what was sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum


class Visibility(IntEnum):
    """Whether an item or a level below it is shown."""

    SHOWN = 0
    TRASHED = 1
    PURGED = 2


class ItemKind(IntEnum):
    """What an item is."""

    STUDY = 1
    DOCUMENT = 2


class TrashKind(IntEnum):
    """What lies in the trash."""

    STUDY = 1
    SERIES = 2
    INSTANCE = 3
    DOCUMENT = 4


class CopyState(IntEnum):
    """How the copy of a segment in one store is."""

    GOOD = 0
    DAMAGED = 1  # read last, object by object, until it is repaired
    LEAVING = 2  # its bytes are being removed; nobody reads it


class IdentifierKind(IntEnum):
    """What an identifier names. STUDY_BOUND stands in for an empty PatientID: its value is the
    Study Instance UID, so that each such study has a patient of its own."""

    PATIENT = 1
    STUDY_BOUND = 2
    ACCESSION = 3
    VISIT = 4


class IdentifierSource(IntEnum):
    """Who told us of an identifier."""

    OBJECT = 1
    FEED = 2
    HAND = 3


class Rank(IntEnum):
    """Whose correction wins: the highest, then the latest."""

    RULE = 1
    FEED = 2
    HAND = 3


class HeldReason(Enum):
    """Why an object is stored and acknowledged but not shown (architecture decision 4)."""

    OTHER_PATIENT = "study-of-another-patient"
    SOP_ELSEWHERE = "instance-uid-in-another-series"
    SERIES_ELSEWHERE = "series-uid-in-another-study"


class Disposition(Enum):
    """What became of an object that was sent."""

    NEW = "new"
    SAME = "same"  # equal data set: nothing added
    HEALED = "healed"  # equal data set: replaced a damaged or missing copy
    EQUIVALENT = "equivalent"  # equal content in another transfer syntax: the first is kept
    VERSION = "version"  # kept beside the first; see Outcome.current
    HELD = "held"
    HIDDEN = "hidden"  # equal or new, below something in the trash: acknowledged, stays hidden


class DuplicatePolicy(Enum):
    """What to do with a different data set of a known SOP Instance UID."""

    VERSION = "version"
    FIRST_WINS = "first-wins"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the payload of one record lies: `offset`, `length` in bytes in `segment` (a ULID).

    `stores`: names of those it was just written to; empty of a place that the index gave.
    """

    segment: str
    offset: int
    length: int
    raw: bool = False  # the segment is one raw file (docs/formats.md)
    stores: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to one object sent. `warning` is None or a short stable code for the sender:
    "version", "held", "hidden", "odd", "coerced"; `oddities` say what is odd about it."""

    disposition: Disposition
    sop_class: str
    sop_uid: str
    series_uid: str
    study_uid: str
    sha256: bytes
    size: int
    version: int = 1
    current: bool = True
    warning: str | None = None
    oddities: tuple[str, ...] = ()

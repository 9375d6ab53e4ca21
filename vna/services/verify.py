"""Proof that the store still holds what the index says."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum

from storage_backends.base import KeyMissing
from vna.errors import Damaged
from vna.index import holdings
from vna.index.engine import Index
from vna.index.holdings import Kept, Selection, Sort
from vna.model.caller import Caller, Right
from vna.objects import ObjectStore
from vna.services.rights import require

__all__ = ["Health", "Selection", "Verified", "Verify"]

PAGE = 256  # objects looked up at once
THREADS = 2  # digests are computed without the interpreter's lock


class Health(Enum):
    """What was found in the store."""

    GOOD = "good"
    DAMAGED = "damaged"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Verified:
    """The result for one object. `name`: what it belongs to, as UIDs; `total`: objects selected
    when it began."""

    health: Health
    sha256: str
    size: int
    name: str
    done: int
    total: int
    reason: str = ""


class Verify:
    """Recomputes the SHA-256 of stored objects."""

    def __init__(self, index: Index, objects: ObjectStore) -> None:
        self._index, self._objects = index, objects

    def run(self, caller: Caller, selection: Selection) -> Iterator[Verified]:
        """Yield a result for each selected object: every version, held and trashed ones too.

        Raises `Forbidden`, `StorageUnavailable` where the store as a whole is away.
        """
        require(caller, Right.READ)
        with self._index.reading() as session:
            total = holdings.count(session, caller, selection)
        done = 0
        with ThreadPoolExecutor(THREADS, "verify") as pool:
            for found in each_page(self._index, caller, selection):
                checked = pool.map(self._check, found)
                for kept, (health, reason) in zip(found, checked, strict=True):
                    done += 1
                    yield Verified(
                        health,
                        kept.sha256.hex(),
                        kept.size,
                        name_of(kept),
                        done,
                        max(total, done),
                        reason,
                    )

    def _check(self, kept: Kept) -> tuple[Health, str]:
        try:
            self._objects.verify(kept.place, kept.sha256, kept.xxh3)
        except Damaged as error:
            missing = isinstance(error.__cause__, KeyMissing)
            return Health.MISSING if missing else Health.DAMAGED, error.reason
        return Health.GOOD, ""


def each_page(index: Index, caller: Caller, selection: Selection) -> Iterator[list[Kept]]:
    """Yield all selected holdings, a page at a time; no read stays open between pages."""
    for sort in Sort:
        after = 0
        while True:
            with index.reading() as session:
                found = holdings.page(session, caller, selection, sort, after=after, limit=PAGE)
            if not found:
                break
            yield found
            after = found[-1].key


def name_of(kept: Kept) -> str:
    """What an object belongs to, for people."""
    if kept.sort is Sort.DOCUMENT:
        return f"document {kept.sop_uid}"
    name = f"{kept.study_uid}/{kept.series_uid}/{kept.sop_uid}"
    if kept.sort is Sort.HELD:
        return f"{name} (held)"
    return f"{name} version {kept.version}" if kept.version > 1 else name

"""Space that purged objects leave in segments is given back.

What a segment still holds is written to another one, object by object; a day later, when no reader
can still have its old place in hand, all copies of the old segment are removed. Each step may be
interrupted anywhere and is begun again: an object lies where its row says, and a segment is removed
only when no row needs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vna.index import compaction, copies, jobs
from vna.index.compaction import Wasteful
from vna.index.engine import Index, Session
from vna.index.jobs import Job
from vna.model.caller import Caller, Right
from vna.services.copies import Copies
from vna.services.moving import Moving
from vna.services.rights import require

COMPACT, REMOVE = "compact", "remove-segment"  # jobs; their subject is the segment
SHARE = 0.3  # of purged bytes at which a segment is worth it
READERS_MILLISECONDS = 24 * 3600 * 1000  # by the clock of the database


@dataclass(frozen=True, slots=True)
class Compacted:
    """What was done to a segment. `left`: objects that no store has whole; it stays for them."""

    found: Wasteful
    moved: int
    left: int


class Compaction:
    """Finds segments that are worth it, empties them, and removes them."""

    def __init__(self, index: Index, moving: Moving, kept: Copies) -> None:
        self._index, self._moving, self._copies = index, moving, kept

    def plan(self, caller: Caller, share: float = SHARE) -> list[Wasteful]:
        """The segments of which at least `share` was purged. Raises `Forbidden`."""
        require(caller, Right.ADMINISTER)
        return self._wasteful(share)

    def run(
        self, caller: Caller, share: float = SHARE, *, now: bool = False
    ) -> Iterator[Compacted]:
        """Empty those segments; they are removed a day later, or with `now` at once: then reads
        that are under way may fail. Raises `Forbidden`, `StorageUnavailable`."""
        require(caller, Right.ADMINISTER)
        for each in self._wasteful(share):
            moved, left = self._emptied(each.segment)
            if not left:
                self._put(REMOVE, each.segment, 0 if now else READERS_MILLISECONDS)
                if now:
                    self._removed(each.segment)
            yield Compacted(each, moved, left)

    def sweep(self) -> int:
        """Have the server's worker empty what is worth it; how many segments."""
        found = self._wasteful(SHARE)
        for each in found:
            self._put(COMPACT, each.segment, 0)
        return len(found)

    def compact(self, job: Job) -> None:
        """Empty a segment and have it removed later."""
        _, left = self._emptied(job.subject)
        if not left:
            self._put(REMOVE, job.subject, READERS_MILLISECONDS)

    def remove(self, job: Job) -> None:
        """Remove all copies of a segment that nothing needs. Raises `StorageUnavailable` where a
        store is away: it is tried again."""
        self._removed(job.subject)

    def _wasteful(self, share: float) -> list[Wasteful]:
        with self._index.reading() as session:
            return compaction.wasteful(session, share)

    def _emptied(self, segment: str) -> tuple[int, int]:
        """How many objects were moved, and how many could not be."""
        self._index.transact(lambda session: copies.close(session, segment))
        with self._index.reading() as session:
            lying = copies.lying_in(session, segment)
        lost = self._moving.move(segment, lying, raw=False)
        return len(lying) - len(lost), len(lost)

    def _removed(self, segment: str) -> None:
        def leave(session: Session) -> list[str]:
            copies.close(session, segment)
            if not compaction.is_empty(session, segment):
                return []
            return compaction.leave_all(session, segment)

        for store in self._index.transact(leave):
            self._copies.remove(segment, store)

        def end(session: Session) -> None:
            if compaction.is_empty(session, segment) and not copies.copies_of(session, segment):
                compaction.gone(session, segment)

        self._index.transact(end)

    def _put(self, kind: str, segment: str, after: int) -> None:
        self._index.transact(lambda session: jobs.put(session, kind, [segment], after=after))

"""What has happened in the archive: changes, receptions, and what wants a look."""

from __future__ import annotations

from dataclasses import dataclass

from vna.index import attention, audit, feed, receptions
from vna.index.attention import Matter
from vna.index.engine import Index, Session
from vna.index.feed import Entry
from vna.index.receptions import Row
from vna.model.caller import Caller, Right
from vna.services.rights import require

__all__ = ["Entry", "Feed", "Ledger", "Matter", "Row"]

MOST = 1000  # entries of one answer


@dataclass(frozen=True, slots=True)
class Feed:
    """A piece of the change feed. `last` is the number of the latest change of all: a reader whose
    own number is below it may ask again at once."""

    changes: list[Entry]
    last: int


class Ledger:
    """The archive's own history. Reading it needs the right to read."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def changes(self, caller: Caller, *, after: int = 0, limit: int = MOST) -> Feed:
        """Changes with a number above `after`, in the order of commits, none left out."""
        require(caller, Right.READ)
        with self._index.reading() as session:
            last = feed.last(session)
            return Feed(feed.read(session, caller, after=after, limit=min(limit, MOST)), last)

    def receptions(self, caller: Caller, *, before: int = 0, limit: int = MOST) -> list[Row]:
        """Receptions, newest first, with an id below `before` (0: all)."""
        require(caller, Right.READ)
        with self._index.reading() as session:
            return receptions.find(session, caller, limit=min(limit, MOST), before=before or None)

    def reception(self, caller: Caller, id: int) -> Row:
        """One reception. Raises `NotFound`."""
        require(caller, Right.READ)
        with self._index.reading() as session:
            return receptions.get(session, caller, id)

    def attention(self, caller: Caller, *, after: int = 0, limit: int = MOST) -> list[Matter]:
        """What a person should look at, oldest first, with an id above `after`."""
        require(caller, Right.READ)
        with self._index.reading() as session:
            return attention.find(session, caller, limit=min(limit, MOST), after=after)

    def resolve(self, caller: Caller, id: int, reason: str) -> None:
        """Take something off the list of what wants a look; audited. Raises `NotFound`."""
        require(caller, Right.CORRECT)

        def done(session: Session) -> None:
            attention.resolve(session, id)
            detail = {"attention": id, "reason": reason}
            audit.record(session, caller, "attention.resolve", "", detail)

        self._index.transact(done)

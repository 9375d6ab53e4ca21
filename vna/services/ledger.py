"""What has happened in the archive: changes, receptions, and what wants a look."""

from __future__ import annotations

from dataclasses import dataclass

from vna.errors import NotFound
from vna.index import ledger
from vna.index.engine import Index
from vna.index.ledger import AttentionEntry, ChangeEntry, ReceptionEntry
from vna.model.caller import Caller, Right
from vna.services.rights import require

__all__ = ["AttentionEntry", "ChangeEntry", "Feed", "Ledger", "ReceptionEntry"]

MOST = 1000  # entries of one answer


@dataclass(frozen=True, slots=True)
class Feed:
    """A piece of the change feed. `last` is the number of the latest change of all: a reader whose
    own number is below it may ask again at once."""

    changes: list[ChangeEntry]
    last: int


class Ledger:
    """Reads of the archive's own history; each needs the right to read."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def changes(self, caller: Caller, *, after: int = 0, limit: int = MOST) -> Feed:
        """Changes with a number above `after`, without gaps and in the order of commits."""
        require(caller, Right.READ)
        with self._index.reading() as session:
            found = ledger.changes(session, caller, after, min(limit, MOST))
            return Feed(found, ledger.last_change(session))

    def receptions(
        self, caller: Caller, *, before: int = 0, limit: int = MOST
    ) -> list[ReceptionEntry]:
        """Receptions, newest first, with an id below `before` (0: all)."""
        require(caller, Right.READ)
        with self._index.reading() as session:
            return ledger.receptions(session, caller, before, min(limit, MOST))

    def reception(self, caller: Caller, id: int) -> ReceptionEntry:
        """One reception. Raises `NotFound`."""
        require(caller, Right.READ)
        with self._index.reading() as session:
            found = ledger.reception_of(session, caller, id)
        if found is None:
            raise NotFound("there is no such reception")
        return found

    def attention(
        self, caller: Caller, *, after: int = 0, limit: int = MOST, resolved: bool = False
    ) -> list[AttentionEntry]:
        """What a person should look at, oldest first, with an id above `after`."""
        require(caller, Right.READ)
        with self._index.reading() as session:
            return ledger.attentions(session, caller, after, min(limit, MOST), resolved=resolved)

"""The log of associations: who called, what was agreed, how much passed and why it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vna.errors import NotFound
from vna.index import associations
from vna.index.engine import Index, Session
from vna.model.association import Association, Logged
from vna.model.caller import DEFAULT_PARTITION, Caller, Right
from vna.services.rights import require
from vna.services.titles import printable

MOST = 1000  # associations of one answer


class AssociationLog:
    """Written by the edge when an association has ended, read by administrators."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def record(self, ended: Association, partition: int = DEFAULT_PARTITION) -> None:
        """Keep what an association was, whatever its sides call themselves.

        Raises `IndexUnavailable`.
        """
        self.record_all([ended], partition)

    def record_all(self, ended: Sequence[Association], partition: int = DEFAULT_PARTITION) -> None:
        """Keep several, in their order, in one transaction. Raises `IndexUnavailable`."""
        kept = [
            replace(each, calling=printable(each.calling), called=printable(each.called))
            for each in ended
        ]

        def work(session: Session) -> None:
            for each in kept:
                associations.add(session, partition, each)

        self._index.transact(work)

    def find(
        self,
        caller: Caller,
        *,
        title: str | None = None,
        since: int = 0,
        failed_only: bool = False,
        limit: int = MOST,
        after: int = 0,
    ) -> list[Logged]:
        """Associations, the latest first.

        `title`: of either side. `since`: ended then or later, ms since 1970 UTC. `failed_only`:
        those that were not released, or of which an operation failed. `after`: the id of the last
        one seen, 0 from the latest. Raises `Forbidden`.
        """
        require(caller, Right.ADMINISTER)
        with self._index.reading() as session:
            return associations.find(
                session,
                caller.partition,
                title=title,
                since=since,
                failed_only=failed_only,
                limit=min(limit, MOST),
                after=after,
            )

    def get(self, caller: Caller, id: int) -> Logged:
        """One association. Raises `NotFound`, `Forbidden`."""
        found = self.find(caller, limit=1, after=id + 1)
        if not found or found[0].id != id:
            raise NotFound(f"the log has no association {id}")
        return found[0]

    def forget(self, milliseconds: int) -> None:
        """Forget what ended longer ago than that."""
        self._index.transact(
            lambda session: associations.forget(session, milliseconds=milliseconds)
        )

"""The ledger of imports: which files an earlier run has dealt with, so that a new one continues."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from vna.index.engine import Index
from vna.index.tables import import_entry

FAILED = "failed"  # this outcome is tried again


class Source(Protocol):
    """A file: known again by its name, as long as size and time are the same."""

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def modified_ns(self) -> int: ...


class ImportLedger:
    """Rows of `import_entry`. Every process that imports may use it at once."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def done(self, sources: Sequence[Source]) -> set[str]:
        """Names of those that were imported as they are now; at most 500 at a time."""
        statement = select(import_entry).where(
            import_entry.c.source.in_([each.name for each in sources])
        )
        with self._index.reading() as session:
            rows = session.execute(statement).all()
        known = {row.source: (row.size, row.modified_ns) for row in rows if row.outcome != FAILED}
        return {
            each.name for each in sources if known.get(each.name) == (each.size, each.modified_ns)
        }

    def write(self, entries: Iterable[tuple[Source, str, str]]) -> None:
        """Note (source, outcome, detail) for each; durable when it returns."""
        rows = [
            {
                "source": source.name,
                "size": source.size,
                "modified_ns": source.modified_ns,
                "outcome": outcome,
                "detail": detail[:500],
            }
            for source, outcome, detail in entries
        ]
        insert = postgresql.insert if self._index.postgresql else sqlite.insert
        statement = insert(import_entry)
        statement = statement.on_conflict_do_update(
            index_elements=["source"],
            set_={
                name: statement.excluded[name]
                for name in ("size", "modified_ns", "outcome", "detail")
            },
        )
        self._index.transact(lambda session: session.execute(statement, rows))

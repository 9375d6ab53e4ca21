"""Deleting in two steps: into the trash, which can be undone, and purge, which cannot."""

from __future__ import annotations

from dataclasses import dataclass

from vna.model.archive import TrashKind
from vna.model.caller import Caller


@dataclass(frozen=True, slots=True)
class Trashed:
    """Something in the trash, or a tombstone once `purged_at` is set. Times in ms; 0 = not."""

    id: int
    kind: TrashKind
    uid: str
    at: int
    actor: str
    reason: str
    purge_after: int
    restored_at: int
    purged_at: int


@dataclass(frozen=True, slots=True)
class PurgePlan:
    """What a purge did, or would do. `refused`: a stable code ("legal-hold", "retention") or ""."""

    entry: Trashed
    instances: int
    objects: int
    size: int  # bytes of the objects
    refused: str
    purged: bool


class Trash:
    """The trash. What lies in it is gone from search and answers `Gone`."""

    def put(
        self,
        caller: Caller,
        reason: str,
        *,
        study_uid: str | None = None,
        series_uid: str | None = None,
        sop_uid: str | None = None,
        document_uid: str | None = None,
    ) -> Trashed:
        """Move a study, a series, an instance or a document to the trash. Raises `Gone` when it
        lies there already."""
        raise NotImplementedError

    def find(self, caller: Caller, *, limit: int = 1000, after: int = 0) -> list[Trashed]:
        """What lies in the trash and can be restored, oldest first, with an id above `after`."""
        raise NotImplementedError

    def restore(self, caller: Caller, id: int) -> Trashed:
        """Show it again exactly as it was. Raises `Conflict` when it was restored or purged."""
        raise NotImplementedError

    def purge(
        self,
        caller: Caller,
        *,
        dry_run: bool = True,
        ignore_grace: bool = False,
        id: int | None = None,
    ) -> list[PurgePlan]:
        """Purge what lies in the trash beyond its grace (30 days by database time).

        Purged UIDs can be stored anew. `ignore_grace` needs the right to administer. Legal hold
        and retention refuse it always.
        """
        raise NotImplementedError

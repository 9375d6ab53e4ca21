"""/api/v1/trash: what was deleted and can be restored."""

from __future__ import annotations

from dataclasses import dataclass

from vna.api.endpoint import Call, Endpoint, moment
from vna.services.trash import Trash, Trashed


@dataclass(frozen=True, slots=True)
class TrashQuery:
    """`after`: the id of the last one seen."""

    limit: int = 1000
    after: int = 0


@dataclass(frozen=True, slots=True)
class TrashedView:
    """Something in the trash. `kind`: "study", "series", "instance" or "document"."""

    id: int
    kind: str
    uid: str
    at: str | None
    actor: str
    reason: str
    purge_after: str | None
    restored_at: str | None
    purged_at: str | None


@dataclass(frozen=True, slots=True)
class TrashList:
    """Oldest first."""

    trash: list[TrashedView]


def operations(trash: Trash) -> list[Endpoint]:
    """The operations of the trash. Purging is left to the command line."""

    def list_trash(call: Call) -> TrashList:
        """What lies in the trash and can be restored."""
        query: TrashQuery = call.query
        found = trash.find(call.caller, limit=min(query.limit, 1000), after=query.after)
        return TrashList([_view(each) for each in found])

    def restore_trashed(call: Call) -> TrashedView:
        """Show it again exactly as it was."""
        return _view(trash.restore(call.caller, call.id()))

    return [
        Endpoint("GET", "/trash", list_trash, TrashList, TrashQuery),
        Endpoint("POST", "/trash/{id}/restore", restore_trashed, TrashedView),
    ]


def _view(each: Trashed) -> TrashedView:
    return TrashedView(
        id=each.id,
        kind=each.kind.name.lower(),
        uid=each.uid,
        at=moment(each.at),
        actor=each.actor,
        reason=each.reason,
        purge_after=moment(each.purge_after),
        restored_at=moment(each.restored_at),
        purged_at=moment(each.purged_at),
    )

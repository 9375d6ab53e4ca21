"""Decisions that were acknowledged, and that an index made again from the stores does not know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from vna.index import attention, audit
from vna.index.engine import Index, Session
from vna.objects import MountedStore
from vna.services.events import DOCUMENT, RECEIVED, Event, events

KIND = "decision-lost"  # of the attention list
EARLIER_MILLISECONDS = 60_000  # a decision has its time before it is committed
VOID = "void"


def lost_decisions(index: Index, stores: Sequence[MountedStore], since: int) -> list[Event]:
    """Corrections, merges, releases, deletions … since `since` (ms since 1970 UTC: the last frame
    of the log) of which the index knows nothing, each put on the attention list.

    They are to be made again by people; what they wanted is in the events. Raises
    `StorageUnavailable`.
    """
    since -= EARLIER_MILLISECONDS
    found = list(events(stores, datetime.fromtimestamp(since / 1000, UTC)))
    void = {each.data["operation"] for each in found if each.kind == VOID}
    with index.reading() as session:
        known = audit.operations(session, since)
    lost = [
        each
        for each in found
        if each.kind not in (VOID, RECEIVED, DOCUMENT)
        and each.at >= since
        and each.operation not in known | void
    ]

    def note(session: Session) -> None:
        for each in lost:
            attention.raise_(
                session,
                KIND,
                study_uid=str(each.data.get("study") or ""),
                detail={
                    "operation": each.operation,
                    "kind": each.kind,
                    "actor": each.actor,
                    "at": each.at,
                    "segment": each.segment,
                },
            )

    index.transact(note)
    return lost

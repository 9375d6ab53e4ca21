"""The audit trail of writes: a row in the transaction of what it tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import insert, select

from vna.index.engine import Session
from vna.index.tables import audit
from vna.model.caller import Caller


def record(
    session: Session,
    caller: Caller,
    action: str,
    target: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write who did what to which UID; durable if and only if the change itself is."""
    session.execute(
        insert(audit).values(
            at=session.now(),
            caller=caller.name,
            origin=caller.origin,
            action=action,
            target=target,
            detail=orjson.dumps(dict(detail)) if detail else None,
        )
    )


def operations(session: Session, since: int) -> set[str]:
    """The operations (ULIDs) that were done since a time, ms since 1970 UTC."""
    rows = session.execute(
        select(audit.c.detail).where(audit.c.at >= since, audit.c.detail.is_not(None))
    )
    return {said["operation"] for row in rows if "operation" in (said := orjson.loads(row.detail))}

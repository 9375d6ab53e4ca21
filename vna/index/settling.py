"""A study without news for a while is settled: a change that others react to."""

from __future__ import annotations

from sqlalchemy import select, update

from vna.index.engine import Change, Session
from vna.index.tables import study
from vna.model.archive import Visibility


def settle(session: Session, partition: int, study_uid: str, quiet_until: int) -> bool:
    """Mark a study as settled and queue the change; whether it is settled now.

    Nothing happens where something was received after `quiet_until` (ms since 1970 UTC), where it
    is settled already, or where it is not shown.
    """
    wanted = (study.c.partition == partition, study.c.uid == study_uid)
    settled = session.execute(
        update(study)
        .where(
            *wanted,
            study.c.settled_at == 0,
            study.c.last_received_at <= quiet_until,
            study.c.state == Visibility.SHOWN,
        )
        .values(settled_at=session.now())
        .returning(study.c.item_fk)
    ).first()
    if settled is not None:
        session.changes.append(
            Change("study settled", item_fk=settled.item_fk, study_uid=study_uid)
        )
        return True
    at = session.execute(select(study.c.settled_at).where(*wanted)).scalar()
    return bool(at)

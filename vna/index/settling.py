"""A study without news for a while is settled: a change that others react to."""

from __future__ import annotations

from sqlalchemy import select, update

from vna.index import jobs
from vna.index.engine import Change, Session
from vna.index.tables import ae_peer, study
from vna.model.archive import Visibility

ANNOUNCE = "announce"  # the kind of job; its subject is PARTITION/STUDY UID/AE TITLE


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
        _announce(session, partition, study_uid)
        session.changes.append(
            Change("study settled", item_fk=settled.item_fk, study_uid=study_uid)
        )
        return True
    at = session.execute(select(study.c.settled_at).where(*wanted)).scalar()
    return bool(at)


def _announce(session: Session, partition: int, study_uid: str) -> None:
    """Have those told who want to know of every study that can be had."""
    titles = session.execute(
        select(ae_peer.c.title).where(ae_peer.c.partition == partition, ae_peer.c.announce == 1)
    )
    subjects = [f"{partition}/{study_uid}/{row.title}" for row in titles]
    if subjects:
        jobs.put(session, ANNOUNCE, subjects, after=0)

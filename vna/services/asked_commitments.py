"""Storage commitment that we ask of others: what was asked of whom, and what they told."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import orjson

from vna.errors import Conflict, NotFound
from vna.index import asked_commitments
from vna.index.asked_commitments import Row
from vna.index.engine import Index, Session
from vna.model.caller import Caller, Right
from vna.services.commitment import KEPT_MILLISECONDS, Reference, Result, read_result
from vna.services.rights import require

LISTED = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that we made. `missing`: what the peer said nothing of; times in ms, 0 = not."""

    transaction_uid: str
    peer: str
    asked_at: int
    answered_at: int
    instances: int
    result: Result | None
    missing: tuple[Reference, ...]


class AskedCommitments:
    """Requests are kept before they are made, results by whichever process hears them."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def begin(self, caller: Caller, peer: str, references: Sequence[Reference]) -> str:
        """Keep a request; returns its transaction UID. Durable. Raises `Forbidden`."""
        require(caller, Right.ADMINISTER)
        uid = f"2.25.{uuid.uuid4().int}"
        request = orjson.dumps([asdict(each) for each in references])
        self._index.transact(
            lambda session: asked_commitments.add(
                session, caller.partition, uid, peer=peer, actor=caller.name, request=request
            )
        )
        return uid

    def told(self, partition: int, peer: str, uid: str, result: Result) -> None:
        """Keep what a peer told of a request of ours; the first result stands. Durable.

        Raises `NotFound` for a request that we did not make, or not of this peer, and `Conflict`
        for a result that names what was not asked.
        """
        said = orjson.dumps(
            {
                "committed": [asdict(each) for each in result.committed],
                "failed": [[asdict(each), reason] for each, reason in result.failed],
            }
        )

        def work(session: Session) -> None:
            kept = asked_commitments.get(session, partition, uid)
            if kept is None or kept.peer != peer:
                raise NotFound("we made no such request of this peer")
            if _named(result) - {each.sop_uid for each in _references(kept)}:
                raise Conflict("the result names instances that were not asked for")
            asked_commitments.answer(session, partition, uid, said)

        self._index.transact(work)

    def find(self, caller: Caller, uid: str) -> Asked:
        """One request. Raises `NotFound`, `Forbidden`."""
        require(caller, Right.ADMINISTER)
        with self._index.reading() as session:
            kept = asked_commitments.get(session, caller.partition, uid)
        if kept is None:
            raise NotFound("we made no request of this transaction UID")
        return _asked(kept)

    def latest(self, caller: Caller) -> list[Asked]:
        """The last hundred requests, newest first. Raises `Forbidden`."""
        require(caller, Right.ADMINISTER)
        with self._index.reading() as session:
            return [
                _asked(each) for each in asked_commitments.latest(session, caller.partition, LISTED)
            ]

    def forget(self) -> None:
        """Drop what was asked more than thirty days ago; a chore."""
        self._index.transact(
            lambda session: asked_commitments.forget(session, milliseconds=KEPT_MILLISECONDS)
        )


def _asked(kept: Row) -> Asked:
    references = _references(kept)
    result = None if kept.result is None else read_result(kept.result)
    named = set[str]() if result is None else _named(result)
    missing = () if result is None else tuple(e for e in references if e.sop_uid not in named)
    return Asked(
        kept.transaction_uid,
        kept.peer,
        kept.asked_at,
        kept.answered_at,
        len(references),
        result,
        missing,
    )


def _references(kept: Row) -> list[Reference]:
    return [Reference(**each) for each in orjson.loads(kept.request)]


def _named(result: Result) -> set[str]:
    committed = {each.sop_uid for each in result.committed}
    return committed | {each.sop_uid for each, _ in result.failed}

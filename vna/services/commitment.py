"""Storage commitment: the archive takes the responsibility for instances, having read their bytes.

What is said of an instance rests on its bytes as they lie in the store, never on its row alone
(PS3.4 §J, PS3.18 §13).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from vna.errors import Damaged, NotFound
from vna.index import commitments, jobs, places
from vna.index.engine import Index, Session
from vna.index.jobs import Job
from vna.index.places import Holding
from vna.model.caller import Caller, Right
from vna.model.query import AnyOf, Key, Level, Query
from vna.objects import ObjectStore
from vna.services.rights import require
from vna.services.search import Search

COMMIT = "commitment"  # the kind of job

# Failure Reasons (PS3.3 §C.14.1.1)
PROCESSING_FAILURE = 0x0110
NO_SUCH_OBJECT_INSTANCE = 0x0112
CLASS_INSTANCE_CONFLICT = 0x0119

AT_ONCE_INSTANCES = 200
AT_ONCE_BYTES = 256 << 20
KEPT_MILLISECONDS = 30 * 24 * 3600 * 1000
_LOOKED_UP = 500  # UIDs in one statement
_SOP_UID = (0x00080018,)


@dataclass(frozen=True, slots=True)
class Reference:
    """An instance as the client names it; study and series are "" where it names none."""

    sop_class: str
    sop_uid: str
    study_uid: str = ""
    series_uid: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a request. `failed`: with the Failure Reason of each."""

    committed: tuple[Reference, ...]
    failed: tuple[tuple[Reference, int], ...]


class Commitment:
    """Requests, verified at once where they are small, else by a job."""

    def __init__(self, index: Index, search: Search, objects: ObjectStore) -> None:
        self._index, self._search, self._objects = index, search, objects

    def request(
        self, caller: Caller, transaction_uid: str, references: Sequence[Reference]
    ) -> Result | None:
        """Keep a request and answer it; None where a job will.

        Durable when it returns. Raises `Conflict` for a transaction UID that is in use.
        """
        require(caller, Right.READ)
        found = self._found(caller, references)
        small = (
            len(references) <= AT_ONCE_INSTANCES
            and sum(each.size for each in found.values()) <= AT_ONCE_BYTES
        )
        request = orjson.dumps(
            {
                "references": [asdict(each) for each in references],
                "caller": caller.name,
                "organisations": sorted(caller.organisations or ()),
                "all": caller.organisations is None,
            }
        )
        partition = caller.partition

        def keep(session: Session) -> None:
            commitments.add(session, partition, transaction_uid, caller.name, request)
            if not small:
                jobs.put(session, COMMIT, [f"{partition}/{transaction_uid}"], after=0)

        self._index.transact(keep)
        if not small:
            return None
        result = self._verified(references, found)
        self._keep(partition, transaction_uid, result)
        return result

    def find(self, caller: Caller, transaction_uid: str) -> Result | None:
        """The result of a request; None while it is being verified. Raises `NotFound`."""
        require(caller, Right.READ)
        with self._index.reading() as session:
            kept = commitments.get(session, caller.partition, transaction_uid)
        return None if kept.result is None else _read(kept.result)

    def __call__(self, job: Job) -> None:
        """Run a "commitment" job; its subject is "PARTITION/TRANSACTION UID"."""
        number, _, uid = job.subject.partition("/")
        partition = int(number)
        try:
            with self._index.reading() as session:
                kept = commitments.get(session, partition, uid)
        except NotFound:
            return
        said = orjson.loads(kept.request)
        caller = Caller(
            said["caller"],
            "jobs",
            None if said["all"] else frozenset(said["organisations"]),
            frozenset((Right.READ,)),
            partition,
        )
        references = [Reference(**each) for each in said["references"]]
        result = self._verified(references, self._found(caller, references))
        self._keep(partition, uid, result)

    def forget(self) -> None:
        """Remove requests of more than thirty days ago."""
        self._index.transact(
            lambda session: commitments.forget(session, milliseconds=KEPT_MILLISECONDS)
        )

    def _keep(self, partition: int, uid: str, result: Result) -> None:
        said = orjson.dumps(
            {
                "committed": [asdict(each) for each in result.committed],
                "failed": [[asdict(each), reason] for each, reason in result.failed],
            }
        )
        self._index.transact(lambda session: commitments.answer(session, partition, uid, said))

    def _found(self, caller: Caller, references: Sequence[Reference]) -> dict[str, Holding]:
        """The current version of each instance that the caller sees, by SOP Instance UID."""
        uids = list(dict.fromkeys(each.sop_uid for each in references))
        found = {}
        for first in range(0, len(uids), _LOOKED_UP):
            some = AnyOf(tuple(uids[first : first + _LOOKED_UP]))
            query = Query(Level.INSTANCE, keys=(Key(_SOP_UID, "UI", some),))
            for row in self._search.find(caller, query).rows:
                try:
                    with self._index.reading() as session:
                        (one,) = places.shown(
                            session, caller, row.study_uid, row.series_uid, row.sop_uid
                        )
                except NotFound:  # deleted a moment ago
                    continue
                found[row.sop_uid] = one
        return found

    def _verified(self, references: Sequence[Reference], found: dict[str, Holding]) -> Result:
        committed, failed = [], []
        for reference, reason in self._reasons(references, found):
            if reason:
                failed.append((reference, reason))
            else:
                committed.append(reference)
        return Result(tuple(committed), tuple(failed))

    def _reasons(
        self, references: Sequence[Reference], found: dict[str, Holding]
    ) -> Iterator[tuple[Reference, int]]:
        """Each reference and why it is not committed, 0 where it is."""
        for each in references:
            one = found.get(each.sop_uid)
            if one is None or not _within(each, one):
                yield each, NO_SUCH_OBJECT_INSTANCE
            elif each.sop_class != one.sop_class:
                yield each, CLASS_INSTANCE_CONFLICT
            else:
                yield each, self._read_back(one)

    def _read_back(self, one: Holding) -> int:
        try:
            self._objects.verify(one.place, one.sha256, one.xxh3)
        except Damaged:
            return PROCESSING_FAILURE
        return 0


def _within(reference: Reference, one: Holding) -> bool:
    """Whether the instance lies where the client says, if it says so."""
    return (reference.study_uid or one.study_uid, reference.series_uid or one.series_uid) == (
        one.study_uid,
        one.series_uid,
    )


def _read(said: bytes) -> Result:
    kept: dict[str, Any] = orjson.loads(said)
    return Result(
        tuple(Reference(**each) for each in kept["committed"]),
        tuple((Reference(**each), reason) for each, reason in kept["failed"]),
    )

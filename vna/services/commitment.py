"""Storage commitment: the archive takes the responsibility for instances, having read their bytes.

What is said of an instance rests on its bytes as they lie in the store, never on its row alone
(PS3.4 §J, PS3.18 §13).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from vna.errors import Conflict, Damaged, Gone, NotFound
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
REPORT = "commitment-report"  # of the job that tells the result to an application entity

# Failure Reasons (PS3.3 §C.14.1.1)
PROCESSING_FAILURE = 0x0110
NO_SUCH_OBJECT_INSTANCE = 0x0112
CLASS_INSTANCE_CONFLICT = 0x0119
REASONS = {
    PROCESSING_FAILURE: "its bytes are missing or differ from their digest",
    NO_SUCH_OBJECT_INSTANCE: "it is not stored here, or not shown",
    CLASS_INSTANCE_CONFLICT: "it is of another SOP class",
}

AT_ONCE_INSTANCES = 200
AT_ONCE_BYTES = 256 << 20
KEPT_MILLISECONDS = 30 * 24 * 3600 * 1000
RESCUED_MILLISECONDS = 60_000  # a process that dies while it verifies is stood in for after so long
_LOOKED_UP = 500  # instances whose holdings are in memory at once
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


@dataclass(frozen=True, slots=True)
class Report:
    """A result for the application entity `title`, from us as `deliver_as`."""

    title: str
    deliver_as: str
    transaction_uid: str
    result: Result


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
        small = self._is_small(caller, references)
        partition = caller.partition
        request = _request(caller, references)

        def keep(session: Session) -> None:
            commitments.add(session, partition, transaction_uid, caller.name, request)
            after = RESCUED_MILLISECONDS if small else 0
            jobs.put(session, COMMIT, [f"{partition}/{transaction_uid}"], after=after)

        self._index.transact(keep)
        if not small:
            return None
        return self._answered(caller, transaction_uid, references)

    def accept(
        self,
        caller: Caller,
        transaction_uid: str,
        references: Sequence[Reference],
        *,
        deliver_as: str = "",
    ) -> None:
        """Keep a request of an application entity, whose title is the caller's name.

        `deliver_as`: the AE title by which a job is to send it the result; '' for none. A request
        that is made again, because its result never came, is answered anew. Durable when it
        returns. Raises `Conflict` for a transaction UID that was used for something else.
        """
        require(caller, Right.READ)
        partition = caller.partition
        request = _request(caller, references, deliver_as=deliver_as)
        subject = f"{partition}/{transaction_uid}"

        def keep(session: Session) -> None:
            kept = commitments.get(session, partition, transaction_uid)
            if kept is None:
                commitments.add(session, partition, transaction_uid, caller.name, request)
            elif (kept.caller, kept.request) != (caller.name, request):
                raise Conflict(f"transaction UID {transaction_uid} is in use")
            elif kept.result is not None:
                if deliver_as:
                    jobs.put(session, REPORT, [subject], after=0)
                return
            after = 0 if deliver_as else RESCUED_MILLISECONDS
            jobs.put(session, COMMIT, [subject], after=after)

        self._index.transact(keep)

    def verified(self, caller: Caller, transaction_uid: str) -> Result:
        """The result of an accepted request, verified now if it is not yet. Raises as `find`."""
        found = self.find(caller, transaction_uid)
        if found is not None:
            return found
        with self._index.reading() as session:
            kept = commitments.get(session, caller.partition, transaction_uid)
        assert kept is not None
        said = orjson.loads(kept.request)
        references = [Reference(**each) for each in said["references"]]
        return self._answered(caller, transaction_uid, references)

    def to_report(self, subject: str) -> Report | None:
        """What a "commitment-report" job has to tell; None where there is nothing any more."""
        number, _, uid = subject.partition("/")
        with self._index.reading() as session:
            kept = commitments.get(session, int(number), uid)
        if kept is None or kept.forgotten or kept.result is None:
            return None
        said = orjson.loads(kept.request)
        return Report(kept.caller, said["deliver_as"], uid, read_result(kept.result))

    def find(self, caller: Caller, transaction_uid: str) -> Result | None:
        """The result of a request; None while it is being verified.

        Raises `NotFound`, also for a request of somebody else, and `Gone` for a forgotten one.
        """
        require(caller, Right.READ)
        with self._index.reading() as session:
            kept = commitments.get(session, caller.partition, transaction_uid)
        if kept is None or kept.caller != caller.name:
            raise NotFound("no request for storage commitment has this transaction UID")
        if kept.forgotten:
            raise Gone("the result of this request is no longer kept; ask with another UID")
        return None if kept.result is None else read_result(kept.result)

    def __call__(self, job: Job) -> None:
        """Run a "commitment" job; its subject is "PARTITION/TRANSACTION UID"."""
        number, _, uid = job.subject.partition("/")
        with self._index.reading() as session:
            kept = commitments.get(session, int(number), uid)
        if kept is None or kept.forgotten:
            return
        said = orjson.loads(kept.request)
        caller = Caller(
            kept.caller,
            "jobs",
            None if said["all"] else frozenset(said["organisations"]),
            frozenset((Right.READ,)),
            int(number),
        )
        if kept.result is None:
            self._answered(caller, uid, [Reference(**each) for each in said["references"]])
        if said.get("deliver_as"):
            self._index.transact(lambda session: jobs.put(session, REPORT, [job.subject], after=0))

    def forget(self) -> None:
        """Drop what was requested more than thirty days ago; its UIDs stay in use."""
        self._index.transact(
            lambda session: commitments.forget(session, milliseconds=KEPT_MILLISECONDS)
        )

    def _is_small(self, caller: Caller, references: Sequence[Reference]) -> bool:
        if len(references) > AT_ONCE_INSTANCES:
            return False
        found = self._found(caller, references)
        return sum(each.size for each in found.values()) <= AT_ONCE_BYTES

    def _answered(self, caller: Caller, uid: str, references: Sequence[Reference]) -> Result:
        committed, failed = [], []
        for first in range(0, len(references), _LOOKED_UP):
            some = references[first : first + _LOOKED_UP]
            for reference, reason in self._reasons(some, self._found(caller, some)):
                if reason:
                    failed.append((reference, reason))
                else:
                    committed.append(reference)
        result = Result(tuple(committed), tuple(failed))
        said = orjson.dumps(
            {
                "committed": [asdict(each) for each in result.committed],
                "failed": [[asdict(each), reason] for each, reason in result.failed],
            }
        )
        self._index.transact(
            lambda session: commitments.answer(session, caller.partition, uid, said)
        )
        return result

    def _found(self, caller: Caller, references: Sequence[Reference]) -> dict[str, Holding]:
        """The current version of each instance that the caller sees, by SOP Instance UID."""
        uids = tuple(dict.fromkeys(each.sop_uid for each in references))
        query = Query(Level.INSTANCE, keys=(Key(_SOP_UID, "UI", AnyOf(uids)),))
        found = {}
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

    def _reasons(
        self, references: Sequence[Reference], found: Mapping[str, Holding]
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


def _request(caller: Caller, references: Sequence[Reference], *, deliver_as: str = "") -> bytes:
    return orjson.dumps(
        {
            "references": [asdict(each) for each in references],
            "organisations": sorted(caller.organisations or ()),
            "all": caller.organisations is None,
            "deliver_as": deliver_as,
        }
    )


def _within(reference: Reference, one: Holding) -> bool:
    """Whether the instance lies where the client says, if it says so."""
    return (reference.study_uid or one.study_uid, reference.series_uid or one.series_uid) == (
        one.study_uid,
        one.series_uid,
    )


def read_result(said: bytes) -> Result:
    """A result from the JSON that is kept of it."""
    kept: dict[str, Any] = orjson.loads(said)
    return Result(
        tuple(Reference(**each) for each in kept["committed"]),
        tuple((Reference(**each), reason) for each, reason in kept["failed"]),
    )

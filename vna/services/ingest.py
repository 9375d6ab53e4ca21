"""From bytes received to an object that is durable, indexed and acknowledged.

receive ─▶ examine ─▶ hand in to the committer ─▶ is its UID known?
                        ▲                            ├─ no:  append, sync, index, answer
                        │                            └─ yes: compare the bytes ─▶ same: answer
                        └──────────────────────────────────────────────── other: hand in again

Examining and comparing happen on threads of their own; the committer never waits for them.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from vna.errors import StorageUnavailable
from vna.index import organisations
from vna.index.engine import Index
from vna.index.known import known
from vna.index.organisations import Organisation
from vna.model.archive import Disposition, DuplicatePolicy, Outcome
from vna.model.caller import Caller, Right
from vna.model.peer import Coercion
from vna.objects import Committer, ObjectStore, RawObject, Unit
from vna.objects.group import OPEN_SECONDS, ROTATE_BYTES
from vna.services.arrival import Arrival, Behind, Compare, Decision, ObjectUnit
from vna.services.budget import Budget
from vna.services.commit import Closing, Commit
from vna.services.events import received_event
from vna.services.reception import IN_MEMORY, Received, Reception, outcome_name
from vna.services.rights import require

IN_FLIGHT = 64 << 20  # bytes: eight objects of the largest size that stays in memory
THREADS = 2
_NOT_KEPT = (Disposition.SAME, Disposition.EQUIVALENT)


class Ingest:
    """The way in. Owns the committer of this process: one per process, made after the fork.

    `policy`: what a different data set of a known SOP Instance UID means (architecture decision 4).
    `authority`: the issuer of identifiers that name none, where their organisation has none of its
    own. `organisation`: code of the owner of new items. `in_flight`: bytes that may wait for their
    commit; a sender beyond it waits. `quiet_seconds`: a study without news for so long is settled.
    `owner`: who writes, for people who read a segment without an index. `observe` is told of each
    object that has its outcome: source, disposition or code of the error, bytes.
    """

    def __init__(
        self,
        index: Index,
        objects: ObjectStore,
        *,
        policy: DuplicatePolicy = DuplicatePolicy.VERSION,
        authority: str = "",
        organisation: str = organisations.DEFAULT,
        in_flight: int = IN_FLIGHT,
        quiet_seconds: float = 30.0,
        threads: int = THREADS,
        owner: str = "",
        rotate_bytes: int = ROTATE_BYTES,
        open_seconds: float = OPEN_SECONDS,
        observe: Callable[[str, str, int], None] = lambda source, outcome, size: None,
    ) -> None:
        self._index, self._objects, self._observe = index, objects, observe
        self._policy, self._authority, self._organisation = policy, authority, organisation
        self._in_flight = Budget(in_flight)
        self._organisations: dict[str, Organisation] = {}
        self._pool = ThreadPoolExecutor(threads, "ingest")
        self._under_way = 0
        self._changed = threading.Condition()
        commit = Commit(index, quiet_milliseconds=int(quiet_seconds * 1000))
        self.committer: Committer[Any] = Committer(
            objects.targets,
            self._plan,
            commit,
            owner=owner,
            rotate_bytes=rotate_bytes,
            open_seconds=open_seconds,
            idle_seconds=open_seconds,
        )

    def reception(
        self,
        caller: Caller,
        source: str,
        *,
        peer: str = "",
        path: str = "",
        organisation: str | None = None,
        policy: DuplicatePolicy | None = None,
        study_uid: str | None = None,
        authority: str = "",
        coercions: Sequence[Coercion] = (),
        lasting: bool = False,
    ) -> Reception:
        """Open a reception: one request, association or import run.

        `source`: "stow", "dimse", "import", "document". `organisation`: code of the owner of new
        items; one that is not known yet is added. `authority`: who issued identifiers that name no
        issuer, '' for the organisation's default. `coercions`: laid over what is new. `study_uid`:
        objects of any other study fail with `OtherStudy` and are not kept. `lasting`: objects come
        one after another, as over an association; it goes on until it is finished. Raises
        `Forbidden` unless the caller may send.
        """
        require(caller, Right.SEND)
        return Reception(
            self,
            caller=caller,
            source=source,
            peer=peer,
            path=path,
            organisation=self._known_organisation(organisation or self._organisation),
            policy=policy or self._policy,
            study_uid=study_uid,
            authority=authority,
            coercions=coercions,
            lasting=lasting,
        )

    def close(self) -> None:
        """Finish what was handed in, then seal this process's segment."""
        with self._changed:
            self._changed.wait_for(lambda: not self._under_way)
        self._pool.shutdown()
        self.committer.close()

    # What a reception needs (`vna.services.reception.Door`).

    def raw(self) -> RawObject:
        """Open a raw file for an object that outgrew memory."""
        return self._objects.create_raw()

    def accept(self, reception: Reception, received: Received) -> Future[Outcome]:
        """Take over a complete object; waits while too many bytes are in flight."""
        grant = self._in_flight.wait(min(received.size, IN_MEMORY))
        arrival = Arrival(reception, received, grant)
        with self._changed:
            self._under_way += 1
        arrival.future.add_done_callback(self._ended)
        arrival.future.add_done_callback(
            lambda done: self._observe(reception.source, outcome_name(done), received.size)
        )
        self._on_thread(arrival, self._examine)
        return arrival.future

    def finished(self, reception: Reception) -> None:
        """Have the last counts of a reception written, if the last batch did not."""
        if reception.written != reception.counts():
            with suppress(StorageUnavailable):  # shutting down: the row says that it still runs
                self.committer.submit(Closing(reception))

    # On the threads of ingest.

    def _examine(self, arrival: Arrival) -> None:
        arrival.examine(self._issuer(arrival.reception))
        if arrival.spilled:  # its sync may take long, so it is known to be new before
            self._decide_raw(arrival)
        else:
            self._hand_in(arrival)

    def _decide_raw(self, arrival: Arrival) -> None:
        mine = arrival.candidate
        with self._index.reading() as session:
            standing = known(session, mine.partition, [mine.sop_uid]).get(mine.sop_uid, [])
        outcome = arrival.compare(self._objects, arrival.undecided(standing))
        if outcome is None:
            arrival.keep()
            self._hand_in(arrival)
        else:
            arrival.settle(outcome, kept=False)

    def _compare(self, arrival: Arrival, compare: Compare) -> None:
        outcome = arrival.compare(self._objects, compare.standing)
        if outcome is None:
            self._hand_in(arrival)
        else:
            arrival.settle(outcome, kept=False)

    def _hand_in(self, arrival: Arrival) -> None:
        unit = ObjectUnit(arrival)
        unit.future.add_done_callback(lambda done: self._decided(arrival, done))
        self.committer.submit(unit)

    # On the thread of the committer.

    def _plan(self, units: Sequence[Unit[Any]]) -> Sequence[Unit[Any]]:
        """Leave out what must be compared first, and all but the first object of each UID."""
        uids: dict[int, set[str]] = defaultdict(set)
        for unit in units:
            if isinstance(unit, ObjectUnit):
                uids[unit.arrival.candidate.partition].add(unit.arrival.candidate.sop_uid)
        standing = {}
        for partition, wanted in uids.items():
            with self._index.reading() as session:
                for uid, found in known(session, partition, wanted).items():
                    standing[partition, uid] = found
        kept: list[Unit[Any]] = []
        first: dict[tuple[int, str], Arrival] = {}
        for unit in units:
            if isinstance(unit, ObjectUnit):
                arrival = unit.arrival
                key = (arrival.candidate.partition, arrival.candidate.sop_uid)
                undecided = arrival.undecided(standing.get(key, []))
                if undecided:
                    unit.resolve(Compare(undecided))
                    continue
                if key in first:
                    unit.resolve(Behind(first[key]))
                    continue
                first[key] = arrival
            kept.append(unit)
        self._say_who_brought(kept)
        return kept

    def _say_who_brought(self, units: Sequence[Unit[Any]]) -> None:
        """The first object of each reception in a batch carries what bytes do not tell of all."""
        brought: dict[Reception, list[ObjectUnit]] = defaultdict(list)
        for unit in units:
            if isinstance(unit, ObjectUnit):
                brought[unit.arrival.reception].append(unit)
        for reception, objects in brought.items():
            event = received_event(
                reception,
                self._issuer(reception),
                [unit.arrival.candidate.sha256 for unit in objects],
            )
            objects[0].appends = [*objects[0].arrival.appends(), event]

    def _decided(self, arrival: Arrival, done: Future[Decision]) -> None:
        error = done.exception()
        if error is not None:
            arrival.fail(error, handed_in=True)
            return
        decision = done.result()
        match decision:
            case Compare():
                self._on_thread(arrival, lambda arrival: self._compare(arrival, decision))
            case Behind(first):
                arrival.forget_comparisons()
                first.future.add_done_callback(lambda _: self._on_thread(arrival, self._hand_in))
            case Outcome():
                arrival.settle(decision, kept=decision.disposition not in _NOT_KEPT)

    def _on_thread(self, arrival: Arrival, step: Callable[[Arrival], None]) -> None:
        def run() -> None:
            try:
                step(arrival)
            # Whatever goes wrong belongs to the one who waits for this object.
            except Exception as error:
                arrival.fail(error)

        try:
            self._pool.submit(run)
        except RuntimeError:
            arrival.fail(StorageUnavailable("the archive is shutting down"))

    def _issuer(self, reception: Reception) -> str:
        """Who issued identifiers that name no issuer."""
        own = reception.organisation.default_authority
        return reception.authority or own or self._authority

    def _ended(self, _: Future[Outcome]) -> None:
        with self._changed:
            self._under_way -= 1
            self._changed.notify_all()

    def _known_organisation(self, code: str) -> Organisation:
        found = self._organisations.get(code)
        if found is None:
            with self._index.reading() as session:
                found = organisations.get(session, code)
            if found is None:
                self._index.transact(lambda session: organisations.ensure(session, code))
                with self._index.reading() as session:
                    found = organisations.get(session, code)
            assert found is not None
            self._organisations[code] = found
        return found

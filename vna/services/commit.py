"""The one transaction of a batch: receptions, objects, and the operations of people.

A unit that is neither an object nor the end of a reception brings its own effect: its
`perform(session, places)` applies it and settles it (`vna.services.journal.Operation`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from vna.errors import Unavailable, VnaError
from vna.index import receptions
from vna.index.candidate import Placed as PlacedCandidate
from vna.index.engine import Index, Session
from vna.index.ingest import Result, store
from vna.model.archive import Disposition, Place
from vna.objects import Unit
from vna.objects.group import Placed
from vna.services.arrival import ObjectUnit
from vna.services.reception import Counts, Reception

NEW = Disposition.NEW.value


class Closing(Unit[None]):
    """The last counts of a reception."""

    def __init__(self, reception: Reception) -> None:
        super().__init__()
        self.reception = reception


class Commit:
    """The `transact` of the committer."""

    def __init__(self, index: Index, *, quiet_milliseconds: int) -> None:
        self._index, self._quiet = index, quiet_milliseconds

    def __call__(self, placed: Placed[Any]) -> None:
        """Index a batch whose bytes are durable, and settle its units.

        Where the transaction fails for another reason than the database being away, each unit gets
        one of its own, so that one cannot fail the others.
        """
        try:
            self._together(placed)
        except Unavailable:
            raise
        except Exception:
            if len(placed) == 1:
                raise
            for each in placed:
                self._alone(each)

    def _alone(self, each: tuple[Unit[Any], Sequence[Place]]) -> None:
        try:
            self._together([each])
        # It belongs to the one who waits for this unit.
        except Exception as error:
            each[0].fail(error)

    def _together(self, placed: Placed[Any]) -> None:
        objects = [
            (unit, unit.place or places[0])
            for unit, places in placed
            if isinstance(unit, ObjectUnit)
        ]
        closing = [unit for unit, _ in placed if isinstance(unit, Closing)]
        others: list[tuple[Any, Sequence[Place]]] = [
            (unit, places) for unit, places in placed if not isinstance(unit, (ObjectUnit, Closing))
        ]

        brought = _brought(objects, closing)

        def work(session: Session) -> tuple[list[Result], dict[Reception, tuple[int, Counts]]]:
            expected = {
                each: each.counts([(NEW, size) for size in sizes])
                for each, sizes in brought.items()
                if each.key is None
            }
            keys = _keys(session, brought, expected)
            results = self._store(session, objects, keys)
            counted = _count(session, objects, results, keys, expected)
            for operation, places in others:
                operation.perform(session, places)
            return results, counted

        results, counted = self._index.transact(work)
        for reception, (key, counts) in counted.items():
            reception.written_as(key, counts)
        for (unit, _), result in zip(objects, results, strict=True):
            if isinstance(result, VnaError):
                unit.fail(result)
            else:
                unit.resolve(result)
        for each in closing:
            each.resolve(None)

    def _store(
        self,
        session: Session,
        objects: Sequence[tuple[ObjectUnit, Place]],
        keys: Mapping[Reception, int],
    ) -> list[Result]:
        """Results in the order of `objects`; the index takes one partition at a time."""
        by_partition: dict[int, list[int]] = defaultdict(list)
        candidates: list[PlacedCandidate] = []
        for position, (unit, place) in enumerate(objects):
            key = keys[unit.arrival.reception]
            candidate = replace(unit.arrival.candidate, reception_fk=key)
            candidates.append((candidate, place))
            by_partition[candidate.partition].append(position)
        results: dict[int, Result] = {}
        for positions in by_partition.values():
            some = [candidates[position] for position in positions]
            found = store(session, some, quiet_milliseconds=self._quiet)
            results.update(zip(positions, found, strict=True))
        return [results[position] for position in range(len(objects))]


def _brought(
    objects: Sequence[tuple[ObjectUnit, Place]], closing: Sequence[Closing]
) -> dict[Reception, list[int]]:
    """The sizes of what each reception brings with this batch."""
    brought: dict[Reception, list[int]] = {unit.reception: [] for unit in closing}
    for unit, _ in objects:
        arrival = unit.arrival
        brought.setdefault(arrival.reception, []).append(arrival.received.size)
    return brought


def _keys(
    session: Session, brought: Iterable[Reception], expected: Mapping[Reception, Counts]
) -> dict[Reception, int]:
    """The key of each reception; rows of new ones are written as if all they bring were new."""
    begun = [
        receptions.Begun(
            source=each.source,
            caller=each.caller,
            peer=each.peer,
            path=each.path,
            organisation_fk=each.organisation.key,
            objects=counts.objects,
            bytes=counts.bytes,
            outcomes=counts.outcomes,
            finished=not counts.running,
        )
        for each, counts in expected.items()
    ]
    keys = dict(zip(expected, receptions.begin_all(session, begun), strict=True))
    return keys | {each: each.key for each in brought if each.key is not None}


def _count(
    session: Session,
    objects: Sequence[tuple[ObjectUnit, Place]],
    results: Sequence[Result],
    keys: Mapping[Reception, int],
    expected: Mapping[Reception, Counts],
) -> dict[Reception, tuple[int, Counts]]:
    """Bring the rows in line with what became of the objects, where they are not.

    Of a reception that goes on it is done once a second: it costs as much as indexing an object.
    """
    settling: dict[Reception, list[tuple[str, int]]] = {each: [] for each in keys}
    for (unit, _), result in zip(objects, results, strict=True):
        name = result.code if isinstance(result, VnaError) else result.disposition.value
        settling[unit.arrival.reception].append((name, unit.arrival.received.size))
    counted = {}
    for reception, key in keys.items():
        counts = reception.counts(settling[reception])
        if reception.key is not None and counts.running and not reception.is_stale():
            continue
        counted[reception] = (key, counts)
        if counts != expected.get(reception):
            receptions.count(
                session,
                key,
                objects=counts.objects,
                size=counts.bytes,
                outcomes=counts.outcomes,
                finished=not counts.running,
            )
    return counted

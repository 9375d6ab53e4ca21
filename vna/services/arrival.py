"""One complete object on its way from the sender to the answer."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass, replace

from vna.dicom.anatomy import Anatomy
from vna.dicom.scan import scan
from vna.dicom.source import BytesSource, Source
from vna.errors import Conflict, Damaged, OtherInstance, OtherStudy, Unavailable
from vna.index.candidate import Candidate, Finding, Standing
from vna.model.archive import Disposition, Outcome, Place
from vna.model.query import Level
from vna.objects import Append, ObjectStore, RecordNames, RecordType, Unit
from vna.services.budget import Grant
from vna.services.coercions import coerced
from vna.services.examination import Examined, examine
from vna.services.reception import IN_MEMORY, Received, Reception, Spilled
from vna.services.sameness import equal_data_sets, equivalent, may_be_equivalent

PATIENT_ID, ISSUER = 0x00100020, 0x00100021


@dataclass(frozen=True, slots=True)
class Compare:
    """Stored objects that the arrival must be compared with before anything is written."""

    standing: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class Behind:
    """Another object of the same UID in the same batch: it goes first."""

    first: Arrival


Decision = Outcome | Compare | Behind


class ObjectUnit(Unit[Decision]):
    """One attempt to commit an arrival. `place`: of a raw object, durable already."""

    def __init__(self, arrival: Arrival) -> None:
        super().__init__(arrival.appends())
        self.arrival = arrival
        self.place = arrival.place


class Arrival:
    """What is known of it so far, and the promise of an answer.

    `examine`, `compare` and `keep` run on the threads of ingest, one at a time.
    """

    def __init__(self, reception: Reception, received: Received, grant: Grant) -> None:
        self.reception, self.received = reception, received
        self.future: Future[Outcome] = Future()
        self.place: Place | None = None
        self._grant = grant
        self._lock = threading.Lock()
        self._examined: Examined | None = None
        self._candidate: Candidate | None = None
        self._different: set[int] = set()  # keys of stored objects it was found to differ from

    @property
    def candidate(self) -> Candidate:
        """What the index is told; only after `examine`."""
        assert self._candidate is not None
        return self._candidate

    @property
    def spilled(self) -> bool:
        """Whether its bytes are in a raw file."""
        return isinstance(self.received, Spilled)

    def examine(self, authority: str) -> None:
        """Identify it; `authority`: who issued a PatientID that names no issuer.

        Raises `MalformedObject`, `OtherStudy`, `OtherInstance`.
        """
        self._examined = found = examine(self.received)
        scanned, wanted = found.scan, self.reception.study_uid
        if wanted is not None and scanned.study_uid != wanted:
            raise OtherStudy(
                f"the object belongs to study {scanned.study_uid}",
                sop_class=scanned.sop_class,
                sop_uid=scanned.sop_uid,
            )
        if self.received.named not in (None, scanned.sop_uid):
            raise OtherInstance(
                f"the object is instance {scanned.sop_uid}",
                sop_class=scanned.sop_class,
                sop_uid=scanned.sop_uid,
            )
        self._candidate = Candidate(
            partition=self.reception.caller.partition,
            study_uid=scanned.study_uid,
            series_uid=scanned.series_uid,
            sop_uid=scanned.sop_uid,
            sop_class=scanned.sop_class,
            patient=scanned.attributes(Level.PATIENT),
            study=scanned.attributes(Level.STUDY),
            series=scanned.attributes(Level.SERIES),
            instance=scanned.attributes(Level.INSTANCE),
            patient_id=scanned.text(PATIENT_ID),
            authority=scanned.text(ISSUER) or authority,
            sha256=found.sha256,
            xxh3=found.xxh3,
            size=self.received.size,
            dataset_xxh3=found.dataset_xxh3,
            pixel_xxh3=found.pixel_xxh3,
            transfer_syntax=scanned.transfer_syntax,
            anatomy=scanned.anatomy.encode(),
            header=scanned.header.encode(),
            oddities=scanned.oddities,
            organisation_fk=self.reception.organisation.key,
            reception_fk=0,
            policy=self.reception.policy,
            coerced=coerced(self.reception.coercions, scanned, _title(self.reception.peer)),
        )

    def undecided(self, standing: list[Standing]) -> tuple[Standing, ...]:
        """Those of the stored objects that it may equal and was not compared with."""
        mine = self.candidate
        return tuple(
            each
            for each in standing
            if each.object_fk not in self._different
            and (
                each.dataset_xxh3 == mine.dataset_xxh3
                or (each.version and may_be_equivalent(mine.transfer_syntax, each.transfer_syntax))
            )
        )

    def compare(self, objects: ObjectStore, standing: tuple[Standing, ...]) -> Outcome | None:
        """The answer if it is stored already, None if it is to be written.

        Raises `Conflict` where only the digests are equal, `StorageUnavailable`.
        """
        for each in standing:
            if each.dataset_xxh3 == self.candidate.dataset_xxh3:
                outcome = self._compared(each, objects)
            else:
                outcome = self._maybe_equivalent(each, objects)
            if outcome is not None:
                return outcome
            self._different.add(each.object_fk)
        return None

    def forget_comparisons(self) -> None:
        """What stands may be another by now."""
        self._different.clear()
        self._candidate = replace(self.candidate, finding=Finding.NOTHING)

    def keep(self) -> None:
        """Make a raw object durable, once; raises `StorageUnavailable`."""
        if isinstance(self.received, Spilled) and self.place is None:
            mine = self.candidate
            self.place = self.received.raw.finish(mine.sha256, mine.xxh3, self._names())

    def appends(self) -> list[Append]:
        """What the committer writes: nothing of a raw object."""
        if isinstance(self.received, Spilled):
            return []
        mine = self.candidate
        payload = (self.received.data,)
        return [Append(RecordType.OBJECT, payload, mine.sha256, mine.xxh3, self._names())]

    def settle(self, outcome: Outcome, *, kept: bool) -> None:
        """Answer the sender; `kept`: the bytes now belong to the archive."""
        if not kept:
            self._drop_raw()
        self._grant.release()
        self.future.set_result(outcome)

    def fail(self, error: BaseException, *, handed_in: bool = False) -> None:
        """Tell the sender that it is not kept. `handed_in`: to the committer; then nobody knows
        after `Unavailable` whether the transaction was committed, and a raw file stays."""
        if not (handed_in and isinstance(error, Unavailable)):
            self._drop_raw()
        self._grant.release()
        self.future.set_exception(error)

    def _compared(self, stored: Standing, objects: ObjectStore) -> Outcome | None:
        assert self._examined is not None
        mine = self._examined
        try:
            source = _checked(objects, stored)
            offset = (
                Anatomy.decode(stored.anatomy).dataset_offset
                if stored.anatomy
                else scan(source).dataset_offset
            )
            equal = equal_data_sets(mine.source, mine.scan.dataset_offset, source, offset)
            if not equal:  # by their digests they are: is the stored one what it was?
                objects.verify(stored.place, stored.sha256, stored.xxh3)
        except Damaged:
            if not stored.version:
                return self._outcome(stored, Disposition.HELD)
            self._candidate = replace(self.candidate, finding=Finding.HEALS)
            return None
        if not equal:
            raise Conflict("the object's digest equals that of another object of its UID")
        if not stored.version:
            return self._outcome(stored, Disposition.HELD)
        if stored.hidden:
            return self._outcome(stored, Disposition.HIDDEN)
        return self._outcome(stored, Disposition.SAME)

    def _maybe_equivalent(self, stored: Standing, objects: ObjectStore) -> Outcome | None:
        assert self._examined is not None
        elsewhere = (stored.study_uid, stored.series_uid) != (
            self.candidate.study_uid,
            self.candidate.series_uid,
        )
        try:
            if elsewhere or not equivalent(self._examined.source, _checked(objects, stored)):
                return None
        except Damaged:
            return None
        return self._outcome(stored, Disposition.EQUIVALENT)

    def _outcome(self, stored: Standing, disposition: Disposition) -> Outcome:
        mine = self.candidate
        if stored.released:
            disposition = Disposition.SAME
        warnings = {Disposition.HELD: "held", Disposition.HIDDEN: "hidden"}
        return Outcome(
            disposition=disposition,
            sop_class=mine.sop_class,
            sop_uid=mine.sop_uid,
            series_uid=mine.series_uid,
            study_uid=mine.study_uid,
            sha256=mine.sha256,
            size=mine.size,
            version=max(stored.version, 1),
            current=stored.current,
            warning=warnings.get(disposition),
            oddities=mine.oddities,
        )

    def _names(self) -> RecordNames:
        mine = self.candidate
        return RecordNames(mine.partition, mine.study_uid, mine.series_uid, mine.sop_uid)

    def _drop_raw(self) -> None:
        if isinstance(self.received, Spilled):
            self.received.raw.abort()


def _title(peer: str) -> str:
    """The AE title of "TITLE@address"."""
    return peer.rpartition("@")[0] or peer


def _checked(objects: ObjectStore, stored: Standing) -> Source:
    """The stored object; all of it checked where it fits in memory."""
    if stored.place.length <= IN_MEMORY:
        return BytesSource(objects.read(stored.place, sha256=stored.sha256))
    return objects.source(stored.place, sha256=stored.sha256)

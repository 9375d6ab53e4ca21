"""The power is cut at every step of the commit protocol, and every step is made to fail."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence

import pytest

from tests.objects.power_cut import Report, Versions, walk
from tests.objects.simfs import SimFS
from tests.size import size
from vna.model.archive import Place
from vna.objects import GroupCommit, Scan, Unit
from vna.objects.record import RecordHeader
from vna.objects.segment import SegmentWriter

CUTS = size(600, 8000)  # states looked at per step
CUTS_WITH_FAULT = size(8, 200)


OBJECTS = 8  # that the way of an archive sends


def every_walk(versions: Versions) -> Iterator[Report]:
    """Power cuts at every step; then again with every step failing once."""
    plain = walk(versions, most=CUTS)
    yield plain
    for step in range(plain.steps):
        for error in (errno.EIO, errno.ENOSPC):
            yield walk(versions, faults={step: error}, most=CUTS_WITH_FAULT, seed=step)


def test_no_power_cut_loses_or_tears_what_was_acknowledged() -> None:
    report = walk(Versions(), most=CUTS)
    assert report.violations == []
    assert report.acknowledged == OBJECTS
    assert report.cuts > 800


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
def test_no_power_cut_after_a_failed_step_does_either(error: int) -> None:
    acknowledged = []
    for step in range(walk(Versions(), most=2).steps):
        report = walk(Versions(), faults={step: error}, most=CUTS_WITH_FAULT, seed=step)
        assert report.violations == [], f"with step {step} failing"
        acknowledged.append(report.acknowledged)
    # One failure of the disk costs no small object: its batch goes to a new segment.
    assert min(acknowledged) >= OBJECTS - (1 if error == errno.EIO else 2)


# ── planted mistakes: the same checker must find each ────────────────────────────────────────────


class AcknowledgesBeforeTheSync(GroupCommit[Place]):
    def _store_and_index(self, units: Sequence[Unit[Place]]) -> None:
        self._units = units
        super()._store_and_index(units)

    def _sync(self, segment: SegmentWriter) -> None:
        for unit in self._units:
            unit.resolve(Place("", 0, 0))
            unit.complete()
        super()._sync(segment)

    def _acknowledge(self, units: Sequence[Unit[Place]]) -> None:
        for unit in units:
            if not unit.future.done():
                unit.complete()


class CommitsBeforeTheSync(GroupCommit[Place]):
    def _store_and_index(self, units: Sequence[Unit[Place]]) -> None:
        super()._store_and_index(units)
        if self._segment is not None:
            super()._sync(self._segment)

    def _sync(self, segment: SegmentWriter) -> None:
        pass


class SyncsNoDirectory(SimFS):
    def fsync_directory(self, path: str) -> None:
        pass


class RetriesAFailedSync(SimFS):
    def fsync(self, handle: int) -> None:
        try:
            super().fsync(handle)
        except OSError:
            super().fsync(handle)

    def fdatasync(self, handle: int) -> None:
        try:
            super().fdatasync(handle)
        except OSError:
            super().fdatasync(handle)


class TrustsATornTail(Scan):
    def _check_payload(self, header: RecordHeader, place: Place) -> None:
        pass


@pytest.mark.parametrize(
    "mutant",
    [
        Versions(group=AcknowledgesBeforeTheSync),
        Versions(disk=SyncsNoDirectory),
        Versions(group=CommitsBeforeTheSync),
        Versions(scan=TrustsATornTail),
        Versions(disk=RetriesAFailedSync),
    ],
    ids=[
        "ack before sync",
        "no directory sync",
        "commit before sync",
        "trust a torn tail",
        "retry a failed sync",
    ],
)
def test_a_planted_mistake_is_caught(mutant: Versions) -> None:
    complaints = (wrong for report in every_walk(mutant) for wrong in report.violations)
    assert any("object" in wrong or "acknowledged" in wrong for wrong in complaints)

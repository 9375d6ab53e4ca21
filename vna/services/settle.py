"""What happens when a study has been quiet: it counts as complete, and its metadata is made."""

from __future__ import annotations

from vna.errors import NotFound
from vna.index import places, series_metadata, settling
from vna.index.engine import Index
from vna.index.ingest import SETTLE
from vna.index.jobs import Job
from vna.index.places import SeriesStamp
from vna.index.settling import ANNOUNCE
from vna.model.caller import Caller, Right
from vna.services.metadata import series_piece, stamp_of

__all__ = ["ANNOUNCE", "SETTLE", "Settle"]

_CALLER = Caller("jobs", "local", None, frozenset((Right.READ,)))


class Settle:
    """Runs a "settle" job; its subject is a Study Instance UID. `base_url`: as `Metadata.find`."""

    def __init__(self, index: Index, *, base_url: str) -> None:
        self._index, self._base_url = index, base_url

    def __call__(self, job: Job) -> None:
        """Mark the study as settled, then store the metadata of each series that changed.

        What is received meanwhile has queued the job anew, so nothing here waits or looks twice.
        """
        uid = job.subject
        if not self._index.transact(
            lambda session: settling.settle(session, _CALLER.partition, uid, job.not_before)
        ):
            return
        try:
            with self._index.reading() as session:
                series = places.series_stamps(session, _CALLER, uid)
                stored = series_metadata.stamps(session, [each.key for each in series])
        except NotFound:  # it went to the trash
            return
        for each in series:
            if stored.get(each.key) != stamp_of(each.stamp, self._base_url):
                self._store(uid, each)

    def _store(self, study_uid: str, series: SeriesStamp) -> None:
        try:
            with self._index.reading() as session:
                found = places.shown(session, _CALLER, study_uid, series.uid)
        except NotFound:
            return
        if any(each.stamp != series.stamp for each in found):
            return  # it changed since: a later job, or whoever asks, makes it
        body = series_piece(found, self._base_url).encode()
        stamp = stamp_of(series.stamp, self._base_url)
        self._index.transact(lambda session: series_metadata.put(session, series.key, stamp, body))

"""Results of storage commitment, told to the application entities that asked."""

from __future__ import annotations

from dimse.commit import deliver
from dimse.connection import Ended
from dimse.settings import ScpSettings
from vna.errors import Conflict
from vna.index.jobs import Job
from vna.model.caller import DEFAULT_PARTITION
from vna.services.commitment import Commitment
from vna.services.peers import Peers


class Reporter:
    """Runs a "commitment-report" job; what cannot be told is tried again later (vna/index/jobs)."""

    def __init__(self, commitment: Commitment, peers: Peers, settings: ScpSettings) -> None:
        self._commitment, self._peers, self._settings = commitment, peers, settings

    def __call__(self, job: Job) -> None:
        """Tell one result. Raises `Conflict` where the peer could not be told."""
        report = self._commitment.to_report(job.subject)
        if report is None:
            return
        peer = self._peers.known(DEFAULT_PARTITION, report.title)
        if peer is None or not peer.can_be_called:
            raise Conflict(f"AE title {report.title} has no address any more")
        address = self._settings.address_of(peer)
        try:
            deliver(
                address,
                report.deliver_as,
                report.transaction_uid,
                report.result,
                self._settings.timeouts,
            )
        except Ended as error:
            raise Conflict(f"{peer.title} could not be told: {error}") from error

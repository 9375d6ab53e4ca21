"""From bytes received to an object that is durable, indexed and acknowledged."""

from __future__ import annotations

from vna.model.archive import DuplicatePolicy
from vna.model.caller import Caller
from vna.services.budget import Budget
from vna.services.reception import Reception


class Ingest:
    """The way in. Owns the committer of this process: one per process, made after the fork.

    `index`, `objects`, `backend`: where things go. `policy`: what a different data set of a known
    SOP Instance UID means (architecture decision 4). `authority`: the issuer of identifiers that
    name none. `in_flight`: bytes that may wait for their commit; a sender beyond it waits.
    """

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
    ) -> Reception:
        """Open a reception: one request, association or import run.

        `source`: "stow", "import", "document". `organisation`: code of the owner of new items.
        `study_uid`: objects of any other study fail with `OtherStudy` and are not kept. Raises `Forbidden` unless the caller may send.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Finish what was handed in, then seal this process's segment."""


__all__ = ["Budget", "Ingest", "Reception"]

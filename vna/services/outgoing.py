"""The queue of what is to be sent to others, and the list of what was given up."""

from __future__ import annotations

from collections.abc import Sequence

from vna.errors import BadRequest, NotFound
from vna.index import audit, outgoing, peers
from vna.index.engine import Index, Session
from vna.index.routing_match import candidates
from vna.model.caller import DEFAULT_PARTITION, Caller, Right
from vna.model.outgoing import Due, NewOutgoing, Queued, Sending
from vna.objects.ulid import new_ulid
from vna.services.rights import require
from vna.services.titles import AE, target

LEASE_MILLISECONDS = 5 * 60_000
KEPT_MILLISECONDS = 30 * 24 * 3600 * 1000  # what was sent is known for so long, and not sent twice
MOST = 1000  # entries of one answer


class Outgoing:
    """Instances on their way to a destination: "ae:TITLE" or the URL of a DICOMweb service.

    Whoever sends calls `destinations`, `claim`, then `done` or `failed`; all of it is safe beside
    any number of others, and what a dead process had leased is claimed again.
    """

    def __init__(self, index: Index) -> None:
        self._index = index

    # ── whoever wants something sent ─────────────────────────────────────────────────────────────

    def enqueue(
        self,
        caller: Caller,
        destination: str,
        study_uid: str,
        series_uid: str | None = None,
        sop_uid: str | None = None,
        *,
        priority: int = 0,
    ) -> int:
        """Have a study, a series or an instance sent, also where it was sent before; how many
        instances that are.

        Raises `NotFound` for what is not shown to the caller and for an AE that is not known,
        `InvalidValue`, `Forbidden`.
        """
        require(caller, Right.READ)
        to = target(destination)
        with self._index.reading() as session:
            self._check(session, caller.partition, to)
            found = [
                each
                for each in candidates(session, caller, (), study_uid=study_uid)
                if series_uid in (None, each.series_uid) and sop_uid in (None, each.sop_uid)
            ]
        if not found:
            raise NotFound("nothing of these UIDs is shown here")
        wanted = [
            NewOutgoing(
                caller.partition,
                to,
                each.study_uid,
                each.series_uid,
                each.sop_uid,
                each.version,
                "",
                priority,
            )
            for each in found
        ]

        def work(session: Session) -> None:
            outgoing.enqueue(session, wanted, again=True)
            detail = {"to": to, "instances": len(wanted)}
            audit.record(session, caller, "send", sop_uid or series_uid or study_uid, detail)

        self._index.transact(work)
        return len(wanted)

    # ── whoever sends ────────────────────────────────────────────────────────────────────────────

    def destinations(self, partition: int = DEFAULT_PARTITION) -> list[str]:
        """Where something is due to be sent. Raises `IndexUnavailable`."""
        with self._index.reading() as session:
            return outgoing.destinations(session, partition)

    def claim(
        self,
        destination: str,
        limit: int,
        lease: int = LEASE_MILLISECONDS,
        partition: int = DEFAULT_PARTITION,
    ) -> list[Due]:
        """Lease what is due for `lease` ms, the most urgent and oldest first; nobody else gets it
        until then. Raises `IndexUnavailable`."""
        return self._index.transact(
            lambda session: outgoing.claim(
                session,
                partition,
                destination,
                limit=limit,
                milliseconds=lease,
                lease=new_ulid(),
            )
        )

    def done(self, sent: Sequence[Due]) -> None:
        """They were sent. Raises `IndexUnavailable`."""
        self._index.transact(lambda session: outgoing.done(session, sent))

    def failed(self, tried: Sequence[Due], error: str, retry_at: int | None = None) -> None:
        """They were not sent, because of `error`: plain words, no patient data.

        They are tried again at `retry_at` (ms since 1970 UTC), or each time later; after the last
        attempt they are dead and stay listed. Raises `IndexUnavailable`.
        """
        self._index.transact(lambda session: outgoing.failed(session, tried, error, retry_at))

    def forget(self) -> None:
        """Forget what was sent a month ago; a chore."""
        self._index.transact(
            lambda session: outgoing.forget(session, milliseconds=KEPT_MILLISECONDS)
        )

    # ── whoever looks after it ───────────────────────────────────────────────────────────────────

    def find(
        self,
        caller: Caller,
        *,
        destination: str | None = None,
        state: Sending | None = None,
        study_uid: str | None = None,
        limit: int = MOST,
        after: int = 0,
    ) -> list[Queued]:
        """What is in the queue, oldest first, with an id above `after`.

        Raises `InvalidValue`, `Forbidden`.
        """
        require(caller, Right.ADMINISTER)
        to = None if destination is None else target(destination)
        with self._index.reading() as session:
            return outgoing.find(
                session,
                caller.partition,
                destination=to,
                state=state,
                study_uid=study_uid,
                limit=min(limit, MOST),
                after=after,
            )

    def counts(self, caller: Caller) -> dict[tuple[str, Sending], int]:
        """How many instances of each destination are in each state. Raises `Forbidden`."""
        require(caller, Right.ADMINISTER)
        with self._index.reading() as session:
            return outgoing.counts(session, caller.partition)

    def retry(
        self,
        caller: Caller,
        *,
        ids: Sequence[int] = (),
        destination: str | None = None,
        study_uid: str | None = None,
    ) -> int:
        """Try at once what waits or was given up, as if for the first time; how many.

        Name it by ids, destination or study. Raises `BadRequest`, `InvalidValue`, `Forbidden`.
        """
        named = self._named(caller, ids, destination, study_uid)

        def work(session: Session) -> int:
            count = outgoing.retry(session, outgoing.chosen(caller.partition, *named))
            audit.record(
                session, caller, "outgoing retried", study_uid or "", _detail(count, named)
            )
            return count

        return self._index.transact(work)

    def drop(
        self,
        caller: Caller,
        *,
        ids: Sequence[int] = (),
        destination: str | None = None,
        study_uid: str | None = None,
    ) -> int:
        """Take what has not been sent from the queue; how many. Nothing stored is touched.

        Name it by ids, destination or study. Raises `BadRequest`, `InvalidValue`, `Forbidden`.
        """
        named = self._named(caller, ids, destination, study_uid)

        def work(session: Session) -> int:
            count = outgoing.drop(session, outgoing.chosen(caller.partition, *named))
            audit.record(
                session, caller, "outgoing dropped", study_uid or "", _detail(count, named)
            )
            return count

        return self._index.transact(work)

    def _named(
        self, caller: Caller, ids: Sequence[int], destination: str | None, study_uid: str | None
    ) -> tuple[Sequence[int], str | None, str | None]:
        require(caller, Right.ADMINISTER)
        if not ids and destination is None and study_uid is None:
            raise BadRequest("name what is meant: ids, a destination or a study")
        return ids, None if destination is None else target(destination), study_uid

    def _check(self, session: Session, partition: int, to: str) -> None:
        known = {each.title: each for each in peers.find(session, partition)}
        title = to.removeprefix(AE)
        if to.startswith(AE) and (title not in known or not known[title].can_be_called):
            raise NotFound(f"no address is known of AE title {title!r}; vna ae list shows them")


def _detail(count: int, named: tuple[Sequence[int], str | None, str | None]) -> dict[str, object]:
    ids, destination, _ = named
    return {"instances": count, "ids": list(ids)[:100], "to": destination}

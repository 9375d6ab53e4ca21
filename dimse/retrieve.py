"""C-MOVE and C-GET: what is asked for, sent as sub-operations (PS3.4 §C.4.2, §C.4.3)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field

from dimse import command, statuses
from dimse.association import Association, Message
from dimse.command import Value
from dimse.connection import Ended
from dimse.identifier import NOT_KEYS, Identifier, Mismatch, encode, read
from dimse.question import UNIQUE, level_asked
from dimse.requestor import Address, Timeouts, Wanted, request
from dimse.sending import Entry, Originator, Sender, Sent, entries, plans
from dimse.sop_classes import GET, MOVE
from vna.dicom.matching import match_of
from vna.errors import BadRequest, Unavailable, VnaError
from vna.model.caller import Caller
from vna.model.query import AnyOf, Exact, Key, Level
from vna.services.retrieve import Retrieve
from vna.services.search import Search

log = logging.getLogger(__name__)

PENDING_SECONDS = 1.0  # between pending responses, which peers take as signs of life
FAILED_UIDS = "00080058"
_ISSUER = 0x00100021
_MOST_FAILED = 10_000  # UIDs in the list of failures; beyond it says nothing to anybody


def keys_of(identifier: Identifier, root: str) -> tuple[Key, ...]:
    """The unique keys of a retrieval (PS3.4 §C.4.2.1.4.1). Raises `Mismatch`, `InvalidValue`.

    The key of the level that is asked must be there; anything but unique keys is refused, because
    leaving it out would send more than was asked for.
    """
    level = level_asked(identifier, root)
    keys: list[Key] = []
    allowed = {UNIQUE[each]: each for each in Level if each <= level}
    for each in identifier.elements:
        tag = each.tag
        if not tag & 0xFFFF or tag in NOT_KEYS:
            continue
        text = identifier.text(tag)
        if each.items or text:
            if tag == _ISSUER:
                keys.append(Key((tag,), "LO", Exact(text)))
                continue
            if tag not in allowed:
                raise Mismatch(tag, "not be a key of a retrieval")
            vr = "LO" if tag == UNIQUE[Level.PATIENT] else "UI"
            match = match_of(vr, text, name=f"{tag:08X}")
            if not isinstance(match, Exact | AnyOf):
                raise Mismatch(tag, "be a value, or a list of UIDs")
            keys.append(Key((tag,), vr, match))
    if UNIQUE[level] not in {key.path[0] for key in keys}:
        raise Mismatch(UNIQUE[level], "be given for this level")
    return tuple(keys)


@dataclass
class Progress:
    """The counters of a retrieval (PS3.7 §C.3)."""

    remaining: int
    completed: int = 0
    failed: int = 0
    warned: int = 0
    failures: list[str] = field(default_factory=list)

    def count(self, sent: Sent) -> None:
        """One sub-operation is over."""
        self.remaining -= 1
        if sent.failed:
            self.fail([sent.sop_uid])
        elif sent.status == statuses.SUCCESS:
            self.completed += 1
        else:
            self.warned += 1

    def fail(self, sop_uids: Iterable[str]) -> None:
        """These were not sent."""
        for uid in sop_uids:
            self.failed += 1
            if len(self.failures) < _MOST_FAILED:
                self.failures.append(uid)

    def values(self, *, remaining: bool) -> dict[int, Value]:
        """The counters of a response; `remaining`: of a pending one or a cancel, no other."""
        values: dict[int, Value] = {}
        if remaining:
            values[command.REMAINING] = min(self.remaining, 65535)
        values[command.COMPLETED] = min(self.completed, 65535)
        values[command.FAILED] = min(self.failed, 65535)
        values[command.WARNED] = min(self.warned, 65535)
        return values

    @property
    def status(self) -> int:
        """Of the final response."""
        if self.failed and not self.completed and not self.warned:
            return statuses.NO_SUB_OPERATIONS
        return statuses.WARNING if self.failed or self.warned else statuses.SUCCESS


class Retrieval:
    """Answers one C-MOVE-RQ or C-GET-RQ."""

    def __init__(
        self,
        association: Association,
        message: Message,
        search: Search,
        retrieve: Retrieve,
        caller: Caller,
        *,
        as_received: bool = False,
    ) -> None:
        self._association, self._message = association, message
        self._search, self._retrieve, self._caller = search, retrieve, caller
        self._as_received = as_received
        self._told = time.monotonic()
        self._comment = ""

    def get(self) -> None:
        """Send over this association. Raises `Ended`."""
        found = self._wanted(GET)
        if found is None:
            return
        progress = Progress(len(found))
        for sent in self._sender(self._association, None).send(found):
            self._note(progress, sent)
            if self._is_cancelled(progress):
                return
        self._finish(progress)

    def move(self, address_of: Callable[[str], Address | None], timeouts: Timeouts) -> None:
        """Send over associations of our own to the Move Destination. Raises `Ended`.

        `address_of`: who is called by a title; None for a title that is not known.
        """
        title = self._message.command.text(command.MOVE_DESTINATION)
        found = self._wanted(MOVE)
        if found is None:
            return
        address = address_of(title)
        if address is None:
            self._association.respond(
                self._message,
                statuses.UNKNOWN_DESTINATION,
                comment=f"AE title {title} is not known, or has no address",
            )
            return
        progress = Progress(len(found))
        for contexts, batch in plans(found):
            if not self._move_batch(address, contexts, batch, progress, timeouts):
                return
        self._finish(progress)

    def _move_batch(
        self,
        address: Address,
        contexts: list[Wanted],
        batch: list[Entry],
        progress: Progress,
        timeouts: Timeouts,
    ) -> bool:
        """Send a batch over one association; False once the peer has cancelled and was told.

        What becomes of that association is not what becomes of the peer's.
        """
        try:
            other = request(address, self._association.called, contexts, timeouts=timeouts)
        except Ended as error:
            self._give_up(progress, batch, error)
            return True
        with closing(other):
            originator = Originator(
                self._association.calling, self._message.command.number(command.MESSAGE_ID)
            )
            sending = self._sender(other, originator).send(batch)
            for place in range(len(batch)):
                try:
                    sent = next(sending)
                except Ended as error:
                    self._give_up(progress, batch[place:], error)
                    return True
                self._note(progress, sent)
                if self._is_cancelled(progress):
                    return False
            with suppress(Ended):
                other.release()
        return True

    def _wanted(self, roots: Mapping[str, str]) -> list[Entry] | None:
        """What is asked for; None where the request was answered already."""
        context = self._message.context
        try:
            keys = keys_of(
                read(self._association.read(), context.transfer), roots[context.abstract]
            )
            return entries(self._search, self._caller, keys)
        except Mismatch as error:
            self._association.respond(
                self._message, statuses.DOES_NOT_MATCH, comment=str(error), offending=error.tag
            )
        except BadRequest as error:
            self._association.respond(self._message, statuses.DOES_NOT_MATCH, comment=str(error))
        except Unavailable as error:
            self._association.respond(
                self._message, statuses.NO_MATCHES_CALCULATED, comment=str(error)
            )
        except VnaError as error:
            status, comment = statuses.failure(error)
            self._association.respond(self._message, status, comment=comment)
        return None

    def _sender(self, association: Association, originator: Originator | None) -> Sender:
        return Sender(
            association,
            self._retrieve,
            self._caller,
            as_received=self._as_received,
            originator=originator,
        )

    def _note(self, progress: Progress, sent: Sent) -> None:
        progress.count(sent)
        if sent.failed and not self._comment:
            self._comment = sent.comment
        now = time.monotonic()
        if progress.remaining and now - self._told >= PENDING_SECONDS:
            self._told = now
            self._association.respond(
                self._message, statuses.PENDING, progress.values(remaining=True)
            )

    def _give_up(self, progress: Progress, left: list[Entry], error: Ended) -> None:
        progress.remaining -= len(left)
        progress.fail(each.sop_uid for each in left)
        self._comment = error.why
        log.warning("a move failed", extra={"why": str(error), "instances": len(left)})

    def _is_cancelled(self, progress: Progress) -> bool:
        if not self._association.cancelled(self._message.command):
            return False
        self._respond(statuses.CANCELLED, progress, remaining=True)
        return True

    def _finish(self, progress: Progress) -> None:
        self._respond(progress.status, progress, remaining=False)

    def _respond(self, status: int, progress: Progress, *, remaining: bool) -> None:
        data = None
        if progress.failures:
            listed = {FAILED_UIDS: {"vr": "UI", "Value": progress.failures}}
            data = encode(listed, self._message.context.transfer)
        self._association.respond(
            self._message,
            status,
            progress.values(remaining=remaining),
            data,
            comment=self._comment,
        )

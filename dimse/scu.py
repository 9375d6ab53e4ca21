"""What we ask of other application entities: C-ECHO, C-FIND, C-STORE, C-MOVE and C-GET."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dimse import command, commit, identifier, statuses, store
from dimse.association import Association, Context, Message
from dimse.command import Command, Field, Value
from dimse.question import LEVELS
from dimse.requestor import MOST_CONTEXTS, Address, Timeouts, Wanted, request
from dimse.sending import Entry, Sender, Sent, plans
from dimse.sop_classes import COMMITMENT_PUSH, STUDY_ROOT, VERIFICATION
from vna.dicom.header import Header
from vna.dicom.json import to_dict
from vna.dicom.transfer_syntax import (
    EXPLICIT_LE,
    IMPLICIT_LE,
    TRANSFER_SYNTAXES,
    Encoding,
)
from vna.model.caller import DEFAULT_PARTITION, Caller
from vna.model.query import Level
from vna.services.asked_commitments import AskedCommitments
from vna.services.budget import Budget
from vna.services.commitment import Reference
from vna.services.reception import Reception
from vna.services.retrieve import Retrieve

PLAIN = (EXPLICIT_LE, IMPLICIT_LE)
_NAMES = {level: name for name, level in LEVELS.items()}


class Failed(Exception):
    """The peer answered with a failure; `status` is the number of it."""

    def __init__(self, operation: str, answer: Command) -> None:
        self.status = answer.number(command.STATUS)
        comment = answer.text(command.COMMENT)
        said = f": {comment}" if comment else ""
        super().__init__(f"{operation} failed with status {self.status:04X}{said}")


class Released(Exception):
    """The peer released the association, and has its reply."""


@dataclass(frozen=True, slots=True)
class Counters:
    """How a retrieval ended (PS3.7 §C.3)."""

    completed: int
    failed: int
    warned: int


class Scu:
    """Asks one peer, as `calling`. Every call has an association of its own and raises `Ended`
    where that fails, `Failed` where the peer refuses."""

    def __init__(self, peer: Address, calling: str, timeouts: Timeouts) -> None:
        self._peer, self._calling, self._timeouts = peer, calling, timeouts

    @property
    def title(self) -> str:
        """The AE title of the peer."""
        return self._peer.title

    def echo(self) -> float:
        """Seconds that a C-ECHO took."""
        with self._request([Wanted(VERIFICATION, PLAIN)]) as association:
            began = time.monotonic()
            answer, _ = _ask(association, Field.ECHO, VERIFICATION, None)
            took = time.monotonic() - began
            _expect("C-ECHO", answer)
            return took

    def find(self, level: Level, keys: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield what matches, as DICOM JSON; `keys`: DICOM JSON too. Study Root, relational."""
        sop_class = f"{STUDY_ROOT}.1"
        wanted = Wanted(sop_class, PLAIN, extended=bytes((1, 1, 1)))
        with self._request([wanted]) as association:
            context = _context(association, sop_class)
            data = identifier.encode(_at(level, keys), context.transfer)
            answer, id = _ask(association, Field.FIND, sop_class, data)
            while answer.number(command.STATUS) in (
                statuses.PENDING,
                statuses.PENDING_UNSUPPORTED,
            ):
                yield _tree(association.read(), context.transfer)
                answer = association.response(id)
            _expect("C-FIND", answer)

    def store(self, retrieve: Retrieve, caller: Caller, wanted: Iterable[Entry]) -> Iterator[Sent]:
        """Send instances of the archive; what became of each."""
        for contexts, batch in plans(wanted):
            with self._request(contexts) as association:
                yield from Sender(association, retrieve, caller).send(batch)

    def move(
        self, level: Level, keys: Mapping[str, Mapping[str, Any]], destination: str
    ) -> Counters:
        """Have the peer send what matches to `destination`, an AE title that it knows."""
        sop_class = f"{STUDY_ROOT}.2"
        with self._request([Wanted(sop_class, PLAIN)]) as association:
            context = _context(association, sop_class)
            data = identifier.encode(_at(level, keys), context.transfer)
            more: dict[int, Value] = {command.MOVE_DESTINATION: destination}
            answer, id = _ask(association, Field.MOVE, sop_class, data, more)
            while answer.number(command.STATUS) == statuses.PENDING:
                answer = association.response(id)
            association.skip()
            return _counters("C-MOVE", answer)

    def get(
        self,
        level: Level,
        keys: Mapping[str, Mapping[str, Any]],
        sop_classes: Iterable[str],
        reception: Reception,
        budget: Budget,
    ) -> Counters:
        """Fetch what matches into the archive. `sop_classes`: what may come, at most 63 of them."""
        sop_class = f"{STUDY_ROOT}.3"
        compressed = tuple(uid for uid, row in TRANSFER_SYNTAXES.items() if row.encapsulated)
        wanted = [Wanted(sop_class, PLAIN)]
        for each in sop_classes:
            wanted += [Wanted(each, PLAIN, serve=True), Wanted(each, compressed, serve=True)]
        with self._request(wanted[:MOST_CONTEXTS]) as association:
            context = _context(association, sop_class)
            id = association.next_id()
            data = identifier.encode(_at(level, keys), context.transfer)
            association.send(context, _head(Field.GET, sop_class, id), [data])
            while (message := association.receive()) is not None:
                if message.command.field == Field.STORE:
                    store.store(association, message, reception, budget)
                elif _answers(message, Field.GET, id):
                    if message.command.number(command.STATUS) != statuses.PENDING:
                        association.skip()
                        return _counters("C-GET", message.command)
                else:
                    raise association.abort("the peer sent what nobody asked for")
            raise association.abort("the peer released before it had answered")

    def commit(
        self, asked: AskedCommitments, uid: str, references: Sequence[Reference], wait: float
    ) -> bool:
        """Ask the peer to commit itself to instances (PS3.4 annex J).

        True where it told the result over this association within `wait` seconds; most tell it over
        one of their own, which the server takes.
        """
        with self._request([Wanted(COMMITMENT_PUSH, PLAIN)]) as association:
            id = commit.ask(association, uid, references)
            answered = told = False
            while not answered or (not told and association.comes(wait)):
                message = association.receive()
                if message is None:
                    raise Released
                if message.command.field == Field.EVENT_REPORT:  # may overtake the answer
                    heard = commit.told(
                        association, message, asked, self._peer.title, DEFAULT_PARTITION
                    )
                    told = told or heard == uid
                elif _answers(message, Field.ACTION, id):
                    association.skip()
                    _expect("N-ACTION", message.command)
                    answered = True
                else:
                    raise association.abort("the peer sent what nobody asked for")
            return told
        return False

    @contextmanager
    def _request(self, wanted: Iterable[Wanted]) -> Iterator[Association]:
        """An association until the block ends: then it is released, also where the peer refused
        what was asked; aborted where anything else went wrong."""
        association = request(self._peer, self._calling, wanted, timeouts=self._timeouts)
        try:
            try:
                yield association
            except Failed:
                association.release()
                raise
            except Released:  # the peer did it first
                return
            association.release()
        finally:
            association.close()


def _ask(
    association: Association,
    field: Field,
    sop_class: str,
    data: bytes | None,
    more: Mapping[int, Value] | None = None,
) -> tuple[Command, int]:
    """The first response and the id of the request."""
    id = association.next_id()
    values = {**_head(field, sop_class, id), **(more or {})}
    association.send(_context(association, sop_class), values, None if data is None else [data])
    return association.response(id), id


def _head(field: Field, sop_class: str, id: int) -> dict[int, Value]:
    head: dict[int, Value] = {
        command.COMMAND_FIELD: field,
        command.MESSAGE_ID: id,
        command.AFFECTED_CLASS: sop_class,
    }
    if field is not Field.ECHO:
        head[command.PRIORITY] = 0
    return head


def _context(association: Association, sop_class: str) -> Context:
    for context in association.contexts.values():
        if context.abstract == sop_class:
            return context
    raise association.abort(f"the peer does not offer {sop_class}")


def _at(level: Level, keys: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {**keys, f"{identifier.LEVEL:08X}": {"vr": "CS", "Value": [_NAMES[level]]}}


def _tree(data: bytes, syntax: str) -> dict[str, Any]:
    encoding = Encoding.IMPLICIT_LE if syntax == IMPLICIT_LE else Encoding.EXPLICIT_LE
    return to_dict(Header(encoding, data), "")


def _answers(message: Message, field: Field, id: int) -> bool:
    return (
        message.command.field == field | command.RESPONSE
        and message.command.number(command.RESPONDED_TO) == id
    )


def _expect(operation: str, answer: Command) -> None:
    status = answer.number(command.STATUS)
    if status != statuses.SUCCESS and not statuses.is_warning(status):
        raise Failed(operation, answer)


def _counters(operation: str, answer: Command) -> Counters:
    """Failures of single sub-operations are counted, not raised."""
    counters = Counters(
        answer.number(command.COMPLETED),
        answer.number(command.FAILED),
        answer.number(command.WARNED),
    )
    if answer.number(command.STATUS) != statuses.NO_SUB_OPERATIONS or not counters.failed:
        _expect(operation, answer)
    return counters

"""Sending stored objects as C-STORE requests: sub-operations of C-MOVE and C-GET, and our own."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice

from dimse import command, statuses
from dimse.association import Association, Context
from dimse.command import Field, Value
from dimse.requestor import MOST_CONTEXTS, Wanted
from vna.dicom.transfer_syntax import EXPLICIT_LE, IMPLICIT_LE
from vna.errors import NotFound, VnaError
from vna.model.answer import Row
from vna.model.caller import Caller
from vna.model.query import AnyOf, Exact, Key, Level, Query
from vna.services.retrieve import Retrieve
from vna.services.search import Search
from vna.services.stored import Stored

log = logging.getLogger(__name__)

_PLAIN = (EXPLICIT_LE, IMPLICIT_LE)
_SOP_CLASS, _SOP_UID, _TRANSFER = 0x00080016, 0x00080018, 0x00083002
_STUDY_UID, _SERIES_UID = 0x0020000D, 0x0020000E
PAGE = 5000  # rows


@dataclass(frozen=True, slots=True)
class Entry:
    """An instance that is to be sent, before anything of it has been read."""

    study_uid: str
    series_uid: str
    sop_uid: str
    sop_class: str
    transfer: str  # as stored


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one sub-operation."""

    sop_uid: str
    status: int
    comment: str = ""

    @property
    def failed(self) -> bool:
        """Whether the receiver does not have it."""
        return self.status != statuses.SUCCESS and not statuses.is_warning(self.status)


@dataclass(frozen=True, slots=True)
class Originator:
    """Whose C-MOVE it is that we send for."""

    title: str
    message_id: int


def entries(search: Search, caller: Caller, keys: tuple[Key, ...]) -> list[Entry]:
    """Every instance that satisfies `keys` and that the caller may see, series by series."""
    query = Query(
        Level.INSTANCE,
        keys,
        include=((_SOP_CLASS,), (_TRANSFER,)),
        levels=frozenset(),
        limit=PAGE,
    )
    found: list[Entry] = []
    while True:
        page = search.find(caller, query)
        found += map(_entry, page.rows)
        if len(page.rows) < PAGE:
            return found
        query = Query(
            Level.INSTANCE, keys, query.include, PAGE, after=page.cursor, levels=frozenset()
        )


def named(sop_uids: Iterable[str], study_uid: str = "", series_uid: str = "") -> tuple[Key, ...]:
    """The keys of instances by their UIDs."""
    uids = tuple(sop_uids)
    keys = [Key((_SOP_UID,), "UI", AnyOf(uids))] if uids else []
    if study_uid:
        keys.append(Key((_STUDY_UID,), "UI", Exact(study_uid)))
    if series_uid:
        keys.append(Key((_SERIES_UID,), "UI", Exact(series_uid)))
    return tuple(keys)


def _entry(row: Row) -> Entry:
    def text(tag: int) -> str:
        values = row.attributes.get(f"{tag:08X}", {}).get("Value") or [""]
        return str(values[0])

    return Entry(row.study_uid, row.series_uid, row.sop_uid, text(_SOP_CLASS), text(_TRANSFER))


def plans(wanted: Iterable[Entry]) -> Iterator[tuple[list[Wanted], list[Entry]]]:
    """Presentation contexts for what is to be sent, and what goes with them; several where one
    association cannot hold them all.

    Each SOP class is offered in every transfer syntax that its instances are stored in, one context
    each, so that the receiver chooses none of them away; and in plain ones in any case.
    """
    by_class: dict[str, list[Entry]] = defaultdict(list)
    for each in wanted:
        by_class[each.sop_class].append(each)
    contexts: list[Wanted] = []
    batch: list[Entry] = []
    for sop_class, some in by_class.items():
        stored = dict.fromkeys(each.transfer for each in some)
        mine = [Wanted(sop_class, (uid,)) for uid in stored if uid and uid != EXPLICIT_LE]
        mine = [*mine[: MOST_CONTEXTS - 1], Wanted(sop_class, _PLAIN)]
        if len(contexts) + len(mine) > MOST_CONTEXTS:
            yield contexts, batch
            contexts, batch = [], []
        contexts += mine
        batch += some
    if batch:
        yield contexts, batch


class Sender:
    """Sends stored instances over an association on which we are SCU of storage."""

    def __init__(
        self,
        association: Association,
        retrieve: Retrieve,
        caller: Caller,
        *,
        as_received: bool = False,
        originator: Originator | None = None,
    ) -> None:
        self._association, self._retrieve, self._caller = association, retrieve, caller
        self._as_received, self._originator = as_received, originator
        self._contexts: dict[str, dict[str, Context]] = defaultdict(dict)
        for context in association.contexts.values():
            if context.ours:
                self._contexts[context.abstract].setdefault(context.transfer, context)

    def send(self, wanted: Iterable[Entry]) -> Iterator[Sent]:
        """Send each and yield what became of it. Raises `Ended`."""
        held: tuple[str, str] | None = None
        series: Mapping[str, Stored] = {}
        for entry in wanted:
            if held != (entry.study_uid, entry.series_uid):
                held = entry.study_uid, entry.series_uid
                series = self._series(*held)
            stored = series.get(entry.sop_uid)
            if stored is None:
                yield Sent(entry.sop_uid, statuses.NO_SUCH_INSTANCE, "it was deleted meanwhile")
            else:
                yield self._one(stored)

    def _series(self, study_uid: str, series_uid: str) -> Mapping[str, Stored]:
        try:
            found = self._retrieve.instances(self._caller, study_uid, series_uid)
        except NotFound:
            return {}
        return {each.sop_uid: each for each in found}

    def _one(self, stored: Stored) -> Sent:
        contexts = self._contexts.get(stored.sop_class, {})
        if not contexts:
            return Sent(stored.sop_uid, statuses.NO_SUCH_CLASS, "the receiver takes no such class")
        try:
            payload = self._retrieve.data_set(stored, contexts, as_received=self._as_received)
            chunks = payload.chunks()
            first = list(islice(chunks, 1))  # small objects are checked before a byte leaves
        except VnaError as error:
            log.warning("not sent", extra={"sop": stored.sop_uid, "why": str(error)})
            return Sent(stored.sop_uid, *statuses.failure(error))
        id = self._association.next_id()
        request: dict[int, Value] = {
            command.COMMAND_FIELD: Field.STORE,
            command.MESSAGE_ID: id,
            command.PRIORITY: 0,
            command.AFFECTED_CLASS: stored.sop_class,
            command.AFFECTED_INSTANCE: stored.sop_uid,
        }
        if self._originator is not None:
            request[command.MOVE_ORIGINATOR] = self._originator.title
            request[command.MOVE_ORIGINATOR_ID] = self._originator.message_id
        try:
            self._association.send(contexts[payload.transfer_syntax], request, chain(first, chunks))
        except VnaError as error:  # in the middle of its bytes: no way back but to end it all
            raise self._association.abort(f"an object cannot be read: {error}") from error
        answer = self._association.response(id)
        return Sent(stored.sop_uid, answer.number(command.STATUS), answer.text(command.COMMENT))

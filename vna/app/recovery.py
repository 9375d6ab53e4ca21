"""Before anything is served: the index knows all that the stores know."""

from __future__ import annotations

import logging
import multiprocessing
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from vna.app.stores import open_objects, open_place, stores_at_hand
from vna.config import Settings
from vna.config.stores import StoreSetting
from vna.errors import StorageUnavailable, VnaError
from vna.index import jobs, row_log
from vna.index.engine import Index
from vna.index.migrate import alone
from vna.index.row_load import ADOPT
from vna.model.caller import local_administrator
from vna.services.events import Event
from vna.services.fsck import Fsck, Problem
from vna.services.lost_decisions import lost_decisions
from vna.services.rebuild import Rebuilt, catch_up, is_behind, rebuild
from vna.services.restore import Restored, restore
from vna.services.row_log import RowLog

if TYPE_CHECKING:
    from vna.app.archive import Archive

log = logging.getLogger("vna.recovery")

Tell = Callable[[str, int], None]
Copied = Callable[[int, int], object]


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was done: rows of the log; objects that no row named, by what became of them; and the
    decisions that are to be made again."""

    rebuilt: Rebuilt
    adopted: dict[str, int]
    lost: list[Event]


def recover(settings: Settings, tell: Tell = lambda table, rows: None) -> Recovered | None:
    """Make an empty index again from the stores, or bring one that is behind them up to date.

    None where there is nothing to do. The schema must be there. Raises `StorageUnavailable` where
    a store is away that might know more, else as `vna.services.rebuild`.
    """
    with alone(settings.database_url):
        return _completed(settings, _rows(settings, tell))


def _rows(settings: Settings, tell: Tell) -> Rebuilt | None:
    """What the log knows more than the index, laid over it."""
    with stores_at_hand(settings) as (stores, away):
        index = Index.open(settings.database_url)
        try:
            with index.reading() as session:
                if not is_behind(session, stores):
                    return None
                head = row_log.head(session)
        finally:
            index.close()
        if away:
            raise StorageUnavailable(
                f"the index is behind the stores, and the store {away[0]}, which may know more, is "
                "not there"
            )
        spool = settings.data.absolute()
        log.warning("the index is behind the stores", extra={"epoch": head.epoch})
        if head.epoch:
            return catch_up(settings.database_url, head, stores, spool)
        return rebuild(settings.database_url, stores, spool, tell)


def restore_from(
    settings: Settings, place: StoreSetting, tell: Copied
) -> tuple[Restored, Recovered]:
    """Make an archive of a backup: in the first hot store and an empty index. See
    `vna.services.restore`."""
    first = next(each for each in settings.mounted if each.tier == "hot")
    store, source = open_place(first), open_place(place)
    try:
        done = restore(source.backend, store, settings.database_url, settings.data.absolute(), tell)
    finally:
        store.close()
        source.close()
    completed = _completed(settings, done.rebuilt)
    assert completed is not None, "a restored index has something to take in"
    return done, completed


def _completed(settings: Settings, done: Rebuilt | None) -> Recovered | None:
    """With what came after the last frame of the log, also where that was interrupted before."""
    index = Index.open(settings.database_url)
    try:
        with index.reading() as session:
            times = jobs.waiting(session, ADOPT)
    finally:
        index.close()
    if not times:
        return None
    at = min(map(int, times))
    from vna.app.archive import Archive

    with Archive.open(settings) as archive:
        adopted = _adopted(archive)
        stores = list(archive.objects.stores.values())
        lost = lost_decisions(archive.index, stores, at)
        archive.index.transact(lambda session: jobs.forget(session, ADOPT))
    return Recovered(done or Rebuilt(0, 0, 0, at), adopted, lost)


def begin(settings: Settings) -> str:
    """`recover`, see that the stores can be opened, and have the log begin before anything is
    stored; returns the history of the database that was looked at (see `Index.history`).

    Raises as `recover` and `open_objects`.
    """
    index = Index.open(settings.database_url)
    try:
        history = index.history()
    finally:
        index.close()
    done = recover(settings)
    if done is not None:
        log.warning(
            "the index has caught up with the stores",
            extra={
                "rows": done.rebuilt.rows,
                "adopted": done.adopted,
                "decisions_lost": len(done.lost),
            },
        )
    index = Index.open(settings.database_url, history=history)
    try:
        objects = open_objects(settings, index)
        try:
            RowLog(index, objects).close()
        finally:
            objects.close()
    finally:
        index.close()
    return history


def begin_apart(settings: Settings) -> str:
    """The same in a process of its own: what S3 needs has threads, which no fork would bring
    along."""
    context = multiprocessing.get_context("fork")
    heard, said = context.Pipe(duplex=False)
    child = context.Process(target=_begin, args=(settings, said))
    child.start()
    said.close()
    try:
        found = heard.recv()
    except EOFError:
        found = StorageUnavailable("the process that looked at the stores died")
    child.join()
    if isinstance(found, VnaError):
        raise found
    return str(found)


def _begin(settings: Settings, said: Connection) -> None:
    try:
        said.send(begin(settings))
    except VnaError as error:
        said.send(error)


def _adopted(archive: Archive) -> dict[str, int]:
    """Take in what was stored after the last frame of the log."""
    caller = local_administrator("recovery")
    alone = Fsck(archive.index, archive.objects, wait=lambda seconds: None)
    found = [each for each in alone.run(caller) if each.problem is Problem.ROWLESS]
    return dict(Counter(outcome for _, outcome in archive.adoption.adopt(caller, found)))

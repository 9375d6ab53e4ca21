"""The change feed: numbers in commit order, without gaps, whatever rolls back or dawdles."""

from __future__ import annotations

import random
import threading

from vna.index import feed
from vna.index.engine import Change, Index, Session
from vna.model.caller import local_administrator

WRITERS, EACH = 8, 25
CALLER = local_administrator("test")


class Undone(Exception):
    """A transaction that is rolled back on purpose."""


def test_a_polling_reader_misses_nothing(index: Index) -> None:
    """Eight writers with random rollbacks, and one slow transaction that began before them all."""
    committed: list[str] = []
    noted = threading.Lock()
    began, finish, over = threading.Event(), threading.Event(), threading.Event()

    def slow() -> None:
        def work(session: Session) -> None:
            session.changes.append(Change("slow"))
            began.set()
            if index.postgresql:  # on SQLite a write transaction keeps all others waiting
                assert finish.wait(60)

        index.transact(work)

    def write(number: int) -> None:
        dice = random.Random(number)
        for turn in range(EACH):
            name = f"{number}-{turn}"
            undo = dice.random() < 0.3
            size = dice.randint(1, 3)

            def work(session: Session, name: str = name, undo: bool = undo, n: int = size) -> None:
                session.changes += [Change(name)] * n
                if undo:
                    raise Undone

            try:
                index.transact(work)
            except Undone:
                continue
            with noted:
                committed.extend([name] * size)

    seen: list[feed.Entry] = []

    def read() -> None:
        while True:
            last_round = over.is_set()
            with index.reading() as session:
                after = seen[-1].seq if seen else 0
                seen.extend(feed.read(session, CALLER, after=after, limit=7))
                newest = feed.last(session)
            if last_round and seen and seen[-1].seq >= newest:
                return

    slow_one = threading.Thread(target=slow)
    slow_one.start()
    assert began.wait(60)
    writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    reader = threading.Thread(target=read)
    for thread in (*writers, reader):
        thread.start()
    for thread in writers:
        thread.join()
    finish.set()
    slow_one.join()
    over.set()
    reader.join()

    assert sorted(each.kind for each in seen) == sorted([*committed, "slow"])
    assert [each.seq for each in seen] == list(range(1, len(seen) + 1))


def test_an_isolated_step_that_fails_takes_its_changes_along(index: Index) -> None:
    def work(session: Session) -> None:
        session.changes.append(Change("kept"))
        try:
            with session.isolated():
                session.changes.append(Change("undone"))
                raise Undone
        except Undone:
            pass

    index.transact(work)

    with index.reading() as session:
        assert [each.kind for each in feed.read(session, CALLER, after=0, limit=9)] == ["kept"]

"""The queue of what is to be sent: queued once, leased, tried again, given up, looked after."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import event, update

from tests.services.house import CALLER, House
from tests.services.objects import image, uids
from vna.errors import BadRequest, Forbidden, InvalidValue, NotFound
from vna.index import outgoing as rows
from vna.index.engine import Index
from vna.index.tables import outgoing as table
from vna.model.caller import Caller, Right
from vna.model.outgoing import Due, NewOutgoing, Sending
from vna.model.peer import Peer
from vna.services.outgoing import Outgoing
from vna.services.peers import Peers

PACS, CLOUD = "ae:PACS", "https://pacs.example/dicomweb"


@pytest.fixture
def queue(house: House) -> Outgoing:
    Peers(house.index).put(CALLER, Peer("PACS", "10.0.0.9", 104))
    return Outgoing(house.index)


def study(house: House, instances: int = 3) -> tuple[str, list[str]]:
    """A study that was stored: its UID and those of its instances."""
    first = image()
    uid, series, _ = uids(first)
    objects = [first, *(image(uid, series) for _ in range(instances - 1))]
    house.send(*objects)
    return uid, sorted(uids(each)[2] for each in objects)


def sops(due: list[Due]) -> list[str]:
    return sorted(each.sop_uid for each in due)


def hasten(house: House) -> None:
    """Let what waits for another attempt be due, and leases be over."""
    with house.index.writing() as session:
        session.execute(update(table).values(next_at=0, lease_until=0))


def test_what_is_queued_is_leased_sent_and_not_leased_again(house: House, queue: Outgoing) -> None:
    uid, instances = study(house)
    assert queue.enqueue(CALLER, PACS, uid) == 3
    assert queue.destinations() == [PACS]

    first, rest = queue.claim(PACS, 2), queue.claim(PACS, 9)
    assert sops(first + rest) == instances
    assert {each.attempts for each in first} == {1}
    assert queue.claim(PACS, 9) == []
    queue.done(first)
    queue.done(rest)

    assert queue.destinations() == []
    assert queue.counts(CALLER) == {(PACS, Sending.SENT): 3}
    assert {each.sent_at > 0 for each in queue.find(CALLER)} == {True}
    assert queue.find(CALLER, state=Sending.WAITING) == []


def test_what_a_person_asks_for_is_sent_again(house: House, queue: Outgoing) -> None:
    uid, instances = study(house)
    for _ in range(2):
        queue.enqueue(CALLER, PACS, uid, sop_uid=instances[0])
        due = queue.claim(PACS, 9)
        assert sops(due) == instances[:1]
        queue.done(due)
    assert len(queue.find(CALLER)) == 1


def test_what_is_asked_for_while_it_is_sent_is_sent_once_more(
    house: House, queue: Outgoing
) -> None:
    uid, _ = study(house, 1)
    queue.enqueue(CALLER, PACS, uid)
    slow = queue.claim(PACS, 9)
    queue.enqueue(CALLER, PACS, uid)
    queue.done(slow)
    assert sops(queue.claim(PACS, 9)) == sops(slow)


def test_a_lease_that_has_run_out_is_another_s(house: House, queue: Outgoing) -> None:
    uid, _ = study(house, 1)
    queue.enqueue(CALLER, PACS, uid)
    mine = queue.claim(PACS, 9)
    hasten(house)
    theirs = queue.claim(PACS, 9)
    assert [each.attempts for each in theirs] == [2]
    queue.failed(mine, "I am late")
    (found,) = queue.find(CALLER)
    assert (found.state, found.last_error) == (Sending.LEASED, "")
    queue.done(theirs)
    assert queue.find(CALLER)[0].state is Sending.SENT


def test_what_fails_waits_longer_each_time_and_is_given_up_at_last(
    house: House, queue: Outgoing
) -> None:
    uid, _ = study(house, 1)
    queue.enqueue(CALLER, PACS, uid)
    waits = []
    for _ in range(rows.MAX_ATTEMPTS):
        hasten(house)
        with house.index.reading() as session:
            now = session.now()
        queue.failed(queue.claim(PACS, 9), "connection refused")
        waits.append(round((queue.find(CALLER)[0].next_at - now) / 10_000))

    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == rows.LONGEST_MILLISECONDS / 10_000
    (dead,) = queue.find(CALLER, state=Sending.DEAD)
    assert (dead.attempts, dead.last_error) == (rows.MAX_ATTEMPTS, "connection refused")
    hasten(house)
    assert queue.claim(PACS, 9) == []

    assert queue.retry(CALLER, ids=[dead.id]) == 1
    assert [each.attempts for each in queue.claim(PACS, 9)] == [1]


def test_the_sender_may_say_when_to_try_again(house: House, queue: Outgoing) -> None:
    uid, _ = study(house, 1)
    queue.enqueue(CALLER, PACS, uid)
    queue.failed(queue.claim(PACS, 9), "busy", retry_at=1)
    assert len(queue.claim(PACS, 9)) == 1


def test_the_most_urgent_goes_first(house: House, queue: Outgoing) -> None:
    calm, urgent = study(house, 1)[0], study(house, 1)[0]
    queue.enqueue(CALLER, PACS, calm)
    queue.enqueue(CALLER, PACS, urgent, priority=9)
    assert [each.study_uid for each in queue.claim(PACS, 1)] == [urgent]


def test_claiming_reads_along_the_index_however_much_waits(sqlite_url: str) -> None:
    """A destination that is away for days has everything waiting for another attempt."""
    index, asked = Index.open(sqlite_url), []

    def note(_connection: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        asked.append((sql, values))

    with index.writing() as session:
        rows.enqueue(session, [NewOutgoing(1, PACS, "1", "2", sop, 1, "", 0) for sop in "345"])
        event.listen(session.connection, "before_cursor_execute", note)
        rows.claim(session, 1, PACS, limit=2, milliseconds=1, lease="x")
        rows.destinations(session, 1)
        reads = [each for each in asked if each[0].startswith("SELECT")]
        plans = [
            row[-1]
            for sql, values in reads
            for row in session.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
        ]
    index.close()
    assert [sql for sql in reads if "ORDER BY" in sql[0]]
    assert not [each for each in plans if "SCAN" in each or "TEMP" in each], plans


def test_what_is_named_is_dropped_and_nothing_else(house: House, queue: Outgoing) -> None:
    one, two = study(house, 1)[0], study(house, 2)[0]
    for destination in (PACS, CLOUD):
        queue.enqueue(CALLER, destination, one)
        queue.enqueue(CALLER, destination, two)
    queue.done(queue.claim(CLOUD, 1))

    assert queue.drop(CALLER, destination=CLOUD) == 2  # one was sent
    assert queue.drop(CALLER, study_uid=one) == 1
    with pytest.raises(BadRequest):
        queue.drop(CALLER)
    assert [each.study_uid for each in queue.find(CALLER, destination=PACS)] == [two, two]
    assert len(queue.find(CALLER, study_uid=one)) == 1
    page = queue.find(CALLER, limit=1)
    assert page + queue.find(CALLER, after=page[0].id) == queue.find(CALLER)


def test_what_was_sent_is_forgotten_in_time(house: House, queue: Outgoing) -> None:
    uid, _ = study(house, 2)
    queue.enqueue(CALLER, PACS, uid)
    queue.done(queue.claim(PACS, 1))
    with house.index.writing() as session:
        rows.forget(session, milliseconds=-1000)
    assert [each.state for each in queue.find(CALLER)] == [Sending.WAITING]
    queue.forget()


def test_many_senders_share_a_destination_without_sending_twice(
    house: House, queue: Outgoing
) -> None:
    uid, instances = study(house, 24)
    queue.enqueue(CALLER, PACS, uid)
    taken: list[Due] = []

    def send() -> None:
        while due := queue.claim(PACS, 3):
            queue.done(due)
            taken.extend(due)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sops(taken) == instances


def test_what_cannot_be_sent_is_refused(house: House, queue: Outgoing) -> None:
    uid, _ = study(house, 1)
    with pytest.raises(NotFound):
        queue.enqueue(CALLER, PACS, "1.2.3")
    with pytest.raises(NotFound):
        queue.enqueue(CALLER, "ae:NOBODY", uid)
    for wrong in ("PACS", "ftp://x", "https://user:secret@x/dicomweb", "ae:A\\B", "https://x/?a"):
        with pytest.raises(InvalidValue) as refused:
            queue.enqueue(CALLER, wrong, uid)
        assert "secret" not in str(refused.value)
    assert queue.enqueue(CALLER, f"{CLOUD}/", uid) == 1
    assert queue.destinations() == [CLOUD]


def test_a_caller_has_sent_what_it_may_see(house: House, queue: Outgoing) -> None:
    uid, _ = study(house, 1)
    reader = Caller("reader", "here", frozenset({4711}), frozenset({Right.READ}))
    with pytest.raises(NotFound):
        queue.enqueue(reader, PACS, uid)
    for refused in (lambda: queue.find(reader), lambda: queue.retry(reader, ids=[1])):
        with pytest.raises(Forbidden):
            refused()

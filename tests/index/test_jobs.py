"""Jobs: one per kind and subject, leased by database time, tried again and at last given up."""

from __future__ import annotations

import threading

from sqlalchemy import update

from vna.index import jobs
from vna.index.engine import Index
from vna.index.tables import job


def put(index: Index, *subjects: str, after: int = 0) -> None:
    index.transact(lambda session: jobs.put(session, "settle", subjects, after=after))


def lease(index: Index, owner: str, limit: int = 1, milliseconds: int = 60_000) -> list[jobs.Job]:
    return index.transact(
        lambda session: jobs.lease(
            session, ["settle"], owner, milliseconds=milliseconds, limit=limit
        )
    )


def test_a_job_that_waits_is_put_off_not_doubled(index: Index) -> None:
    put(index, "1.2")
    put(index, "1.2", after=60_000)

    assert lease(index, "a") == []
    put(index, "1.2")
    assert [each.subject for each in lease(index, "a")] == ["1.2"]


def test_a_leased_job_is_nobody_elses_until_the_lease_ends(index: Index) -> None:
    put(index, "1.2")

    (mine,) = lease(index, "a")
    assert lease(index, "b") == []

    index.transact(
        lambda s: s.execute(update(job).values(lease_until=job.c.lease_until - 120_000)).rowcount
    )
    (theirs,) = lease(index, "b")
    assert (theirs.id, theirs.attempts) == (mine.id, 2)


def test_a_job_put_anew_while_it_runs_runs_once_more(index: Index) -> None:
    put(index, "1.2")
    (mine,) = lease(index, "a")
    put(index, "1.2")

    index.transact(lambda session: jobs.done(session, mine, "a"))

    assert [each.subject for each in lease(index, "a")] == ["1.2"]


def test_a_job_that_always_fails_dies_and_stays_listed(index: Index) -> None:
    put(index, "1.2")
    for _ in range(jobs.MAX_ATTEMPTS):
        index.transact(lambda s: s.execute(update(job).values(not_before=0)).rowcount)
        (mine,) = lease(index, "a")
        with index.writing() as session:
            jobs.failed(session, mine, "a", "broken")

    assert lease(index, "a") == []
    with index.reading() as session:
        assert jobs.counts(session) == {("settle", jobs.DEAD): 1}


def test_many_workers_share_jobs_without_taking_one_twice(index: Index) -> None:
    put(index, *[f"1.{number}" for number in range(40)])
    taken: list[str] = []
    noted = threading.Lock()

    def work(owner: str) -> None:
        while got := lease(index, owner, limit=3):
            with noted:
                taken.extend(each.subject for each in got)

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == sorted(f"1.{number}" for number in range(40))

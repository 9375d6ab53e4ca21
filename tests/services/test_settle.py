"""A quiet study is settled: a change in the feed, and its metadata stored."""

from __future__ import annotations

import gzip
import json
import threading

import pytest

from tests.services.house import CALLER, House
from tests.services.test_ingest import image
from vna.errors import IndexUnavailable
from vna.index.jobs import Job
from vna.services.jobs import Jobs
from vna.services.metadata import Metadata
from vna.services.settle import SETTLE, Settle

BASE = "http://archive.example/dicomweb"


@pytest.fixture
def jobs(house: House) -> Jobs:
    return Jobs(house.index, {SETTLE: Settle(house.index, base_url=BASE)})


def kinds(house: House) -> list[str]:
    """The change feed."""
    with house.index.reading() as session:
        found = session.connection.exec_driver_sql("SELECT kind FROM change ORDER BY seq")
        return [row[0] for row in found]


def test_a_quiet_study_is_settled_once(house: House, jobs: Jobs) -> None:
    house.send(image())
    assert jobs.run_once() == 1
    assert jobs.run_once() == 0
    assert kinds(house) == ["study new", "instance new", "study settled"]
    assert house.rows("study")[0]["settled_at"] > 0
    assert house.count("job") == 0


def test_what_is_received_later_opens_the_study_again(house: House, jobs: Jobs) -> None:
    house.send(image())
    jobs.run_once()
    house.send(image(SOPInstanceUID="1.2.3.4.6"))
    assert house.rows("study")[0]["settled_at"] == 0
    jobs.run_once()
    assert kinds(house)[-3:] == ["study reopened", "instance new", "study settled"]


def test_a_study_that_got_news_since_the_job_was_leased_is_not_settled(house: House) -> None:
    house.send(image())
    early = house.rows("study")[0]["last_received_at"] - 1
    Settle(house.index, base_url=BASE)(Job(1, SETTLE, "1.2.3", 1, early))
    assert house.rows("study")[0]["settled_at"] == 0


def test_metadata_of_a_settled_series_is_stored_and_sent_as_it_is(house: House, jobs: Jobs) -> None:
    house.send(*(image(SOPInstanceUID=f"1.2.3.4.{n}", InstanceNumber=n) for n in range(1, 30)))
    made = Metadata(house.index, house.audit).find(CALLER, "1.2.3", "1.2.3.4", base_url=BASE)
    jobs.run_once()
    assert house.count("series_metadata") == 1
    stored = Metadata(house.index, house.audit).find(CALLER, "1.2.3", "1.2.3.4", base_url=BASE)
    assert stored.etag == made.etag
    assert b"".join(stored.gzip()) == b"".join(made.gzip())
    array = json.loads(gzip.decompress(b"".join(stored.gzip())))
    assert [each["00200013"]["Value"] for each in array] == [[n] for n in range(1, 30)]


def test_a_job_that_fails_is_tried_again_later_and_does_not_end_the_others(house: House) -> None:
    done = []

    def handler(job: Job) -> None:
        if job.subject == "1.2.3":
            raise ValueError("no good")
        done.append(job.subject)

    house.send(image(), image(StudyInstanceUID="9", SeriesInstanceUID="9.1", SOPInstanceUID="9.2"))
    assert Jobs(house.index, {SETTLE: handler}).run_once() == 2
    assert done == ["9"]
    (left,) = house.rows("job")
    assert (left["subject"], left["last_error"]) == ("1.2.3", "ValueError: no good")


def test_a_job_outlives_a_database_that_is_away(house: House) -> None:
    def handler(job: Job) -> None:
        raise IndexUnavailable("away")

    house.send(image())
    with pytest.raises(IndexUnavailable):
        Jobs(house.index, {SETTLE: handler}).run_once()
    assert house.count("job") == 1


def test_the_loop_does_its_chores_first_and_ends_when_told(house: House) -> None:
    house.send(image())
    stop = threading.Event()
    done = []

    def handler(job: Job) -> None:
        done.append(job.subject)
        stop.set()

    Jobs(house.index, {SETTLE: handler}, [lambda: done.append("chore")]).run(stop)
    assert done == ["chore", "1.2.3"]

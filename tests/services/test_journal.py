"""An operation is durable in the store and the index together, or it did not happen."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert

from tests.services.desk import Desk, image
from tests.services.house import CALLER, WAIT_SECONDS, House
from vna.errors import Conflict
from vna.index import tables
from vna.index.engine import Change, Session
from vna.services.journal import Stamp


@pytest.fixture
def desk(house: House) -> Iterator[Desk]:
    made = Desk(house)
    yield made
    made.close()


def noted(session: Session, stamp: Stamp) -> str:
    session.execute(insert(tables.authority).values(name=stamp.operation))
    session.changes.append(Change("noted", detail={"operation": stamp.operation}))
    return stamp.operation


def refused(session: Session, stamp: Stamp) -> str:
    noted(session, stamp)
    raise Conflict("no")


def test_what_is_recorded_is_an_event_a_row_an_audit_row_and_a_change(desk: Desk) -> None:
    operation = desk.journal.record(
        CALLER, "note", {"uid": "1.2"}, noted, reason="why", target="1.2"
    )
    (event,) = desk.events()
    assert event["operation"] == operation
    assert event["data"] == {"uid": "1.2"}
    assert (event["format"], event["actor"], event["partition"]) == (1, CALLER.name, 1)
    assert [row["name"] for row in desk.house.rows("authority")] == ["", operation]
    (audited,) = desk.house.rows("audit")
    assert (audited["action"], audited["target"]) == ("note", "1.2")
    assert audited["at"] - event["at"] < WAIT_SECONDS * 1000
    assert desk.changes() == ["noted"]


def test_what_the_index_refuses_leaves_a_void_event_and_nothing_else(desk: Desk) -> None:
    with pytest.raises(Conflict):
        desk.journal.record(CALLER, "note", {}, refused, reason="", target="")
    desk.house.ingest.committer.close()
    event, void = desk.events()
    assert (void["kind"], void["data"]) == ("void", {"operation": event["operation"]})
    assert [row["name"] for row in desk.house.rows("authority")] == [""]
    assert desk.house.rows("audit") == []
    assert desk.changes() == []


def test_one_refusal_does_not_touch_what_is_committed_with_it(desk: Desk) -> None:
    def work(number: int) -> str:
        if number % 3 == 0:
            (outcome,) = desk.house.send(image(f"1.2.{number}.1.1"))
            return outcome.disposition.value
        apply = noted if number % 3 == 1 else refused
        try:
            return desk.journal.record(CALLER, "note", {}, apply, reason="", target="")
        except Conflict:
            return "refused"

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, range(24)))
    assert results.count("new") == results.count("refused") == 8
    assert desk.house.count("instance") == 8
    names = {row["name"] for row in desk.house.rows("authority")} - {""}
    assert names == set(results) - {"new", "refused"}
    assert len(names) == 8

"""The log of associations: what was said is read again, and forgotten in time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.services.house import CALLER
from vna.errors import Forbidden
from vna.index.engine import Index
from vna.model.association import Association, Ending
from vna.model.caller import Caller, Right
from vna.services.association_log import AssociationLog

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT, JPEG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.70"


@pytest.fixture
def log(index: Index) -> AssociationLog:
    return AssociationLog(index)


def ended(index: Index, **more: object) -> Association:
    """An association that has just been released."""
    with index.reading() as session:
        now = session.now()
    made = Association(
        began_at=now - 1500,
        ended_at=now,
        direction="in",
        calling="CT1",
        called="VNA",
        address="10.0.0.5",
        implementation_uid="1.2.3",
        implementation_version="MAKER_1",
        offered=((CT, (EXPLICIT, JPEG)),),
        accepted=((CT, JPEG),),
        counts={"C-STORE": {"0000": 12, "B000": 1}},
        bytes_received=12_000_000_000,
        bytes_sent=3_000,
        ending=Ending.RELEASED,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def test_an_association_is_read_as_it_was_recorded(index: Index, log: AssociationLog) -> None:
    one = ended(index, why="the peer released it")
    log.record(one)
    (found,) = log.find(CALLER)
    assert found.association == one


def test_whatever_a_side_calls_itself_can_be_kept(index: Index, log: AssociationLog) -> None:
    log.record(ended(index, calling="A\x00B" + "C" * 40, implementation_version="\x00é"))
    (found,) = log.find(CALLER)
    assert found.association.calling == "A?BCCCCCCCCCCCCC"
    assert found.association.implementation_version == "\x00é"


def test_the_latest_come_first_in_pages_and_by_title(index: Index, log: AssociationLog) -> None:
    for title in ("A", "B", "A", "C"):
        log.record(ended(index, calling=title))
    log.record(ended(index, calling="VNA", called="A", direction="out"))

    def titles(*args: object, **more: object) -> list[str]:
        return [each.association.calling for each in log.find(CALLER, **more)]  # type: ignore[arg-type]

    assert titles() == ["VNA", "C", "A", "B", "A"]
    assert titles(title="A") == ["VNA", "A", "A"]
    first = log.find(CALLER, limit=2)
    assert titles(after=first[-1].id, limit=2) == ["A", "B"]


def test_what_failed_is_told_from_what_went_well(index: Index, log: AssociationLog) -> None:
    harmless = {"C-STORE": {"B000": 1, "0107": 1}, "C-FIND": {"FF00": 3, "FE00": 1}}
    log.record(ended(index, counts=harmless))
    log.record(ended(index, counts={"C-STORE": {"0000": 12, "A900": 1}}))
    log.record(ended(index, ending=Ending.TIMED_OUT, why="the peer was silent for too long"))
    assert [each.association.ending for each in log.find(CALLER, failed_only=True)] == [
        Ending.TIMED_OUT,
        Ending.RELEASED,
    ]


def test_what_is_old_is_left_out_and_forgotten(index: Index, log: AssociationLog) -> None:
    new = ended(index)
    log.record(replace(new, ended_at=new.ended_at - 60_000, calling="OLD"))
    log.record(new)
    (found,) = log.find(CALLER, since=new.ended_at - 30_000)
    assert found.association == new
    log.forget(30_000)
    assert log.find(CALLER) == [found]


def test_only_administrators_read_it(log: AssociationLog) -> None:
    with pytest.raises(Forbidden):
        log.find(Caller("reader", "here", None, frozenset({Right.READ})))

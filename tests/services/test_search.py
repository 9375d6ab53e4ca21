"""Search as a service: who may ask, and what only the stored header of an instance tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.index import corpus
from tests.index.fill import fill
from tests.services.desk import Desk, image
from tests.services.house import CALLER, House
from vna.dicom.dictionary import parse_path, vr_of
from vna.dicom.matching import match_of
from vna.errors import Forbidden
from vna.index.engine import Index
from vna.model.caller import Right, local_administrator
from vna.model.query import Key, Level, Query
from vna.services.corrections import Correction, Scope
from vna.services.search import Search


@pytest.fixture
def desk(house: House) -> Iterator[Desk]:
    made = Desk(house)
    yield made
    made.close()


def key(keyword: str, text: str) -> Key:
    path = parse_path(keyword)
    return Key(path, vr_of(path[-1]), match_of(vr_of(path[-1]), text))


def test_a_caller_who_may_read_finds_what_is_visible(index: Index) -> None:
    studies = corpus.made(5, 6)
    fill(index, studies)
    page = Search(index).find(local_administrator("here"), Query(Level.STUDY))
    visible = [each.uid for each in studies if each.shown]
    assert sorted(row.study_uid for row in page.rows) == sorted(visible)


def test_a_caller_without_the_right_to_read_is_refused(index: Index) -> None:
    sender = replace(local_administrator("here"), rights=frozenset({Right.SEND}))
    with pytest.raises(Forbidden):
        Search(index).find(sender, Query(Level.STUDY))


def test_what_no_row_holds_is_filtered_and_returned_from_headers(desk: Desk) -> None:
    desk.house.send(image("1.2.7.1.1", KVP="120"), image("1.2.7.1.2", KVP="80"))
    of_series = key("SeriesInstanceUID", "1.2.7.1")
    include = (parse_path("KVP"), parse_path("AvailableTransferSyntaxUID"))
    query = Query(Level.INSTANCE, (of_series, key("KVP", "80.0")), include=include)
    (row,) = desk.search.find(CALLER, query).rows
    assert row.sop_uid == "1.2.7.1.2"
    assert float(row.attributes["00180060"]["Value"][0]) == 80
    assert row.attributes["00083002"] == {"vr": "UI", "Value": ["1.2.840.10008.1.2.1"]}


def test_corrections_of_what_no_row_holds_are_found_too(desk: Desk) -> None:
    desk.house.send(image("1.2.7.1.1", KVP="120"), image("1.2.7.1.2", KVP="80"))
    right = Correction("KVP", ["100"])
    desk.corrections.correct(CALLER, Scope("1.2.7", "1.2.7.1", "1.2.7.1.2"), [right], "protocol")
    for kvp, uids in (("100", ["1.2.7.1.2"]), ("80", []), ("120", ["1.2.7.1.1"])):
        query = Query(Level.INSTANCE, (key("StudyInstanceUID", "1.2.7"), key("KVP", kvp)))
        assert [row.sop_uid for row in desk.search.find(CALLER, query).rows] == uids

"""Search as a service: who may ask."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.index import corpus
from tests.index.fill import fill
from vna.errors import Forbidden
from vna.index.engine import Index
from vna.model.caller import Right, local_administrator
from vna.model.query import Level, Query
from vna.services.search import Search


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

"""Statistics count what is there, and only for whoever may know."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vna.errors import Forbidden, UnknownName
from vna.index.engine import Index
from vna.model.caller import Right, local_administrator
from vna.services.statistics import Statistics

ADMINISTRATOR = local_administrator("test")


def test_an_empty_archive_counts_nothing(index: Index) -> None:
    totals = Statistics(index).totals(ADMINISTRATOR)
    assert set(totals.values()) == {0}
    assert {"patients", "studies", "instances", "objects", "bytes", "documents"} <= set(totals)
    assert Statistics(index).studies_by(ADMINISTRATOR, ["organisation", "modality", "year"]) == []


def test_an_unknown_group_names_the_nearest(index: Index) -> None:
    with pytest.raises(UnknownName, match="did you mean 'modality'"):
        Statistics(index).studies_by(ADMINISTRATOR, ["modalities"])


def test_only_an_administrator_may_count(index: Index) -> None:
    reader = replace(ADMINISTRATOR, rights=frozenset({Right.READ}))
    with pytest.raises(Forbidden):
        Statistics(index).totals(reader)

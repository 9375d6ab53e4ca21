"""What a worker does before it answers anybody."""

from __future__ import annotations

from pathlib import Path

from tests.faults.synthetic import small
from tests.services.house import CALLER, opened
from vna.app.warm import warm
from vna.index import locate, places, series_metadata
from vna.index.engine import Index
from vna.services.metadata import Metadata

READ = (locate._LOCATION, places._SERIES_OF_STUDY, series_metadata._FIND)


def test_an_empty_index_is_no_error(index: Index) -> None:
    warm(index)


def test_a_database_that_is_away_is_no_error() -> None:
    index = Index.open("postgresql+psycopg://nobody@127.0.0.1:1/none")
    warm(index)
    index.close()


def test_the_statements_that_follow_are_compiled_already(index: Index, tmp_path: Path) -> None:
    sent = small(1, 1)
    with opened(index, tmp_path) as house:
        house.send(sent.data)
        warm(index)
        assert not house.audit_file.exists() or not house.audit_file.read_text()
        before = [set(each._texts) for each in READ]

        Metadata(index, house.audit).find(CALLER, sent.study_uid, sent.series_uid, base_url="/x")

        assert [set(each._texts) for each in READ] == before
    assert all(before)

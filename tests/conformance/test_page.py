"""The page is what the code says, and nothing on it is without a test."""

from __future__ import annotations

from dicomweb.decisions import DECISIONS
from dicomweb.question import PARAMETERS
from dicomweb.statement import MEANINGS, markdown, statement
from tests.conformance import test_decisions, test_resources, test_rows
from tests.peers.npm import ROOT


def test_the_page_is_what_the_code_says() -> None:
    assert (ROOT / "docs" / "conformance.md").read_text() == markdown(statement()), "run `make fix`"


def test_every_table_is_exercised() -> None:
    exercised = {*test_rows.EXERCISED, *test_resources.EXERCISED, *test_decisions.EXERCISED}
    assert {table.name for table in statement()} == exercised


def test_every_decision_is_exercised() -> None:
    assert {each.name for each in DECISIONS} == test_decisions.SHOWN.keys()


def test_every_parameter_is_explained() -> None:
    assert set(PARAMETERS) == MEANINGS.keys()


def test_no_cell_breaks_its_table() -> None:
    for table in statement():
        for row in table.rows:
            assert len(row) == len(table.columns)
            assert not any("|" in cell or "\n" in cell for cell in row)
        assert len(set(table.rows)) == len(table.rows)

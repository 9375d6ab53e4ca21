"""The page is what the code says, and nothing on it is without a test."""

from __future__ import annotations

from dicomweb.decisions import DECISIONS
from dicomweb.question import PARAMETERS
from dicomweb.statement import MEANINGS, markdown
from tests.conformance import test_decisions, test_dimse, test_resources, test_rows
from tests.peers.npm import ROOT
from vna.cli.conformance import tables


def test_the_page_is_what_the_code_says() -> None:
    assert (ROOT / "docs" / "conformance.md").read_text() == markdown(tables()), "run `make fix`"


def test_every_table_is_exercised() -> None:
    modules = (test_rows, test_resources, test_decisions, test_dimse)
    exercised = {name for module in modules for name in module.EXERCISED}
    assert {table.name for table in tables()} == exercised


def test_every_decision_is_exercised() -> None:
    assert {each.name for each in DECISIONS} == test_decisions.SHOWN.keys()


def test_every_parameter_is_explained() -> None:
    assert set(PARAMETERS) == MEANINGS.keys()


def test_no_cell_breaks_its_table() -> None:
    for table in tables():
        for row in table.rows:
            assert len(row) == len(table.columns)
            assert not any("|" in cell or "\n" in cell for cell in row)
        assert len(set(table.rows)) == len(table.rows)

"""The command line in this process, on a data folder of the test's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from vna.cli.program import app


@dataclass(frozen=True)
class Said:
    """What a verb printed, and its exit code."""

    code: int
    out: str
    notes: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The JSON lines it printed."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def row(self) -> dict[str, Any]:
        """The last of them."""
        return self.rows[-1]


Vna = Callable[..., Said]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def vna(data: Path, monkeypatch: pytest.MonkeyPatch) -> Vna:
    """Run a verb on `data` and return what it said; `--json` unless `human=True`."""
    monkeypatch.setenv("VNA_DATA", str(data))
    runner = CliRunner()

    def run(*words: str | Path, human: bool = False) -> Said:
        result = runner.invoke(app, [*map(str, words), *(() if human else ("--json",))])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def region(vna: Vna) -> Vna:
    """The same, with the synthetic region loaded."""
    assert vna("demo", "load").code == 0
    return vna

"""A house that speaks DIMSE, over each database in turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dimse.speaking import Speaking, speaking
from tests.services.house import opened
from vna.index.engine import Index


@pytest.fixture
def archive(index: Index, tmp_path: Path) -> Iterator[Speaking]:
    """An archive that answers as VNA, in this process."""
    with opened(index, tmp_path) as house, speaking(house) as made:
        yield made


@pytest.fixture
def plain_archive(sqlite_url: str, tmp_path: Path) -> Iterator[Speaking]:
    """The same over SQLite alone, where the database makes no difference."""
    index = Index.open(sqlite_url)
    with opened(index, tmp_path) as house, speaking(house) as made:
        yield made
    index.close()

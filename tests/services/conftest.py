"""A house for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.house import House, opened
from vna.index.engine import Index


@pytest.fixture
def house(index: Index, tmp_path: Path) -> Iterator[House]:
    """An archive without its edges, over each database in turn."""
    with opened(index, tmp_path) as made:
        yield made

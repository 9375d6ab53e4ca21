"""One archive for each test module: objects of different tests have different studies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.http.archive import running
from tests.services.house import House, opened
from vna.index.engine import Index


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of the archive."""
    with running(tmp_path_factory.mktemp("archive") / "data") as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    """Below the DICOMweb root, with an empty Accept unless a test names one."""
    with httpx.Client(base_url=f"{url}/dicomweb", timeout=60) as client:
        del client.headers["accept"]
        yield client


@pytest.fixture
def house(index: Index, tmp_path: Path) -> Iterator[House]:
    """An archive without its edges, over each database in turn."""
    with opened(index, tmp_path) as made:
        yield made

"""One archive for each test module: objects of different tests have different studies."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.http.archive import running


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

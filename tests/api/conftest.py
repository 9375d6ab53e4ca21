"""One archive for each test module."""

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
def api(url: str) -> Iterator[httpx.Client]:
    """Below /api/v1."""
    with httpx.Client(base_url=f"{url}/api/v1", timeout=60) as client:
        yield client


@pytest.fixture
def dicomweb(url: str) -> Iterator[httpx.Client]:
    """Below the DICOMweb root."""
    with httpx.Client(base_url=f"{url}/dicomweb", timeout=60) as client:
        yield client

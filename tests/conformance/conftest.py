"""An archive that holds every sample."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conformance.samples import Sample, every_file, samples
from tests.dicomweb.wire import store
from tests.http.archive import running


@pytest.fixture(scope="session")
def held() -> dict[str, Sample]:
    return samples()


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("conformance") / "data"


@pytest.fixture(scope="session")
def url(data: Path, held: dict[str, Sample]) -> Iterator[str]:
    with running(data) as url:
        with httpx.Client(base_url=f"{url}/dicomweb", timeout=60) as client:
            assert store(client, *every_file(held)).status_code in (200, 202)
        yield url


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    """Below the DICOMweb root, without an Accept of its own."""
    with httpx.Client(base_url=f"{url}/dicomweb", timeout=60) as client:
        del client.headers["accept"]
        yield client

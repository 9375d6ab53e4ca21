"""Pages of other sites reach nothing through their visitors' browsers."""

from __future__ import annotations

import pytest

from vna.errors import Forbidden
from vna.http.origin import refuse_strangers

PUBLIC = "archive.example"


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {}),
        ("GET", {"host": "127.0.0.1:8080"}),
        ("GET", {"host": "LocalHost"}),
        ("GET", {"host": "[::1]:8080"}),
        ("GET", {"host": "Archive.example"}),
        ("GET", {"host": "127.0.0.1", "origin": "https://elsewhere.example"}),
        ("POST", {"host": "127.0.0.1:8080"}),
        ("POST", {"host": "127.0.0.1:8080", "origin": "http://127.0.0.1:8080"}),
        ("POST", {"host": "127.0.0.1:8080", "origin": "https://archive.example"}),
    ],
)
def test_clients_and_own_pages_are_served(method: str, headers: dict[str, str]) -> None:
    refuse_strangers(method, headers, PUBLIC)


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"host": "elsewhere.example"}),
        ("GET", {"host": "127.0.0.1.elsewhere.example:8080"}),
        ("GET", {"host": ""}),
        ("GET", {"host": "[broken"}),
        ("POST", {"host": "127.0.0.1", "origin": "https://elsewhere.example"}),
        ("DELETE", {"host": "127.0.0.1", "origin": "null"}),
        ("POST", {"host": "127.0.0.1", "origin": "https://[broken"}),
    ],
)
def test_other_names_and_other_sites_are_not(method: str, headers: dict[str, str]) -> None:
    with pytest.raises(Forbidden):
        refuse_strangers(method, headers, PUBLIC)

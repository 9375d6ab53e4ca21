"""What happens when a peer program is not installed."""

from __future__ import annotations

import os

import pytest


def require(missing: str | None) -> None:
    """Skip with the apt line that installs the peer; with VNA_TEST_REQUIRE_PEERS=1, fail."""
    if missing is None:
        return
    if os.environ.get("VNA_TEST_REQUIRE_PEERS") == "1":
        pytest.fail(f"a peer is missing: {missing}")
    pytest.skip(missing)

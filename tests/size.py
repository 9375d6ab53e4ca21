"""How large the fault and scale tests are: `VNA_TEST_SIZE=proof` runs them at their full size."""

from __future__ import annotations

import os


def size(test: int, proof: int) -> int:
    """`proof` if the environment asks for it, else `test`."""
    return proof if os.environ.get("VNA_TEST_SIZE") == "proof" else test

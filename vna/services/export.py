"""Objects copied to a directory, with a manifest that `sha256sum -c` can check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vna.model.caller import Caller
from vna.services.verify import Selection


@dataclass(frozen=True, slots=True)
class Exported:
    """One file of an export. `outcome`: "written", "present" (equal bytes stood there), "damaged",
    "conflict" (a different file stood there and was left alone)."""

    outcome: str
    path: str
    sha256: str
    size: int
    done: int
    total: int
    reason: str = ""


class Export:
    """Writes holdings as files."""

    def run(
        self, caller: Caller, directory: Path, selection: Selection, *, original: bool
    ) -> Iterator[Exported]:
        """Yield a result for each file once it is durable; then write `manifest-sha256.txt`.

        `original`: byte for byte as received, every version; otherwise current versions with their
        overlays applied. Documents are exported as received. Running it again continues.
        """
        raise NotImplementedError

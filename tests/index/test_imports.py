"""The ledger of imports knows a file again by name, size and time."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vna.index.engine import Index
from vna.index.imports import ImportLedger


@dataclass(frozen=True)
class File:
    name: str
    size: int = 100
    modified_ns: int = 1_700_000_000_123_456_789


def test_what_was_written_is_done_until_the_file_changes(index: Index) -> None:
    ledger = ImportLedger(index)
    files = [File(f"/cd/{number}") for number in range(3)]
    ledger.write([(files[0], "new", ""), (files[1], "held", "held")])
    assert ledger.done(files) == {"/cd/0", "/cd/1"}
    assert ledger.done([replace(files[0], size=101), replace(files[1], modified_ns=1)]) == set()


def test_what_failed_is_tried_again_and_may_succeed(index: Index) -> None:
    ledger = ImportLedger(index)
    ledger.write([(File("/a"), "failed", "no UID " * 500)])
    assert ledger.done([File("/a")]) == set()
    ledger.write([(File("/a"), "new", "")])
    assert ledger.done([File("/a")]) == {"/a"}

"""Reads are audited once a minute, in a file that shows tampering."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from storage_backends.prompt import TakesTime, promptly
from vna.model.caller import local_administrator
from vna.services.audit import WINDOW_MS, ReadAudit, verify_chain

CALLER = local_administrator("127.0.0.1")
OTHER = local_administrator("127.0.0.2")


class Clock:
    """Time that moves when told."""

    def __init__(self) -> None:
        self.ms = 1_000 * WINDOW_MS

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


def written(path: Path, clock: Clock) -> Path:
    audit = ReadAudit(path, clock)
    for _ in range(3):
        audit.read(CALLER, "1.2.3", "retrieve")
    audit.read(CALLER, "1.2.3", "metadata")
    audit.read(OTHER, "1.2.3", "retrieve")
    clock.ms += WINDOW_MS
    audit.read(CALLER, "1.2.3", "retrieve")
    audit.close()
    return path


def test_a_caller_reading_one_item_for_one_purpose_is_one_event_a_minute(
    tmp_path: Path, clock: Clock
) -> None:
    path = written(tmp_path / "audit" / "a.jsonl", clock)
    events = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert [(each["origin"], each["action"]) for each in events] == [
        ("127.0.0.1", "retrieve"),
        ("127.0.0.1", "metadata"),
        ("127.0.0.2", "retrieve"),
        ("127.0.0.1", "retrieve"),
    ]
    assert verify_chain(path) == (4, [])


def test_an_event_that_is_written_already_takes_no_time(tmp_path: Path, clock: Clock) -> None:
    audit = ReadAudit(tmp_path / "a.jsonl", clock)
    with pytest.raises(TakesTime), promptly():
        audit.read(CALLER, "1.2.3", "retrieve")
    audit.read(CALLER, "1.2.3", "retrieve")
    with promptly():
        audit.read(CALLER, "1.2.3", "retrieve")
    clock.ms += WINDOW_MS
    with pytest.raises(TakesTime), promptly():
        audit.read(CALLER, "1.2.3", "retrieve")
    audit.close()


def test_an_event_is_in_the_file_before_the_read_goes_on(tmp_path: Path, clock: Clock) -> None:
    audit = ReadAudit(tmp_path / "a.jsonl", clock)
    audit.read(CALLER, "1.2.3", "retrieve")
    assert b"1.2.3" in (tmp_path / "a.jsonl").read_bytes()
    audit.close()


@pytest.mark.parametrize("line", [0, 1, 2])
def test_a_changed_or_missing_line_breaks_the_chain(
    tmp_path: Path, clock: Clock, line: int
) -> None:
    path = written(tmp_path / "a.jsonl", clock)
    lines = path.read_bytes().splitlines(keepends=True)
    changed = [*lines]
    changed[line] = changed[line].replace(b"1.2.3", b"9.2.3")
    path.write_bytes(b"".join(changed))
    assert [each.line for each in verify_chain(path)[1]] == [line + 2]
    path.write_bytes(b"".join(lines[:line] + lines[line + 1 :]))
    assert [each.line for each in verify_chain(path)[1]] == [line + 1]


def test_a_torn_last_line_is_told_apart(tmp_path: Path, clock: Clock) -> None:
    path = written(tmp_path / "a.jsonl", clock)
    path.write_bytes(path.read_bytes()[:-5])
    assert [(each.line, each.reason) for each in verify_chain(path)[1]] == [(4, "torn")]


def test_a_file_that_exists_is_never_written(tmp_path: Path, clock: Clock) -> None:
    path = written(tmp_path / "a.jsonl", clock)
    before = path.read_bytes()
    with pytest.raises(Exception, match="audit file"):
        ReadAudit(path, clock).read(CALLER, "1.2.3", "retrieve")
    assert path.read_bytes() == before

"""Logs are JSON lines for machines and plain lines for people."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from vna.app import logs


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _unchanged_root() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def written(stream: io.StringIO, format: str, level: str = "info") -> str:
    logs.configure(format=format, level=level, stream=stream)
    log = logging.getLogger("vna.test")
    log.debug("too small to say")
    log.info("stored", extra={"study_uid": "1.2.3", "objects": 4})
    return stream.getvalue()


def test_a_pipe_gets_json_lines_with_the_facts_as_members() -> None:
    entry = json.loads(written(io.StringIO(), "auto"))
    assert entry["event"] == "stored"
    assert entry["level"] == "info"
    assert (entry["study_uid"], entry["objects"]) == ("1.2.3", 4)
    assert entry["ts"].endswith("Z")


def test_a_terminal_gets_plain_lines() -> None:
    assert written(Terminal(), "auto").endswith("INFO    stored  study_uid=1.2.3 objects=4\n")


def test_the_format_can_be_asked_for() -> None:
    assert json.loads(written(Terminal(), "json"))["event"] == "stored"
    assert "stored  study_uid" in written(io.StringIO(), "human")


def test_an_exception_is_one_line_of_json_with_its_trace() -> None:
    stream = io.StringIO()
    logs.configure(format="json", level="info", stream=stream)
    try:
        raise ValueError("no")
    except ValueError:
        logging.getLogger("vna.test").exception("failed")
    (line,) = stream.getvalue().splitlines()
    assert "ValueError: no" in json.loads(line)["trace"]

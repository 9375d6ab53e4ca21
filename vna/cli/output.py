"""What a verb prints: records on standard output, notes and progress on standard error.

With `--json` a record is one JSON object on one line (NDJSON where there are many); without it,
lists are tables and single records are lines of `name: value`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

Record = Mapping[str, Any]
QUIET_SECONDS = 30.0  # between progress lines where standard error is not a terminal


class Progress(Protocol):
    """Told how far a long verb has come."""

    def __call__(self, done: int, total: int | None, note: str = "") -> None:
        """`total` is None while it is not known."""


class Output:
    """One verb's output."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def record(self, record: Record) -> None:
        """Print one record of a verb that has just one."""
        if self.as_json:
            self.line(record)
            return
        width = max((len(name) for name in record), default=0)
        for name, value in record.items():
            if isinstance(value, list) and len(value) > 1:
                print(f"{name}:")
                for each in value:
                    print(f"  {_text(each)}")
            else:
                print(f"{name + ':':<{width + 1}} {_text(value)}".rstrip())

    def line(self, record: Record) -> None:
        """Print one record of many as a line of JSON, at once."""
        sys.stdout.write(json.dumps(record, ensure_ascii=False, default=_plain) + "\n")

    def table(self, records: Iterable[Record], columns: Mapping[str, str]) -> int:
        """Print records; `columns`: record key → heading of the columns people see.

        Returns how many there were.
        """
        count = 0
        if self.as_json:
            for record in records:
                self.line(record)
                count += 1
            return count
        rows = [[_text(record.get(key)) for key in columns] for record in records]
        if rows:
            _print_table(list(columns.values()), rows)
        return len(rows)

    def note(self, text: str) -> None:
        """Tell a person something that is not data."""
        sys.stdout.flush()  # in a terminal and a log the two stay in order
        print(text, file=sys.stderr)

    @contextmanager
    def progress(self, what: str) -> Iterator[Progress]:
        """A bar on a terminal, otherwise a line every half minute."""
        if sys.stderr.isatty():
            with _bar(what) as tell:
                yield tell
        else:
            yield _lines(what)


def _print_table(headings: list[str], rows: list[list[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for row in (headings, *rows):
        line = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        print(line.rstrip())


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "  ".join(f"{name}={_text(each)}" for name, each in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_text, value))
    return _plain(value)


def _plain(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


@contextmanager
def _bar(what: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, note="")

        def tell(done: int, total: int | None, note: str = "") -> None:
            bar.update(task, completed=done, total=total, note=note)

        yield tell


def _lines(what: str) -> Progress:
    said = time.monotonic()

    def tell(done: int, total: int | None, note: str = "") -> None:
        nonlocal said
        if time.monotonic() - said >= QUIET_SECONDS:
            said = time.monotonic()
            of = f" of {total}" if total is not None else ""
            print(f"{what}: {done}{of} {note}".rstrip(), file=sys.stderr, flush=True)

    return tell

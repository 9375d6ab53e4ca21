"""A table of the conformance statement, which every language of the archive has some of."""

from __future__ import annotations

from dataclasses import dataclass

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """`name`: stable, what its rows are exercised under. Cells are Markdown without `|`."""

    name: str
    title: str
    text: str
    columns: Row
    rows: tuple[Row, ...]

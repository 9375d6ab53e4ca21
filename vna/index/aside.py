"""Columns that no plan should begin with."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class aside(FunctionElement[Any]):
    """`aside(column)`: the column, hidden from SQLite's choice of indexes.

    Without statistics SQLite takes any equality for selective, and would walk an index over
    partitions or organisations, where every second row matches, instead of one over dates.
    PostgreSQL has statistics and sees the plain column.
    """

    inherit_cache = True
    name = "aside"
    type = Integer()

    def __init__(self, column: ColumnElement[Any]) -> None:
        super().__init__(column)


@compiles(aside)
def _plain(element: aside, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(aside, "sqlite")
def _hidden(element: aside, compiler: SQLCompiler, **options: Any) -> str:
    return f"+{compiler.process(element.clauses, **options)}"
